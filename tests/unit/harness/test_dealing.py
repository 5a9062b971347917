"""Tests that share what takes long to start share a worker, and what takes long begins early."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.dealing import group_of, rank_of

SERVER = "tests/integration/lenses_server/test_operations.py::test_create"


@pytest.mark.parametrize(
    ("nodeid", "fixtures", "parameters", "group"),
    [
        ("tests/e2e/test_connector.py::test_a", ["stage", "connect"], {}, "kafka"),
        (f"{SERVER}[connect]", ["cluster"], {"cluster": "connect"}, "kafka"),
        (f"{SERVER}[memory]", ["cluster"], {"cluster": "memory"}, ""),
        ("tests/integration/chart/test_life.py::test_a", ["release", "plane"], {}, "chart"),
        ("tests/integration/operator/test_kill.py::test_a", ["own_place"], {}, ""),
        ("tests/unit/domain/test_drift.py::test_a[x]", [], {"x": {}}, "tests/unit/domain/test_drift.py"),
    ],
)
def test_groups(nodeid: str, fixtures: list[str], parameters: dict[str, object], group: str) -> None:
    assert group_of(nodeid, fixtures, SimpleNamespace(params=parameters)) == group


def test_what_waits_begins_before_what_computes() -> None:
    order = [
        ("tests/e2e/test_connector.py::test_a", "kafka"),
        ("tests/chaos/real/test_storm.py::test_a", ""),
        ("tests/integration/operator/test_kill.py::test_a", ""),
        ("tests/integration/commands/test_plan.py::test_a", ""),
        ("tests/unit/model/test_model.py::test_a", "tests/unit/model/test_model.py"),
        ("tests/unit/domain/test_drift.py::test_a", "tests/unit/domain/test_drift.py"),
    ]
    ranks = [rank_of(*one) for one in order]
    assert ranks == sorted(set(ranks))
