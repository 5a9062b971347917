"""Nothing that comes in waits for all that is there, and nothing waits for good."""

from __future__ import annotations

import asyncio
import gc
import selectors
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.turns import AT_ONCE, FewAtOnce, ahead, slices


@given(st.lists(st.integers(), max_size=30), st.integers(1, 12))
def test_slices_are_all_the_items_in_their_order(items: list[int], size: int) -> None:
    async def taken() -> list[list[int]]:
        return [some async for some in slices(iter(items), size)]

    found = asyncio.run(taken())
    assert [one for some in found for one in some] == items
    assert all(len(some) == size for some in found[:-1])
    assert all(0 < len(some) <= size for some in found)


def test_everything_else_has_a_turn_after_each_slice_and_may_change_what_is_sliced() -> None:
    there = {number: str(number) for number in range(10)}
    turns: list[int] = []

    async def sliced() -> list[list[int]]:
        loop, found = asyncio.get_running_loop(), []
        async for some in slices(there, 4):
            found.append(some)
            loop.call_soon(turns.append, len(found))
            there.clear()
        return found

    assert asyncio.run(sliced()) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert turns == [1, 2, 3]


class Source:
    """Gives each number when it is let, and fails where it is told to."""

    def __init__(self, count: int, fails_at: int = -1) -> None:
        self.count, self.fails_at = count, fails_at
        self.let = asyncio.Event()
        self.let.set()
        self.asked: list[int] = []
        self.closed = False

    async def items(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self.count):
                self.asked.append(number)
                await self.let.wait()
                if number == self.fails_at:
                    raise OSError(number)
                yield number
        finally:
            self.closed = True


@pytest.mark.parametrize("count", range(4))
async def test_the_next_is_asked_for_while_one_is_taken(count: int) -> None:
    source = Source(count)
    taken = []
    async for number in ahead(source.items()):
        await asyncio.sleep(0)
        taken.append(number)
        assert source.asked == list(range(min(count, number + 2)))
    assert taken == list(range(count))
    assert source.closed


async def test_what_failed_ahead_is_told_once_what_came_before_it_is_taken() -> None:
    source = Source(3, fails_at=1)
    items = ahead(source.items())
    assert await anext(items) == 0
    await asyncio.sleep(0)
    assert source.asked == [0, 1]
    with pytest.raises(OSError, match="1"):
        await anext(items)
    assert source.closed


@pytest.mark.parametrize("fails_at", [-1, 1])
async def test_who_takes_no_more_leaves_nothing_under_way(fails_at: int, caplog: pytest.LogCaptureFixture) -> None:
    source = Source(3, fails_at)
    async with aclosing(ahead(source.items())) as items:
        async for _ in items:
            if fails_at < 0:
                source.let.clear()
            await asyncio.sleep(0)
            assert source.asked == [0, 1]
            break
    assert source.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()
    assert caplog.records == []


class Sockets:
    """Each may be made ready, and stays so until it is served."""

    def __init__(self, count: int) -> None:
        self.selector = FewAtOnce()
        self.pairs = [socket.socketpair() for _ in range(count)]
        for number, (end, _) in enumerate(self.pairs):
            self.selector.register(end, selectors.EVENT_READ, number)

    def ready(self, *numbers: int) -> None:
        for number in numbers:
            self.pairs[number][1].send(b"x")

    def turn(self) -> list[int]:
        """Which of them are served in it."""
        served = [key.data for key, _ in self.selector.select(0)]
        for number in served:
            assert self.pairs[number][0].recv(1) == b"x"
        return served

    def close(self) -> None:
        self.selector.close()
        for pair in self.pairs:
            for end in pair:
                end.close()


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    found = Sockets(4 * AT_ONCE)
    yield found
    found.close()


def test_no_more_than_so_many_sockets_are_served_in_a_turn(sockets: Sockets) -> None:
    everyone = range(4 * AT_ONCE)
    sockets.ready(*everyone)
    turns = [sockets.turn() for _ in range(4)]
    assert [len(turn) for turn in turns] == [AT_ONCE] * 4
    assert sorted(one for turn in turns for one in turn) == list(everyone)
    assert sockets.turn() == []


def test_one_that_was_passed_over_is_served_before_those_that_came_after_it(sockets: Sockets) -> None:
    """However many become ready again and again."""
    everyone = range(4 * AT_ONCE)
    sockets.ready(*everyone)
    served: list[int] = []
    for _ in range(100):
        turn = sockets.turn()
        served += turn
        sockets.ready(*turn)
    for start in range(0, len(served) - 4 * AT_ONCE, AT_ONCE):
        assert set(served[start : start + 4 * AT_ONCE]) == set(everyone)


def test_one_that_is_no_longer_asked_about_is_forgotten(sockets: Sockets) -> None:
    sockets.ready(*range(2 * AT_ONCE))
    first = sockets.turn()
    gone = next(number for number in range(2 * AT_ONCE) if number not in first)
    sockets.selector.unregister(sockets.pairs[gone][0])
    rest = sockets.turn()
    assert set(first) | set(rest) == set(range(2 * AT_ONCE)) - {gone}
