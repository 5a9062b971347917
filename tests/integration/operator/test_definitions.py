"""The operator's kinds come late, or go and come back, under a running operator. Its own control plane: see `plane`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import build, http
from harness.controlplane import ControlPlane
from harness.kube import Kube, KubeError
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Operators, Place
from harness.operator_process import PORT, OperatorProcess
from harness.paths import CRDS
from harness.process import Launcher
from harness.waiting import wait_until

KINDS = ("LensesConnector", "LensesConnectorOffsets")
GIVE_UP = 60.0
"""Seconds. What the watch does not bring, the next full list does, after RELIST: this must be well below that."""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One whose definitions may go: other tests need theirs."""
    build.require("controlplane")
    with ControlPlane.start(tmp_path_factory.mktemp("definitions")) as started:
        yield started


@pytest.fixture(scope="module")
def api(plane: ControlPlane) -> Iterator[Kube]:
    with Kube(plane.url, plane.token, plane.ca) as client:
        yield client


@pytest.fixture
def starts(plane: ControlPlane, lenses: RunningLenses, tmp_path: Path) -> Iterator[Operators]:
    with Launcher() as launcher:
        made = Operators(tmp_path / "operators", plane, lenses, launcher)
        yield made
    assert "Traceback" not in made.log()


@pytest.fixture
def somewhere(api: Kube, lenses: RunningLenses) -> Iterator[Place]:
    """Its objects are let go at the end: no definition can go before them."""
    environment = f"env-{secrets.token_hex(4)}"
    lenses.control.add_environment(environment, {"connect": {"backend": "memory"}})
    made = Place(api, lenses.control, api.create_namespace(), environment, {})
    yield made
    with suppress(KubeError):  # the kind may be missing
        made.leave()


def plural(kind: str) -> str:
    return f"{kind.lower()}{'' if kind.endswith('s') else 's'}"


def delete(api: Kube, *kinds: str) -> None:
    """With their objects, which the operator has to release."""
    for kind in kinds:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural(kind)}.connect.lenses.io"
        api.raw("DELETE", path)
        wait_until(f"end of {kind}", lambda path=path: api.raw("GET", path).status_code == 404, GIVE_UP)  # type: ignore[misc]


def readiness(operator: OperatorProcess) -> tuple[int, str]:
    if not PORT.search(operator.text()):
        return 0, ""
    got = http.get(f"{operator.url}/readyz", timeout=30)
    return got.status_code, got.text


def wait_missing(operator: OperatorProcess, *kinds: str) -> None:
    """/readyz says these and no others, and the log has a line for each."""

    def check() -> bool:
        status, text = readiness(operator)
        said = [kind for kind in KINDS if f"kind {kind} " in text]
        return status == 503 and said == sorted(kinds)

    wait_until(f"{kinds} to be missed", check, GIVE_UP)
    for kind in kinds:
        assert f"does not serve the kind {kind} of connect.lenses.io/v1alpha1; apply" in operator.text()


def test_definitions_that_come_late(api: Kube, starts: Operators, somewhere: Place) -> None:
    delete(api, *KINDS)
    operator = starts.start(somewhere.namespace, ready=False)
    wait_missing(operator, *KINDS)
    api.install_crds(CRDS)
    operator.wait_ready()
    check_watched(somewhere)
    assert operator.terminate() == 0


def test_one_definition_that_comes_later(api: Kube, starts: Operators, somewhere: Place) -> None:
    delete(api, *KINDS)
    operator = starts.start(somewhere.namespace, ready=False)
    wait_missing(operator, *KINDS)
    file = next(file for file in CRDS.glob("*.yaml") if "offsets" in file.name)
    api.apply(yaml.safe_load(file.read_text()))
    wait_missing(operator, "LensesConnector")
    api.install_crds(CRDS)
    operator.wait_ready()
    check_watched(somewhere)


@pytest.mark.parametrize("gone", [KINDS, KINDS[:1], KINDS[1:]], ids=["both", "connectors", "offsets"])
def test_definitions_that_go_and_come_back(
    api: Kube, starts: Operators, somewhere: Place, gone: tuple[str, ...]
) -> None:
    """The others' watch goes on meanwhile."""
    api.install_crds(CRDS)
    operator = starts.start(somewhere.namespace)
    somewhere.runs("before")
    delete(api, *gone)
    wait_missing(operator, *gone)
    if KINDS[0] not in gone:
        somewhere.apply("before", config={"file": "/dev/zero", "topic": "lines"})
        somewhere.wait_connector("before", lambda found: found["config"]["file"] == "/dev/zero", GIVE_UP)
    api.install_crds(CRDS)
    operator.wait_ready()
    check_watched(somewhere)
    assert operator.terminate() == 0


def test_a_definition_made_again_at_once(api: Kube, starts: Operators, somewhere: Place) -> None:
    """Too quick for anybody to see it missing: the watch of the one before is of no use any more."""
    api.install_crds(CRDS)
    operator = starts.start(somewhere.namespace)
    for _ in range(3):
        delete(api, *KINDS)
        api.install_crds(CRDS)
        check_watched(somewhere)
    assert operator.terminate() == 0


@pytest.mark.parametrize("known", [True, False], ids=["gone", "never"])
def test_sigterm_while_kinds_are_missing(api: Kube, starts: Operators, somewhere: Place, known: bool) -> None:
    if known:
        api.install_crds(CRDS)
        operator = starts.start(somewhere.namespace)
        delete(api, *KINDS)
    else:
        delete(api, *KINDS)
        operator = starts.start(somewhere.namespace, ready=False)
    wait_missing(operator, *KINDS)
    assert operator.terminate() == 0


def check_watched(place: Place) -> None:
    """New ones of both kinds are acted on, long before the next full list."""
    name = f"new-{secrets.token_hex(3)}"
    place.apply(name, state="stopped")
    place.wait(name, lambda found: "Stopped" in ready(found), GIVE_UP)
    wanted: dict[str, Any] = {"metadata": {"name": name, "namespace": place.namespace}}
    wanted["spec"] = {"connectorRef": {"name": name}, "action": "Reset"}
    place.kube.apply({"apiVersion": "connect.lenses.io/v1alpha1", "kind": KINDS[1], **wanted})
    place.kube.wait_for(KINDS[1], place.namespace, name, ready, GIVE_UP)


def ready(found: dict[str, Any]) -> str:
    return next(
        (one["reason"] for one in (found.get("status") or {}).get("conditions", []) if one["type"] == "Ready"), ""
    )
