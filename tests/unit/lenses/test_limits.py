"""How much is under way at once, how long anything may take, how much is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from harness.wanted import always
from lenses_operator.lenses import transport as transport_module
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import LensesUnreachable, PreconditionFailed, UnusableAnswer
from lenses_operator.lenses.models import ConnectorRequest
from lenses_operator.lenses.reading import MOST_OBJECTS
from lenses_operator.lenses.tokens import StaticToken
from lenses_operator.lenses.transport import LensesTransport
from lenses_operator.lenses.wire import Incoming, Outgoing, Timeout, Wire
from unit.lenses.fakes import Given, Script, answer, rig

REQUEST = ConnectorRequest(name="orders", cluster="prod", configuration={})


class Held:
    """A wire that holds requests whose path contains a word until released; says how many are in there."""

    def __init__(self, word: str = "") -> None:
        self.word = word
        self.release = asyncio.Event()
        self.inside = 0
        self.most = 0
        self._arrived = asyncio.Condition()

    async def aclose(self) -> None:
        """Nothing is open."""

    async def send(self, request: Outgoing) -> Incoming:
        if self.word in request.url:
            self.inside += 1
            self.most = max(self.most, self.inside)
            async with self._arrived:
                self._arrived.notify_all()
            try:
                await self.release.wait()
            finally:
                self.inside -= 1
        return Given(answer(200, {"class": "X", "data": []}))

    async def full(self, number: int) -> None:
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.inside == number)


def lenses(held: Wire, concurrency: int = 4) -> LensesClient:
    transport = LensesTransport("https://lenses.test", wire=held, concurrency=concurrency)
    return LensesClient(transport, StaticToken("x"))


async def _settle() -> None:
    """Lets everything that can go on go on."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_hanging_validates_leave_half_of_the_places_to_reads() -> None:
    held = Held("validate")
    client = lenses(held)
    slow = [asyncio.create_task(client.validate("env", REQUEST)) for _ in range(10)]
    slow += [asyncio.create_task(client.validate("env", REQUEST)) for _ in range(10)]
    await held.full(2)
    await _settle()
    assert held.inside == 2
    for _ in range(20):
        await client.list_connectors("env")
    assert held.inside == 2
    held.release.set()
    await asyncio.gather(*slow)
    assert held.most == 2


async def test_creates_and_validates_share_the_slow_half() -> None:
    held = Held()
    client = lenses(held)
    slow = [asyncio.create_task(client.validate("env", REQUEST)) for _ in range(3)]
    creates = [asyncio.create_task(client.create_connector("env", REQUEST, precondition=always)) for _ in range(3)]
    await held.full(2)
    await _settle()
    assert held.inside == 2
    held.release.set()
    await asyncio.gather(*slow, *creates)


async def test_quick_ones_have_all_places_and_no_more() -> None:
    held = Held()
    client = lenses(held)
    quick = [asyncio.create_task(client.list_connectors("env")) for _ in range(30)]
    await held.full(4)
    await _settle()
    assert held.inside == 4
    held.release.set()
    await asyncio.gather(*quick)
    assert held.most == 4


async def test_environments_do_not_wait_for_each_other() -> None:
    held = Held("/env-1/")
    client = lenses(held)
    stuck = [asyncio.create_task(client.list_connectors("env-1")) for _ in range(30)]
    await held.full(4)
    await client.list_connectors("env-2")
    held.release.set()
    await asyncio.gather(*stuck)


async def test_tokens_share_the_places_of_an_environment() -> None:
    held = Held()
    one = lenses(held)
    two = one.with_tokens(StaticToken("y"))
    tasks = [asyncio.create_task(client.list_connectors("env")) for client in (one, two) for _ in range(5)]
    await held.full(4)
    await _settle()
    assert held.inside == 4
    held.release.set()
    await asyncio.gather(*tasks)


