"""Argo CD's health checks and actions, in its own Lua."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

from harness.kstatus import CURRENT, FAILED, compute
from lenses_operator.resources.base import RECONCILE, RESTART
from unit.gitops.argocd import ARGOCD, CUSTOMIZATIONS, merge_patch, run
from unit.gitops.situations import CASES, DEGRADED, HEALTHY, PROGRESSING, SUSPENDED, UNOBSERVED, Case, connector, failed

KINDS = ("LensesConnector", "LensesConnectorOffsets")
ACTIONS = CUSTOMIZATIONS / "LensesConnector" / "actions"
NAMES = {"restart": RESTART, "reconcile": RECONCILE}
DISCOVERY = ACTIONS / "discovery.lua"
NOT_LOOKED_AT = "lenses-operator has not looked at this generation yet"


@pytest.mark.parametrize(
    "missing", ["string.format('x')", "('x'):upper()", "math.floor(1)", "os.time()", "io.write('x')"]
)
def test_scripts_have_no_more_than_argo_cd_opens(missing: str, tmp_path: Path) -> None:
    script = tmp_path / "script.lua"
    script.write_text(f"return {{{missing}}}")
    with pytest.raises(lua51.LuaError, match="attempt to"):
        run(script, {})


def health(found: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = run(CUSTOMIZATIONS / found["kind"] / "health.lua", found)
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_health_and_its_message(case: Case) -> None:
    assert health(case.found) == {
        "status": case.health,
        "message": f"{case.ready['reason']}: {case.ready['message']}",
    }


@pytest.mark.parametrize("case", UNOBSERVED, ids=lambda case: case.name)
def test_a_generation_nobody_has_looked_at_progresses(case: Case) -> None:
    assert health(case.found) == {"status": PROGRESSING, "message": NOT_LOOKED_AT}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_argo_cd_and_flux_agree(case: Case) -> None:
    kstatus = compute(case.found).status
    assert (case.health == HEALTHY) == (kstatus == CURRENT)
    assert (case.health == DEGRADED) == (kstatus == FAILED)


def test_every_health_there_is_occurs() -> None:
    assert {case.health for case in CASES} == {HEALTHY, PROGRESSING, DEGRADED, SUSPENDED}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"metadata": {}},
        {"metadata": {"generation": 1}},
        {"metadata": {"generation": 1}, "status": {}},
        {"metadata": {"generation": 1}, "status": {"observedGeneration": 1}},
        {"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "conditions": []}},
        {"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "conditions": [{"type": "Stalled"}]}},
        {"metadata": {"generation": 1}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}},
        {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
    ],
)
def test_missing_fields_are_no_error(kind: str, rest: dict[str, Any]) -> None:
    assert health({"kind": kind, **rest}) == {"status": PROGRESSING, "message": NOT_LOOKED_AT}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("condition", "message"),
    [({}, ""), ({"reason": "Running"}, "Running"), ({"message": "1 of 1."}, "1 of 1.")],
)
def test_a_condition_without_words(kind: str, condition: dict[str, str], message: str) -> None:
    status = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"} | condition]}
    found = {"kind": kind, "metadata": {"generation": 1}, "status": status}
    assert health(found) == {"status": HEALTHY, "message": message}


def test_both_kinds_have_the_same_check() -> None:
    first, second = ((CUSTOMIZATIONS / kind / "health.lua").read_text() for kind in KINDS)
    assert first == second


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("annotations", [None, {}, {"a": "b"}, {RESTART: "old", RECONCILE: "old"}])
def test_an_action_sets_its_annotation_and_nothing_else(name: str, annotations: dict[str, str] | None) -> None:
    found = connector(failed(None))
    found["spec"]["config"] |= {"flush.size": 2**53 - 1, "lowest": 1 - 2**53, "errors.log.enable": True}
    if annotations is not None:
        found["metadata"]["annotations"] = annotations
    patch = merge_patch(found, run(ACTIONS / name / "action.lua", found))
    value = patch["metadata"]["annotations"][NAMES[name]]
    assert patch == {"metadata": {"annotations": {NAMES[name]: value}}}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**63 - 1])
def test_an_action_does_not_round_an_integer_of_the_spec(name: str, number: int) -> None:
    """What Lua cannot hold would come back changed, and Argo CD would write it."""
    found = connector(failed(None))
    found["spec"]["config"]["flush.size"] = number
    assert run(DISCOVERY, found)[name]["disabled"] is True
    with pytest.raises(lua51.LuaError, match="kubectl annotate"):
        run(ACTIONS / name / "action.lua", found)


@pytest.mark.parametrize(
    ("spec", "disabled"),
    [({}, []), ({"suspend": False}, []), ({"suspend": True}, ["restart"])],
)
def test_discovery(spec: dict[str, bool], disabled: list[str]) -> None:
    found = connector(failed(None))
    found["spec"] |= spec
    actions = run(DISCOVERY, found)
    assert set(actions) == set(NAMES)
    assert [name for name, action in actions.items() if action["disabled"]] == disabled
    assert all(action["displayName"] for action in actions.values())


def test_discovery_lists_what_there_is() -> None:
    assert {path.parent.name for path in ACTIONS.glob("*/action.lua")} == set(run(DISCOVERY, {}))


def test_the_config_map_holds_these_files() -> None:
    document = yaml.safe_load((ARGOCD / "argocd-cm.yaml").read_text())
    assert (document["kind"], document["metadata"]["name"]) == ("ConfigMap", "argocd-cm")
    data = document["data"]
    prefix, group = "resource.customizations", "connect.lenses.io"
    for kind in KINDS:
        assert data.pop(f"{prefix}.health.{group}_{kind}") == (CUSTOMIZATIONS / kind / "health.lua").read_text()
    actions = yaml.safe_load(data.pop(f"{prefix}.actions.{group}_LensesConnector"))
    assert actions.pop("discovery.lua") == DISCOVERY.read_text()
    assert actions.pop("definitions") == [
        {"name": name, "action.lua": (ACTIONS / name / "action.lua").read_text()} for name in NAMES
    ]
    assert (data, actions) == ({}, {})
