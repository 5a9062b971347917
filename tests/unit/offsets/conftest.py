"""Both controllers at work."""

from collections.abc import AsyncIterator

import pytest

from unit.offsets.rig import OffsetsOperator, offsets_operator


@pytest.fixture
async def op() -> AsyncIterator[OffsetsOperator]:
    async with offsets_operator() as rig:
        yield rig