async def test_a_cancelled_request_gives_its_place_back() -> None:
    held = Held()
    seen: list[int | str] = []
    transport = LensesTransport("https://lenses.test", wire=held, concurrency=2)
    client = LensesClient(transport, StaticToken("x"), on_response=lambda *told: seen.append(told[2]))
    slow = asyncio.create_task(client.validate("env", REQUEST))
    await held.full(1)
    waiting = asyncio.create_task(client.validate("env", REQUEST))
    await _settle()
    waiting.cancel()
    slow.cancel()
    await asyncio.gather(slow, waiting, return_exceptions=True)
    assert seen == ["cancelled"]  # the other one was never sent
    held.release.set()
    await client.validate("env", REQUEST)


@pytest.mark.parametrize("concurrency", [0, 1])
def test_concurrency_must_leave_a_place(concurrency: int) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        LensesTransport("https://lenses.test", concurrency=concurrency)


async def test_an_answer_that_trickles_does_not_hold_its_place_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "QUICK", Timeout(0.01, 0.01))

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0)

    wire = Script([lambda _: httpx.Response(200, content=trickle())])
    with pytest.raises(LensesUnreachable) as caught:
        await lenses(wire).list_connectors("env")
    assert (caught.value.reason, caught.value.maybe_done) == ("timeout", True)


@pytest.mark.parametrize("status", [200, 500])
async def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr(transport_module, "MAX_BODY", 1000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 100

    wire = Script([lambda _: httpx.Response(status, content=endless())])
    with pytest.raises(UnusableAnswer, match="larger than 1000 bytes") as caught:
        await lenses(wire).list_connectors("env")
    assert (caught.value.status, sent) == (status, 11)


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), ("", "no PEM"), ("nonsense", "no PEM"), ("dir", "CA file")]
)
def test_a_ca_file_that_is_none(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "ca.crt"
    if content == "dir":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match="is not usable") as caught:
        LensesTransport("https://lenses.test", ca_file=path)
    assert str(path) in str(caught.value)
    assert why in str(caught.value)


@pytest.mark.parametrize(("connectors", "fits"), [(MOST_OBJECTS // 3 - 1, True), (MOST_OBJECTS // 3, False)])
async def test_a_list_of_more_objects_than_there_is_memory_for(connectors: int, fits: bool) -> None:
    """Each has a list and a task: the last one takes one too many, with the answer's own two."""
    row = {"name": "a", "cluster": "eu", "tasks": [{"id": 0}]}
    client = rig(httpx.Response(200, json={"data": [row] * connectors})).client
    if fits:
        assert len(await client.list_connectors("prod")) == connectors
    else:
        with pytest.raises(UnusableAnswer, match="more than 150000 objects and lists"):
            await client.poll_connectors("prod")


async def test_what_is_no_longer_wanted_when_its_turn_comes_is_not_sent() -> None:
    held = Held()
    client = lenses(held)
    wanted = [True, True]
    others = [asyncio.create_task(client.list_connectors("env")) for _ in range(4)]
    await held.full(4)
    deletes = [
        asyncio.create_task(client.delete_connector("env", "prod", f"c{at}", precondition=lambda at=at: wanted[at]))  # type: ignore[misc]
        for at in range(2)
    ]
    await _settle()
    wanted[0] = False
    held.release.set()
    await asyncio.gather(*others)
    with pytest.raises(PreconditionFailed) as raised:
        await deletes[0]
    assert not raised.value.maybe_done
    await deletes[1]


async def test_nor_when_the_connection_took_its_time() -> None:
    """The wire asks when it is about to write; the one that stands in for it here does the same."""
    wanted = True

    class Connecting(Held):
        async def send(self, request: Outgoing) -> Incoming:
            nonlocal wanted
            wanted = False
            request.before_head()
            raise AssertionError("sent")

    with pytest.raises(PreconditionFailed):
        await lenses(Connecting()).delete_connector("env", "prod", "orders", precondition=lambda: wanted)
