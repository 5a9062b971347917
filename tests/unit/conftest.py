"""The operator at work, and the clock by which a module's asynchronous tests run."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from unit.controllers.fakes import FakeKube, FakeLenses, Operator, operator
from unit.controllers.virtualtime import VirtualTimeLoop


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Virtual time, where the module says so."""
    if item.get_closest_marker("virtual_time"):
        return {"virtual": VirtualTimeLoop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture
def lenses() -> FakeLenses:
    return FakeLenses()


@pytest.fixture
def kube(lenses: FakeLenses) -> FakeKube:
    return FakeKube(lenses.calls)


@pytest.fixture
async def op(lenses: FakeLenses, kube: FakeKube) -> AsyncIterator[Operator]:
    async with operator(lenses, kube) as rig:
        yield rig
