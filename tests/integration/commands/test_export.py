"""Exporting and applying is harmless: everything is adopted and nothing is written to Lenses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from harness.kubectl import Kubectl
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import SOURCE, Operators, Place, in_parallel, reason
from harness.paths import ROOT
from lenses_operator.cli import main
from unit.conversion.traps import TRAPS

GIVEN = [json.loads(file.read_text()) for file in sorted((ROOT / "tests/data/cases/given").glob("c*.expected.json"))]
FILE = {"connector.class": SOURCE, "topic": "lines"}
UNCHANGED = f"Plan: 0 to create, 0 to change, 0 to adopt, 0 refused, {len(GIVEN) + 11} unchanged"
STATES = {"Running", "Paused", "Stopped", "TaskFailed"}


@dataclass(frozen=True)
class Tool:
    """`lenses-operator` with access to this environment."""

    lenses: RunningLenses
    place: Place
    directory: Path

    @property
    def out(self) -> Path:
        return self.directory / "out"

    def __call__(self, *arguments: str, environment: str | None = None, command: str = "export") -> Result:
        token = self.directory / "token"
        token.write_text(self.lenses.token)
        access = ["--lenses-url", self.lenses.url, "--token-file", str(token)]
        where = ["--environment", environment or self.place.environment]
        return CliRunner().invoke(main, [command, *access, *where, *arguments])

    def files(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.out)): path.read_bytes() for path in self.out.rglob("*") if path.is_file()}


@pytest.fixture
def tool(lenses: RunningLenses, own_place: Place, tmp_path: Path) -> Tool:
    return Tool(lenses, own_place, tmp_path)


def put(place: Place, name: str, config: dict[str, str], cluster: str = "connect", **changes: Any) -> None:
    place.control.set_connector(place.environment, cluster, name, config=config, **changes)


@pytest.fixture
def full(tool: Tool) -> Tool:
    """The given cases, and every kind of connector that is hard to say."""
    place = tool.place
    classes: dict[str, set[str]] = {}
    for case in GIVEN:
        classes.setdefault(case["cluster"], {SOURCE}).add(case["configuration"]["connector.class"])
    for cluster, found in classes.items():
        place.control.add_cluster(place.environment, cluster, {"backend": "memory", "plugins": sorted(found)})
    for case in GIVEN:
        put(place, case["name"], case["configuration"], case["cluster"])
    put(place, "traps", FILE | {f"trap.{number}": value for number, value in enumerate(TRAPS)})
    put(place, "paused", FILE, state="PAUSED")
    put(place, "stopped", FILE, state="STOPPED")
    put(place, "broken", FILE, tasks=[{"id": 0, "state": "FAILED", "trace": "java.lang.Exception: no"}])
    put(place, "secret", FILE | {"db.password": "planted-1", "url": "jdbc:x://u:planted-2@host/db"})
    put(place, "masked", FILE | {"db.password": "planted-3", "hidden.key": "planted-4"})
    put(place, "long", FILE | {"schema": "x" * 40000})
    for name, cluster in (("twin", "connect"), ("Twin", "connect"), ("TWIN", "connect"), ("twin", "connect-eu")):
        put(place, name, FILE, cluster)
    masked = {"operation": "GetConnector", "connector": "masked"}
    place.fault(**masked, mask=["db.password"])
    place.fault(**masked, rewrite={"hidden.key": None}, errors=[{"field": "config.hidden.key", "reason": "no"}])
    return tool


def test_applied_everything_is_adopted_and_nothing_is_written(
    full: Tool, kubectl: Kubectl, operators: Operators
) -> None:
    place = full.place
    done = full("--out", str(full.out), "--namespace", place.namespace)
    assert done.exit_code == 0, done.stderr
    assert "masked on connect: Lenses hides db.password, hidden.key" in done.stderr
    before = full.files()
    planned = full("-f", str(full.out), command="plan")
    assert (planned.exit_code, planned.stdout.splitlines()[-1]) == (0, UNCHANGED), planned.output
    everywhere = place.control.connectors(place.environment)
    kubectl("apply", "-f", str(full.out / "secrets"), "-f", str(full.out))
    operators.start(place.namespace)
    names = [found["metadata"]["name"] for found in place.kube.list("lc", place.namespace)]
    assert len(names) == len(everywhere) == len(GIVEN) + 11
    in_parallel(lambda name: place.wait(name, lambda found: reason(found) in STATES, 60), names)
    reasons = {name: reason(place.wait(name)) for name in names}
    assert {name for name, why in reasons.items() if why != "Running"} == {"paused", "stopped", "broken"}
    for name in names:
        assert place.wait(name)["status"]["ownership"]["state"] == "Owned"
    place.wait_polls(3)
    assert place.writes() == []
    assert place.control.connectors(place.environment) == everywhere
    again = full("--out", str(full.out), "--namespace", place.namespace)
    assert again.exit_code == 0
    assert full.files() == before
    planned = full("-f", str(full.out), "-n", place.namespace, command="plan")
    assert (planned.exit_code, planned.stdout.splitlines()[-1]) == (0, UNCHANGED), planned.output


def test_secrets_are_written_to_their_directory_only(full: Tool) -> None:
    done = full()
    assert done.exit_code == 0
    assert "planted" not in done.output
    assert "Secrets are not printed" in done.stderr
    assert len(list(yaml.safe_load_all(done.stdout))) == len(GIVEN) + 12  # and the ConfigMap
    written = full("--out", str(full.out))
    assert "planted" not in written.output
    holding = {name for name, raw in full.files().items() if b"planted" in raw}
    assert "secrets/secret-connector-secrets.yaml" in holding
    assert all(name.startswith("secrets/") for name in holding)


def test_filters_rename_nothing(tool: Tool) -> None:
    place = tool.place
    place.control.add_cluster(place.environment, "other", {"backend": "memory"})
    for name, cluster in (("orders", "connect"), ("orders", "other"), ("lines", "other")):
        put(place, name, FILE, cluster)
    done = tool("--cluster", "other", "--name", "ord*")
    (found,) = yaml.safe_load_all(done.stdout)
    assert (found["metadata"]["name"], found["spec"]["name"], found["spec"]["cluster"]) == (
        "orders-other",
        "orders",
        "other",
    )
    assert "namespace" not in found["metadata"]
    nothing = tool("--name", "x*")
    assert nothing.exit_code == 1
    assert "no connector found" in nothing.stderr


def test_what_cannot_be_exported_is_told_and_the_rest_is_written(tool: Tool) -> None:
    place = tool.place
    for name in ("good", "closed", "failing", "gone"):
        put(place, name, FILE)
    put(place, "leading", FILE | {"tasks.max": "01"})
    put(place, "bad\x1b[2J\nname", FILE)
    place.fault(operation="GetConnector", connector="closed", omit_config=True)
    place.fault(operation="GetConnector", connector="failing", status=403)
    place.fault(operation="GetConnector", connector="gone", status=404, shape="agent", message="planted")
    done = tool("--out", str(tool.out))
    assert done.exit_code == 1
    assert list(tool.files()) == ["good.yaml"]
    lines = done.stderr.splitlines()
    assert all(line.startswith("lenses-operator: ") for line in lines)
    assert "\x1b" not in done.stderr
    for words in (
        "bad\ufffd[2J\ufffdname on connect: not exported: the name",
        "closed on connect: not exported: Lenses does not show its configuration",
        "failing on connect: not exported: get connector: Lenses answered 403",
        "leading on connect: not exported: tasks.max is not a plain positive integer",
        "gone on connect: deleted while it was to be read",
        f"connectors written to {tool.out}: 1",
    ):
        assert any(words in line for line in lines), words


def test_a_manifest_whose_connector_is_gone_is_told(tool: Tool) -> None:
    for name in ("here", "gone"):
        put(tool.place, name, FILE)
    assert "earlier export" not in tool("--out", str(tool.out)).stderr
    (tool.out / "kustomization.yaml").write_text("kind: Kustomization\n")
    tool.place.control.remove_connector(tool.place.environment, "connect", "gone")
    done = tool("--out", str(tool.out))
    assert done.exit_code == 0
    (told,) = [line for line in done.stderr.splitlines() if "earlier export" in line]
    assert str(tool.out / "gone.yaml") in told
    assert "earlier export" not in tool("--out", str(tool.out), "--name", "here").stderr


def wrong_environment(tool: Tool) -> Result:
    return tool(environment="no-such")


def not_a_directory(tool: Tool) -> Result:
    put(tool.place, "orders", FILE)
    blocked = tool.directory / "file"
    blocked.write_text("")
    return tool("--out", str(blocked / "below"))


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (wrong_environment, "environment no-such: list connectors: Lenses answered 404"),
        (not_a_directory, "Not a directory"),
    ],
)
def test_what_stops_it_is_one_line(tool: Tool, trouble: Callable[[Tool], Result], words: str) -> None:
    done = trouble(tool)
    assert done.exit_code == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("lenses-operator: ")
    assert words in line


def test_labels(tool: Tool) -> None:
    put(tool.place, "orders", FILE)
    done = tool("--label", "team=payments", "-l", "tests/x=1")
    assert yaml.safe_load(done.stdout)["metadata"]["labels"] == {"team": "payments", "tests/x": "1"}
    assert tool("-l", "team").exit_code == 2


def test_a_class_that_connect_cannot_judge_is_told(tool: Tool) -> None:
    put(tool.place, "orders", FILE | {"magic": "x"})
    tool.place.fault(operation="ValidateConnector", status=400, message="planted")
    done = tool()
    assert done.exit_code == 0
    assert f"{SOURCE} on connect was not asked for its passwords" in done.stderr
    assert "planted" not in done.output
    tool.place.control.reset(tool.place.environment)
    assert tool("--no-ask-types").exit_code == 0
    assert tool.place.requests("ValidateConnector") == []


@pytest.mark.parametrize("mask", ["••••••••", "xxxxxxxx", "<redacted>", "(hidden)", "########", "REDACTED", "ab****yz"])
def test_a_mask_of_any_notation_is_no_value(tool: Tool, mask: str) -> None:
    """And what was written is taken over without a write, as far as the operator's decisions go."""
    put(tool.place, "orders", FILE | {"db.password": "planted"})
    tool.place.fault(operation="GetConnector", rewrite={"db.password": mask})
    done = tool("--out", str(tool.out))
    assert done.exit_code == 0, done.stderr
    assert "Lenses hides db.password: fill in" in done.stderr
    values = yaml.safe_load(tool.files()["secrets/orders-connector-secrets.yaml"])["stringData"]
    assert values == {"db.password": "REPLACE_ME"}
    assert not any(mask.encode() in raw for raw in tool.files().values())
    planned = tool("-f", str(tool.out), "--assume-new", command="plan")
    assert "1 to adopt, 0 refused" in planned.stdout, planned.output


def test_a_second_environment_into_the_same_directory(tool: Tool) -> None:
    """Nothing of the first is overwritten, and a third export changes nothing."""
    place = tool.place
    other = f"{place.environment}-b"
    place.control.add_environment(other, {"connect": {"backend": "memory", "plugins": [SOURCE]}})
    place.control.set_connector(other, "connect", "orders", config=FILE | {"db.password": "planted-b"})
    put(place, "orders", FILE | {"db.password": "planted-a"})
    first = tool("--out", str(tool.out))
    before = tool.files()
    second = tool("--out", str(tool.out), environment=other)
    assert (first.exit_code, second.exit_code) == (0, 0), second.stderr
    assert "orders is that of another connector" in second.stderr
    after = tool.files()
    assert before.items() <= after.items()
    assert len(after) == len(before) + 2
    (name,) = [path for path in after.keys() - before.keys() if not path.startswith("secrets/")]
    assert yaml.safe_load(after[name])["metadata"]["name"] == name.removesuffix(".yaml") == f"orders-{other}"
    for environment in (place.environment, other):
        assert "earlier export" not in tool("--out", str(tool.out), environment=environment).stderr
    assert tool.files() == after
