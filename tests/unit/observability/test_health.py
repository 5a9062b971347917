"""What the kubelet and Prometheus ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from lenses_operator.observability.health import HealthServer
from lenses_operator.observability.metrics import Metrics


class Rig:
    def __init__(self) -> None:
        self.missing = ["the resources have not been listed yet", "an environment is not listed"]
        self.metrics = Metrics()
        self.server = HealthServer("127.0.0.1", 0, ready=lambda: self.missing, metrics=self.metrics.exposition)

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.server.port}{path}") as got:
            return got.status, await got.text()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    await rig.server.start()
    yield rig
    await rig.server.stop()


async def test_healthy_is_to_answer(rig: Rig) -> None:
    assert await rig.get("/healthz") == (200, "ok\n")


async def test_ready_says_what_is_missing_a_line_each_until_nothing_is(rig: Rig) -> None:
    status, text = await rig.get("/readyz")
    assert status == 503
    assert text.splitlines() == [f"not ready: {what}" for what in rig.missing]
    rig.missing.clear()
    assert await rig.get("/readyz") == (200, "ok\n")


async def test_metrics(rig: Rig) -> None:
    rig.metrics.leader.set(1)
    status, text = await rig.get("/metrics")
    assert status == 200
    assert "lenses_operator_leader 1.0" in text


async def test_a_port_that_is_taken_is_told(rig: Rig) -> None:
    second = HealthServer("127.0.0.1", rig.server.port, ready=list, metrics=rig.metrics.exposition)
    with pytest.raises(OSError):
        await second.start()
    await second.stop()


async def test_stopping_what_never_started_is_nothing() -> None:
    await Rig().server.stop()
