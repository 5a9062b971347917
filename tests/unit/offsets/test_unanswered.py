"""Writes of an operation's status that are carried out and have no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lenses_operator.kube.errors import KubeError
from unit.offsets.rig import OffsetsOperator

pytestmark = pytest.mark.virtual_time


def unanswered(op: OffsetsOperator, of: Callable[[Any], bool]) -> None:
    """The next write of which this holds."""
    write = op.offsets.write_status

    async def cut(*arguments: Any) -> Any:
        made = await write(*arguments)
        if of(arguments[1]):
            op.offsets.write_status = write  # type: ignore[method-assign]
            raise KubeError("status", 0, "the connection was cut")
        return made

    op.offsets.write_status = cut  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("phase", ["Stopping", "Applying", "Applied"])
async def test_the_line_and_the_connector_go_on(op: OffsetsOperator, phase: str) -> None:
    await op.runs()
    unanswered(op, lambda status: status.phase == phase)
    op.offsets.apply("first", offsets=[{"partition": {"f": "x"}, "offset": {"position": 1}}])
    op.offsets.apply("second", offsets=[{"partition": {"f": "x"}, "offset": {"position": 2}}])
    for name in ("first", "second"):
        await op.until_reason("Applied", name)
    await op.until_state("RUNNING")
    await op.until(lambda: op.said() == ("True", "Running", "Owned"))
    assert len(op.lenses.asked("alter_offsets")) == 2
