"""Nothing that the test server can do is left out, and the same seed draws the same storm."""

from __future__ import annotations

import inspect

import pytest

from chaos.real.blows import CONTROL_COMMANDS, Blows
from chaos.real.cast import Role
from chaos.real.faults import LIES, TABLE
from chaos.real.people import BY_HAND
from chaos.real.plan import BLOWS, EDITS, EXCUSES_MUCH, SHORT, TWINS, draw
from chaos.real.stage import Stage
from harness.lenses import faults
from harness.lenses.control import ConnectorChanges, FaultKind, HostileSwitches, LensesControl

LOOKS = {
    "add_cluster",
    "add_environment",
    "clear_breakpoints",
    "clear_faults",
    "clear_violations",
    "close",
    "connectors",
    "counts",
    "end_delays",
    "environments",
    "fault_hits",
    "get_connector",
    "get_offsets",
    "persona",
    "ping",
    "release_breakpoint",
    "remove_fault",
    "requests",
    "reset",
    "seen",
    "violations",
    "wait_breakpoint",
    "wait_requests",
}
"""Commands that look, or begin or end something and disturb nobody."""
CHANGES = {
    "config": "create by hand",
    "config_changes": "config by hand",
    "state": "state by hand",
    "tasks": "tasks fail",
    "failing": "tasks go on failing",
    "fails": "connector fails, which lasts until somebody acts",
    "state_delay": "long delays",
    "task_delay": "long delays",
    "delete_delay": "long delays",
}
"""Which action stands for each change of a connector behind the operator's back."""


def test_every_fault_is_in_the_table() -> None:
    used = {key for row in TABLE for key in row.fault}
    assert set(FaultKind.__annotations__) - used == set()
    assert {"times", "skip"} <= used


def test_every_switch_of_the_hostile_persona_is_in_the_table() -> None:
    assert {key for lie in LIES for key in lie.switches} == set(HostileSwitches.__annotations__)


def test_every_shape_of_an_error_is_in_the_table() -> None:
    assert set(faults.SHAPES) == {row.fault["shape"] for row in TABLE if "shape" in row.fault}


def test_rows_and_lies_have_names_of_their_own() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert len({lie.name for lie in LIES}) == len(LIES)


def test_every_command_of_the_control_endpoint_is_used_or_harmless() -> None:
    commands = {name for name, _ in inspect.getmembers(LensesControl, inspect.isfunction) if not name.startswith("_")}
    assert commands == LOOKS | set(CONTROL_COMMANDS)
    assert set(ConnectorChanges.__annotations__) == set(CHANGES)
    for told in [*CHANGES.values(), *CONTROL_COMMANDS.values()]:
        known = [*EDITS, *BLOWS, *(row.name for row in TABLE)]
        assert any(name in told for name in known) or told in (
            "the table of faults",
            "the table of lies",
            CONTROL_COMMANDS["add_connectors"],
        )


def test_every_action_can_be_done() -> None:
    assert set(EDITS) > BY_HAND
    assert set(Blows.calls(Blows.__new__(Blows))) == set(BLOWS)


@pytest.mark.parametrize("seconds", [36.0, 300.0])
def test_a_storm_has_every_kind_of_everything(seconds: float) -> None:
    plan = draw(1, seconds, 120)
    struck = {action.what for action in plan.blows}
    spared = {EXCUSES_MUCH, *(what for pair in TWINS for what in pair)} if seconds < SHORT else set()
    assert struck | spared == set(BLOWS)
    assert (EXCUSES_MUCH in struck) == (seconds >= SHORT)
    assert all(struck & set(pair) for pair in TWINS)
    assert {action.args["row"] for action in plan.faults} == {row.name for row in TABLE}
    assert {name for action in plan.lies for name in action.args["names"]} == {lie.name for lie in LIES}
    assert {action.what for action in plan.edits} == set(EDITS)


def test_a_seed_draws_the_same_storm_again() -> None:
    first, again, other = draw(7, 60, 50), draw(7, 60, 50), draw(8, 60, 50)
    assert first == again
    assert first != other


def test_the_cast_has_every_part() -> None:
    roles = [Role(index) for index in range(120)]
    for part in ("is_rival", "is_stranger", "found", "has_password", "leaks"):
        assert any(getattr(role, part) for role in roles), part
    assert len({role.key for role in roles}) == sum(not role.is_rival for role in roles)
    assert Stage.__doc__
