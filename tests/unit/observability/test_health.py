"""What the kubelet and Prometheus ask for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from harness import http
from lenses_operator.observability import health
from lenses_operator.observability.health import BEAT, HUNG, HealthServer
from lenses_operator.observability.metrics import Metrics


class Rig:
    def __init__(self) -> None:
        self.missing = ["the resources have not been listed yet", "an environment is not listed"]
        self.problems: list[str] = []
        self.now = 1000.0
        self.metrics = Metrics()
        self.server = self.make(0)

    def make(self, port: int) -> HealthServer:
        return HealthServer(
            "127.0.0.1",
            port,
            ready=lambda: self.missing,
            problems=lambda: self.problems,
            metrics=self.metrics.exposition,
            clock=lambda: self.now,
        )

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.server.port}{path}") as got:
            return got.status, await got.text()

    def get_with_the_loop_blocked(self, path: str) -> tuple[int, str]:
        """Not a coroutine: while it waits for the answer nothing else runs on the operator's loop."""
        got = http.get(f"http://127.0.0.1:{self.server.port}{path}", timeout=20)
        return got.status_code, got.text


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    await rig.server.start()
    yield rig
    await rig.server.stop()


async def test_healthy_is_to_have_no_problems(rig: Rig) -> None:
    assert await rig.get("/healthz") == (200, "ok\n")
    rig.problems.append("no pass ends")
    async with asyncio.timeout(BEAT + 5):
        while (await rig.get("/healthz"))[0] == 200:
            await asyncio.sleep(0.1)
    assert await rig.get("/healthz") == (503, "not healthy: no pass ends\n")


async def test_a_loop_that_hangs_is_told(rig: Rig) -> None:
    assert rig.get_with_the_loop_blocked("/healthz") == (200, "ok\n")
    rig.now += HUNG
    assert rig.get_with_the_loop_blocked("/healthz") == (200, "ok\n")
    rig.now += 0.001
    assert rig.get_with_the_loop_blocked("/healthz") == (503, "not healthy: the event loop hangs\n")


async def test_a_process_that_was_paused_is_healthy_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe is the first to be answered after the pause, and the next beat is on its way."""
    monkeypatch.setattr(health, "SECOND_LOOK", BEAT + 1)
    rig.now += 10_000
    assert await rig.get("/healthz") == (200, "ok\n")


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
async def test_what_the_loop_must_answer_is_not_waited_for_for_ever(
    rig: Rig, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ANSWER", 0.1)
    rig.missing.clear()
    status, text = rig.get_with_the_loop_blocked(path)
    assert status == 503
    assert "the event loop does not answer" in text
    assert (await rig.get(path))[0] == 200


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
    names = ("lenses_operator_leader", "process_cpu_seconds_total")
    status, text = await rig.get("/metrics?" + "&".join(f"name[]={name}" for name in names))
    assert status == 200
    assert [line.split()[0] for line in text.splitlines() if not line.startswith("#")] == [*names]


async def test_a_port_that_is_taken_is_told(rig: Rig) -> None:
    second = rig.make(rig.server.port)
    with pytest.raises(OSError):
        await second.start()
    await second.stop()


async def test_stopping_what_never_started_is_nothing() -> None:
    await Rig().server.stop()


async def test_whoever_opens_many_connections_and_says_nothing_keeps_nobody_out(rig: Rig) -> None:
    opened = [await asyncio.open_connection("127.0.0.1", rig.server.port) for _ in range(3 * health.CONNECTIONS)]
    for _, writer in opened:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    assert await rig.get("/healthz") == (200, "ok\n")
    async with asyncio.timeout(60):  # the oldest are closed, not just passed over
        for reader, _ in opened[: 2 * health.CONNECTIONS]:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        assert rig.server._server is not None
        while len(rig.server._server.connections) > health.CONNECTIONS:
            await asyncio.sleep(0.05)
    for _, writer in opened:
        writer.close()


async def test_a_look_at_its_connections_that_is_due_after_its_end_finds_none(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    assert await rig.get("/healthz") == (200, "ok\n")
    await rig.server._beside(rig.server._close())
    await rig.server._beside(asyncio.sleep(2 * health.COUNTED))
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize("said", ["GET /" + "x" * 20_000, "GET / HTTP/1.1\r\nX: " + "x" * 20_000, "\x00\x01" * 100])
async def test_a_request_that_is_too_large_or_none_is_refused(rig: Rig, said: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.server.port)
    writer.write(f"{said}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.0 400") or b" 400 " in await reader.read()
    writer.close()
    assert (await rig.get("/healthz"))[0] == 200
