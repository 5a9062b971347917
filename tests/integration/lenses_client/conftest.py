"""The client against the Lenses server of the harness; no delays, so nothing has to be waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from harness.lenses.environment import LensesEnv
from lenses_operator.lenses import LensesClient, LensesTransport, StaticToken


@pytest.fixture
def env(lenses_env: LensesEnv) -> LensesEnv:
    lenses_env.control.set_delays(
        lenses_env.name, lenses_env.cluster, state_delay=0, task_delay=0, create_delay=0, delete_delay=0
    )
    return lenses_env


@pytest.fixture
async def transport(env: LensesEnv) -> AsyncIterator[LensesTransport]:
    made = LensesTransport(env.url, sleep=lambda _: asyncio.sleep(0))
    yield made
    await made.aclose()


@pytest.fixture
def client(env: LensesEnv, transport: LensesTransport) -> LensesClient:
    return LensesClient(transport, StaticToken(env.token))
