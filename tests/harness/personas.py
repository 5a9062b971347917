"""Under which persona of the Lenses server a scenario runs; a conftest imports `persona` for its folder.

By itself each scenario has one of `SEEN`, chosen by its name, so that both are met in each run. The environment
variable PERSONA gives another choice for all: the name of a persona, or `both`, each scenario twice, as CI runs them.
A scenario whose faults take the shape of one persona says so: `@pytest.mark.persona("connect", "why")`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from zlib import crc32

import pytest

from harness.lenses.running import RunningLenses

SEEN = ("documented", "observed")
CHOICES = ("connect", *SEEN)
BOTH = "both"


def persona_of(name: str, choice: str = "") -> str:
    """For the scenario of this name; `choice` as in PERSONA."""
    if not choice:
        return SEEN[crc32(name.encode()) % len(SEEN)]
    if choice not in CHOICES:
        raise ValueError(f"PERSONA is {choice}: it is one of {', '.join((*CHOICES, BOTH))}")
    return choice


def _chosen() -> str:
    return os.environ.get("PERSONA", "")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """With PERSONA=both: what names no persona of its own runs under each."""
    if _chosen() == BOTH and metafunc.definition.get_closest_marker("persona") is None:
        metafunc.parametrize("persona", SEEN, indirect=True)


@pytest.fixture(autouse=True)
def persona(request: pytest.FixtureRequest, lenses: RunningLenses) -> Iterator[str]:
    """The whole server's while the test runs, and so that of every environment it makes."""
    pinned = request.node.get_closest_marker("persona")
    name = pinned.args[0] if pinned else getattr(request, "param", None) or persona_of(request.node.nodeid, _chosen())
    lenses.control.set_persona(None, name)
    request.node.add_report_section("setup", "persona", name)
    yield name
    lenses.control.set_persona(None, "connect")
