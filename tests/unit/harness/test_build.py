"""What is built is built again only when its inputs changed, and a failure tells why."""

import threading
from pathlib import Path
from typing import Any

import pytest

from harness import build, paths
from harness.process import ProcessFailedError

# Leaves a line per run behind, to count the runs.
SCRIPT = "echo run >> runs; cp input {scratch}/made"


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> build.Step:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    (tmp_path / "input").write_text("first")
    made = build.Step(
        "thing", "a thing", paths.BUILD / "bin" / "thing", (tmp_path / "input",), ("sh", "-c", SCRIPT), tmp_path, "made"
    )
    monkeypatch.setattr(build, "STEPS", {"thing": made})
    return made


def runs(step: build.Step) -> int:
    return len((step.cwd / "runs").read_text().splitlines())


def test_builds_once_per_change(step: build.Step) -> None:
    with pytest.raises(RuntimeError, match="not built or out of date: thing"):
        build.require()
    build.ensure()
    build.ensure()
    build.require()
    assert (step.output.read_text(), runs(step)) == ("first", 1)

    step.inputs[0].write_text("second")
    build.ensure()
    assert (step.output.read_text(), runs(step)) == ("second", 2)


def test_builds_again_what_was_removed(step: build.Step) -> None:
    build.ensure()
    step.output.unlink()
    build.ensure()
    assert runs(step) == 2


def test_two_at_once_build_it_once(step: build.Step) -> None:
    threads = [threading.Thread(target=build.ensure) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert runs(step) == 1


def test_a_failure_shows_the_end_of_the_output_and_keeps_what_was_there(step: build.Step) -> None:
    build.ensure()
    broken = ("sh", "-c", "echo the reason >&2; exit 4")
    changed = build.Step(step.name, step.title, step.output, step.inputs, broken, step.cwd, step.made)
    build.STEPS["thing"] = changed
    with pytest.raises(ProcessFailedError, match=r"(?s)ended with code 4.*the reason"):
        build.ensure()
    assert step.output.read_text() == "first"


def test_a_missing_tool_is_named(step: build.Step) -> None:
    build.STEPS["thing"] = build.Step("thing", "a thing", step.output, (), ("no-such-tool",), step.cwd, "made")
    with pytest.raises(RuntimeError, match="no-such-tool is needed"):
        build.ensure()


def test_says_that_it_still_runs(
    step: build.Step, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It runs until that was said."""
    said, so_far = tmp_path / "said", build._so_far

    def saying(*args: Any) -> str:
        said.touch()
        return so_far(*args)

    monkeypatch.setattr(build, "PROGRESS_INTERVAL", 0.05)
    monkeypatch.setattr(build, "_so_far", saying)
    slow = ("sh", "-c", f"while [ ! -e {said} ]; do sleep 0.05; done; {SCRIPT}")
    build.STEPS["thing"] = build.Step("thing", "a thing", step.output, (), slow, step.cwd, "made")
    build.ensure()
    assert "s so far" in capsys.readouterr().out
