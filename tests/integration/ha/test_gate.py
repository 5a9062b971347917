"""Who may not act any more sends nothing: looked at as late as can be, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from kubernetes.aio.client.api_client import ApiClient

from harness.wanted import always
from integration.lenses_client.clients import KUBECONFIG
from integration.lenses_client.wire import EMPTY_LIST, listener, read_request
from lenses_operator.kube.api import KubeApi
from lenses_operator.kube.connection import connect
from lenses_operator.lenses import ConnectorRequest, LensesClient, LensesTransport, StaticToken

REQUEST = ConnectorRequest(name="orders", cluster="prod", configuration={"password": "hunter2"})


class Closed(BaseException):
    """Stands for the end of the process."""


class Gate:
    """Closes at the nth look."""

    def __init__(self, closes_at: int) -> None:
        self.closes_at = closes_at
        self.looks = 0

    def __call__(self) -> None:
        self.looks += 1
        if self.looks >= self.closes_at:
            raise Closed


class Wire:
    """Answers lists; keeps what came."""

    def __init__(self) -> None:
        self.received = b""
        self.connections = 0
        self.ended = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while data := await reader.read(65536):
            self.received += data
            if self.received.endswith(b"\r\n\r\n") and b"GET" in self.received:
                writer.write(EMPTY_LIST)
        self.ended.set()


@pytest.mark.parametrize(
    ("closes_at", "connections"),
    [(1, 0), (2, 1), (3, 1)],
    ids=["before-it-connects", "before-the-head", "before-the-body"],
)
async def test_nothing_of_a_request_is_sent(closes_at: int, connections: int) -> None:
    wire, gate = Wire(), Gate(closes_at)
    async with listener(wire.handle) as url:
        transport = LensesTransport(url, gate=gate)
        with pytest.raises(Closed):
            await LensesClient(transport, StaticToken("t")).create_connector("env", REQUEST, precondition=always)
        await transport.aclose()
        if connections:
            await asyncio.wait_for(wire.ended.wait(), 10)
    assert gate.looks == closes_at
    assert wire.connections == connections
    assert wire.received == b""


async def test_a_connection_that_is_open_already_makes_no_difference() -> None:
    wire, gate = Wire(), Gate(10_000)
    async with listener(wire.handle) as url:
        transport = LensesTransport(url, gate=gate)
        client = LensesClient(transport, StaticToken("t"))
        await client.list_connectors("env")
        before, gate.closes_at = wire.received, gate.looks + 2
        with pytest.raises(Closed):
            await client.list_connectors("env")
        await transport.aclose()
        await asyncio.wait_for(wire.ended.wait(), 10)
    assert wire.connections == 1
    assert wire.received == before


async def test_an_open_gate_lets_everything_pass() -> None:
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listener(answer) as url:
        transport = LensesTransport(url, gate=Gate(10_000))
        await LensesClient(transport, StaticToken("t")).create_connector("env", REQUEST, precondition=always)
        await transport.aclose()
    assert b"orders" in seen[0]


@pytest.mark.parametrize(
    "write",
    [
        lambda api: api.patch("lensesconnectors", "a", "b", []),
        lambda api: api.patch("lensesconnectors", "a", "b", [], status=True),
        lambda api: api.create_event("a", {}),
        lambda api: api.patch_event("a", "b", []),
    ],
    ids=["object", "status", "event", "event-again"],
)
async def test_nothing_is_written_to_kubernetes(write: Callable[[KubeApi], object]) -> None:
    """There is no client at all behind it."""
    api = KubeApi(cast("ApiClient", None), gate=Gate(1))
    with pytest.raises(Closed):
        await write(api)  # type: ignore[misc]


@pytest.mark.parametrize("connection", ["new", "open", "waited-for"])
async def test_nothing_is_written_to_kubernetes_by_who_lost_the_lease_while_waiting_for_a_connection(
    connection: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Looked at before, and once more with the connection at hand. Reads, and what is done for the Lease, go on."""
    received: list[bytes] = []
    hold = asyncio.Event()
    hold.set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            received.append(head)
            await hold.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

    async with listener(answer) as url:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(KUBECONFIG.format(url=url, trust="insecure-skip-tls-verify: true", token="t"))
        monkeypatch.setattr("kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
        client = await connect()
        client.configuration.connection_pool_maxsize = client.rest_client.maxsize = 1
        gate = Gate(2)
        api = KubeApi(client, gate)
        others = []
        if connection != "new":
            await api.get("lensesconnectors", "a", "b")
        if connection == "waited-for":
            hold.clear()
            others = [asyncio.create_task(api.get_lease("a", "b", 10))]
            await asyncio.sleep(0)
        writing = asyncio.create_task(api.patch("lensesconnectors", "a", "b", [{"op": "add"}]))
        for _ in range(10):
            await asyncio.sleep(0)
        hold.set()
        with pytest.raises(Closed):
            await writing
        await asyncio.gather(*others)
        await api.get_lease("a", "b", 10)
        await client.close()  # type: ignore[no-untyped-call]
    assert gate.looks == 2
    assert received
    assert not [head for head in received if head.startswith(b"PATCH")]
