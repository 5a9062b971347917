"""What tests around pollers have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar, cast

from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses_state.pollers import Pollers
from lenses_operator.lenses_state.reader import Reader
from lenses_operator.lenses_state.sessions import Session
from unit.controllers.fakes import FakeLenses
from unit.controllers.virtualtime import now


class Polling(Protocol):
    environments: Pollers


Rig = TypeVar("Rig", bound=Polling)


@asynccontextmanager
async def running(rig: Rig) -> AsyncIterator[Rig]:
    """Its pollers end with the test."""
    try:
        yield rig
    finally:
        await rig.environments.close()


def session(name: str, lenses: FakeLenses) -> Session:
    client = cast("LensesClient", lenses)
    return Session(name, client, Reader(client, now))
