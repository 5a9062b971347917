"""Tests that share what takes long to start share a worker, and what takes long begins early."""

from __future__ import annotations

import pytest

from harness.dealing import rank_of, scope_of
from harness.paths import ROOT

SERVER = "tests/integration/lenses_server/test_operations.py::test_create"
KILL = "tests/integration/operator/test_kill.py::test_kill_at_every_boundary"


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("tests/e2e/test_connector.py::test_records_flow", "kafka"),
        ("tests/e2e/test_demo.py::test_it", "tests/e2e/test_demo.py::test_it"),
        (f"{SERVER}[connect]", "kafka"),
        (f"{SERVER}[a-connect]", "kafka"),
        (f"{SERVER}[connect-a]", "kafka"),
        (f"{SERVER}[memory]", f"{SERVER}[memory]"),
        ("tests/integration/docs/test_pages.py::test_page_with_kafka", "kafka"),
        ("tests/integration/docs/test_pages.py::test_page[a.md]", "docs"),
        ("tests/integration/chart/test_life.py::test_whole_life[a]", "chart"),
        ("tests/integration/image/test_image.py::test_it_holds_its_sbom", "image"),
        ("tests/integration/chart/test_render.py::test_a", "tests/integration/chart/test_render.py::test_a"),
        (f"{KILL}[observed]", f"{KILL}[observed]"),
        ("tests/unit/domain/test_drift.py::test_a[x::y]", "tests/unit/domain/test_drift.py"),
    ],
)
def test_scopes(nodeid: str, scope: str) -> None:
    assert scope_of(nodeid) == scope


def test_what_waits_begins_before_what_computes() -> None:
    order = [
        "kafka",
        "tests/chaos/real/test_storm.py::test_storm",
        KILL,
        "tests/integration/commands/test_plan.py::test_a",
        "tests/unit/model/test_model.py",
        "tests/unit/domain/test_drift.py",
    ]
    ranks = [rank_of(scope) for scope in order]
    assert ranks == sorted(set(ranks))


SOURCE = """
import pytest
@pytest.mark.parametrize("n", range(10))
def test_a(n, worker_id):
    print("ran in", worker_id)
"""


def test_a_group_stays_in_one_worker(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held against xdist itself, whose own way to do it fails without a word."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\naddopts = --import-mode=importlib -rP")
    pytester.makeconftest('pytest_plugins = ["harness.dealing"]')
    for file in ("tests/e2e/test_records.py", "tests/integration/harness/test_kafka.py", "tests/e2e/test_demo.py"):
        path = pytester.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCE)
    done = pytester.runpytest_subprocess("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
    done.assert_outcomes(passed=30)
    workers = [line for line in done.outlines if line.startswith("ran in")]
    assert max(workers.count("ran in gw0"), workers.count("ran in gw1")) >= 20
