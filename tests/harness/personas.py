"""Under which persona of the Lenses server a scenario runs; a conftest imports `persona` for its folder.

By itself each scenario has one of `SEEN`, chosen by its name, so that both are met in each run. The environment
variable PERSONA gives another choice for all: the name of a persona, or `swapped`, the one each would not have by
itself; a run as it is and one with `swapped` are all scenarios under both.
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
SWAPPED = "swapped"


def persona_of(name: str, choice: str = "") -> str:
    """For the scenario of this name; `choice` as in PERSONA."""
    own = crc32(name.encode()) % len(SEEN)
    if choice in ("", SWAPPED):
        return SEEN[own - (choice == SWAPPED)]
    if choice not in CHOICES:
        raise ValueError(f"PERSONA is {choice}: it is one of {', '.join((*CHOICES, SWAPPED))}")
    return choice


@pytest.fixture(autouse=True)
def persona(request: pytest.FixtureRequest, lenses: RunningLenses) -> Iterator[str]:
    """The whole server's while the test runs, and so that of every environment it makes."""
    pinned = request.node.get_closest_marker("persona")
    name = pinned.args[0] if pinned else persona_of(request.node.nodeid, os.environ.get("PERSONA", ""))
    lenses.control.set_persona(None, name)
    request.node.add_report_section("setup", "persona", name)
    yield name
    lenses.control.set_persona(None, "connect")
