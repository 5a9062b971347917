"""Which tests share a worker of pytest-xdist, and which come first: for `--dist loadgroup --no-loadscope-reorder`.

What takes long to start is started in one worker and not in each: the tests around Kafka Connect, those of the chart,
which have a control plane of their own, and those of the documentation's operator. What takes long and cannot be
shared begins early, and what needs nothing but a processor is left for the end, a file at a time.
"""

from __future__ import annotations

import pytest

KAFKA = ("connect", "broker", "kafka_admin")
GROUPS = {**dict.fromkeys(KAFKA, "kafka"), "plane": "chart", "docs_operator": "docs"}
"""By the fixture that takes long to start."""
FIRST = (
    "@kafka",
    "@chart",
    "tests/chaos/real/test_storm.py",
    "@docs",
    "tests/e2e/",
    "tests/integration/harness/test_environment.py",
    "tests/integration/ha/",
    "tests/integration/bench/",
    "tests/integration/operator/",
    "tests/integration/offsets/",
    "tests/integration/complete/",
    "tests/integration/",
    "tests/chaos/",
    "tests/unit/model/",
    "tests/fuzz/",
)
"""Groups and paths in the order in which they begin; the rest follows."""
BY_FILE = ("tests/unit/", "tests/fuzz/")
"""Short tests: to deal them one by one would take longer than some of them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("dist", "no") != "loadgroup":
        return
    ranks = {}
    for item in items:
        group = group_of(item.nodeid, getattr(item, "fixturenames", ()), getattr(item, "callspec", None))
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
        ranks[item] = rank_of(item.nodeid, group)
    items.sort(key=lambda item: ranks[item])


def group_of(nodeid: str, fixtures: tuple[str, ...] | list[str], callspec: object = None) -> str:
    """Empty where any worker may have it."""
    wanted = [*fixtures, getattr(callspec, "params", {}).get("cluster")]  # a parameter that names a fixture
    found = [GROUPS[one] for one in wanted if one in GROUPS]
    if found:
        return found[0]
    return nodeid.partition("::")[0] if nodeid.startswith(BY_FILE) else ""


def rank_of(nodeid: str, group: str) -> int:
    places = (f"@{group}", nodeid)
    return next((rank for rank, first in enumerate(FIRST) if any(one.startswith(first) for one in places)), len(FIRST))
