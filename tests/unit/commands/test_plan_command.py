"""The command around the plan: what it prints and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from rich.console import Console

from lenses_operator.commands import plan as command
from lenses_operator.commands import plan_text
from lenses_operator.commands.plan_text import print_plan
from lenses_operator.domain.reasons import Reason
from lenses_operator.manifests.documents import Place
from lenses_operator.planning import result as results
from lenses_operator.planning.cluster import ClusterError
from lenses_operator.planning.result import Action, Change, Item
from lenses_operator.resources.connector import ConnectorKey
from unit.commands.planned import manifest

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    token = tmp_path / "token"
    token.write_text("a-token")
    (tmp_path / "m.yaml").write_text(manifest())

    def invoke(*arguments: str, **kwargs: Any) -> Result:
        access = ["--lenses-url", "http://127.0.0.1:1", "--token-file", str(token)]
        return CliRunner().invoke(command.plan, ["-f", str(tmp_path / "m.yaml"), *access, *arguments], **kwargs)

    return invoke


def planned(monkeypatch: pytest.MonkeyPatch, result: results.Result | Exception) -> None:
    async def found(*_: object, **__: object) -> results.Result:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(command, "_planned", found)


def items(*actions: Action) -> results.Result:
    return results.Result([Item("LensesConnector", "payments", f"n{n}", action) for n, action in enumerate(actions)])


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ((), 0),
        ((Action.UNCHANGED, Action.SUSPENDED), 0),
        ((Action.UNCHANGED, Action.CREATE), 2),
        ((Action.STATE,), 2),
        ((Action.OFFSETS,), 2),
        ((Action.DELETE,), 2),
        ((Action.CREATE, Action.REFUSED), 1),
    ],
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, run: Run, actions: tuple[Action, ...], code: int) -> None:
    planned(monkeypatch, items(*actions))
    assert run().exit_code == code


def test_an_error_in_the_files_ends_it_with_1(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    planned(monkeypatch, results.Result(errors=[(Place("a.yaml", 3), "not YAML")]))
    done = run()
    assert (done.exit_code, "error: a.yaml:3: not YAML" in done.stdout) == (1, True)


def test_what_keeps_it_from_planning_is_one_line(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    planned(monkeypatch, ClusterError("no answer"))
    done = run()
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "lenses-operator: no answer\n")


def test_lenses_that_is_not_there_is_told_for_each_resource(run: Run) -> None:
    done = run()
    assert done.exit_code == 1
    assert "LensesUnavailable" in done.stdout


@pytest.mark.parametrize("wrong", [["--nothing"], ["-o", "xml"], ["-f", "/no/such/file"], ["--token-file", "/no/such"]])
def test_wrong_usage_ends_it_with_1_as_2_means_changes(run: Run, wrong: list[str]) -> None:
    done = run(*wrong)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr


def test_a_bad_policy_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("rules: 1")
    done = run("--policy", str(tmp_path / "policy"))
    assert done.exit_code == 1
    assert "line 1: `rules` must be a list" in done.stderr


@pytest.mark.parametrize(("output", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_as_data(monkeypatch: pytest.MonkeyPatch, run: Run, output: str, load: Callable[[str], Any]) -> None:
    found = items(Action.CHANGE, Action.UNCHANGED)
    found.items[1].refuse(Reason.CONFIG_INVALID, (Place("m.yaml", 2), "no"))
    found.items[1].connector = ConnectorKey("prod", "c", "orders")
    found.items[0].changes.append(Change("topic", "a", None))
    planned(monkeypatch, found)
    data = load(run("-o", output).stdout)
    assert data["summary"]["change"] == 1
    assert data["items"][1]["reason"] == "ConfigInvalid"
    assert data["items"][1]["problems"] == [{"file": "m.yaml", "line": 2, "message": "no"}]
    assert data["items"][1]["connector"] == {"environment": "prod", "cluster": "c", "name": "orders"}
    assert data["items"][0]["changes"] == [{"key": "topic", "old": "a", "new": None, "line": None}]


def refused_and_changed() -> results.Result:
    item = Item(
        "LensesConnector", "payments", "orders", Action.CHANGE, Place("m.yaml", 1), ConnectorKey("prod", "c", "orders")
    )
    item.changes += [Change("a", None, "1", 9), Change("b", "1", None), Change("c", "x\ny", "z" * 200)]
    item.update, item.states = "Recreate", []
    refused = Item("LensesConnector", "payments", "bad").refuse("ConfigInvalid", (Place("m.yaml", 20), "no"))
    return results.Result([refused, item])


def test_at_a_terminal_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of it is lost, nor cut within a word that fits."""
    found, shown = refused_and_changed(), StringIO()
    found.errors.append((Place("b.yaml", 3), "not YAML:\nwhile it was read " + "something else was found " * 5))
    terminal = Console(file=shown, force_terminal=True, width=80, color_system=None, soft_wrap=True)
    monkeypatch.setattr(plan_text, "console", lambda: terminal)
    print_plan(found)
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "    restarted: the connector is deleted and created again; its offsets stay" in lines
    assert "error: b.yaml:3: not YAML:" in lines
    assert "~ change  payments/orders  orders on cluster c of environment prod  (m.yaml:1)" in lines
    assert " ".join(shown.getvalue().split()).count("something else was found") == 5
    assert "z" * 60 in shown.getvalue()


def test_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan(refused_and_changed())
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "~ change  payments/orders  orders on cluster c of environment prod  (m.yaml:1)",
        "    + a: 1  (line 9)",
        "    - b: 1",
        f"    ~ c: x\\ny -> {'z' * 99}…",
    ]
    assert "deleted and created again" in lines[4]
    assert lines[5:7] == ["! refused  payments/bad", "    m.yaml:20: ConfigInvalid: no"]
    assert lines[-1] == "Plan: 0 to create, 1 to change, 0 to adopt, 1 refused, 0 unchanged"
