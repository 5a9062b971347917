"""What was there before, what was asked for and what was read back, compared beside the event loop: it may be much."""

from __future__ import annotations

from typing import Any

from lenses_operator.aside import aside
from lenses_operator.controllers.offsets.run import Run
from lenses_operator.domain import offsets_status as say
from lenses_operator.domain import offsets_text
from lenses_operator.domain.offsets_before import Before, room_beside


def kept(run: Run) -> Before:
    return Before(run.operation.status.before, run.operation.status.before_compressed)


async def before_text(run: Run) -> str | None:
    before = kept(run)
    return await aside(before.weight, lambda: before.text)


async def differences(run: Run, read: str) -> list[str]:
    return await aside(len(run.text or "") + len(read), offsets_text.differences, run.text, read)


async def new_partitions(run: Run) -> list[str]:
    before = kept(run)
    return await aside(
        len(run.text or "") + before.weight, lambda: offsets_text.added_partitions(run.text, before.text)
    )


async def seen(run: Run, read: str, kept: Before) -> dict[str, Any]:
    """What is shown of them beside what is kept."""
    return await aside(len(read), say.seen, read, room=room_beside(run.operation.spec) - kept.size)
