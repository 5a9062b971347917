"""Which tests share a worker of pytest-xdist, and which come first: `--dist loadscope --no-loadscope-reorder`.

What takes long to start is started in one worker and not in each: Kafka with Kafka Connect, the control plane of the
chart's tests, the documentation's operator, and the image. What takes long and cannot be shared begins early, and what
needs nothing but a processor is left for the end, a file at a time.

xdist's own `loadgroup` would do, were its marks not lost with pytest 9.2, which does not ask for `_nodeid` any more.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

GROUPS = (
    ("kafka", re.compile(r"tests/e2e/(?!test_demo)")),
    ("kafka", re.compile(r"tests/integration/harness/test_kafka\.py")),
    ("kafka", re.compile(r"tests/integration/lenses_server/test_operations\.py.*\[(.*-)?connect[-\]]")),
    ("kafka", re.compile(r"tests/integration/commands/test_plan\.py::test_on_real_connect")),
    ("kafka", re.compile(r"tests/integration/docs/.*with_kafka")),
    ("chart", re.compile(r"tests/integration/chart/(?!test_render)")),
    ("docs", re.compile(r"tests/integration/docs/test_pages\.py")),
    ("image", re.compile(r"tests/integration/image/")),
)
"""The first that fits counts."""
BY_FILE = ("tests/unit/", "tests/fuzz/")
"""Short tests: to deal them one by one would take longer than some of them."""
FIRST = (
    "kafka",
    "chart",
    "docs",
    "image",
    "tests/chaos/real/test_storm.py",
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


class Dealing(LoadScopeScheduling):
    """Deals a group, a file or a test at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Dealing | None:
    return Dealing(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank_of(scope_of(item.nodeid)))


def scope_of(nodeid: str) -> str:
    """What is dealt as one: a group, a file, or the test itself."""
    group = next((name for name, pattern in GROUPS if pattern.match(nodeid)), None)
    if group is not None:
        return group
    return nodeid.partition("::")[0] if nodeid.startswith(BY_FILE) else nodeid


def rank_of(scope: str) -> int:
    return next((rank for rank, first in enumerate(FIRST) if scope.startswith(first)), len(FIRST))
