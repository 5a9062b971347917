"""No key twice at a time, none lost, none before its time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.workqueue.queue import QueueClosed, QueueStats, WorkQueue, run_workers
from unit.controllers.virtualtime import START, VirtualTimeLoop, now

pytestmark = pytest.mark.virtual_time


@pytest.fixture
def queue() -> WorkQueue[str]:
    return WorkQueue()


async def taken(queue: WorkQueue[str], seconds: float = 0) -> list[str]:
    """What comes within that time; each is done at once."""
    found: list[str] = []
    try:
        async with asyncio.timeout(seconds + 0.001):
            while True:
                key = await queue.get()
                queue.done(key)
                found.append(key)
    except TimeoutError:
        return found


async def test_what_is_told_of_it(queue: WorkQueue[str]) -> None:
    assert queue.stats() == QueueStats(depth=0, oldest=0, running=0, longest=0, adds=0)
    queue.add("a")
    queue.add_after("b", 10)
    await asyncio.sleep(4)
    queue.add("a")
    assert queue.stats() == QueueStats(depth=1, oldest=4, running=0, longest=0, adds=1)
    assert await queue.get() == "a"
    queue.add("a")
    await asyncio.sleep(10)
    assert queue.stats() == QueueStats(depth=1, oldest=4, running=1, longest=10, adds=2), "b is due, nobody takes it"
    assert await queue.get() == "b"
    await asyncio.sleep(1)
    queue.done("a")
    queue.done("b")
    assert queue.stats() == QueueStats(depth=1, oldest=0, running=0, longest=0, adds=3)
    queue.close()


async def test_keys_come_in_order_of_arrival_each_once(queue: WorkQueue[str]) -> None:
    for key in "abcab":
        queue.add(key)
    assert len(queue) == 3
    assert await taken(queue) == ["a", "b", "c"]
    assert len(queue) == 0


async def test_a_key_added_while_it_is_worked_on_comes_once_more_afterwards(queue: WorkQueue[str]) -> None:
    queue.add("a")
    key = await queue.get()
    queue.add("a")
    queue.add("a")
    assert await taken(queue) == []
    queue.done(key)
    assert await taken(queue) == ["a"]


async def test_a_key_comes_not_before_its_time(queue: WorkQueue[str]) -> None:
    queue.add_after("a", 10)
    assert await taken(queue, 9.9) == []
    await queue.get()
    assert now() == pytest.approx(START + 10)


@pytest.mark.parametrize("delays", [(10, 20), (20, 10)])
async def test_the_earlier_of_two_appointments_holds_and_it_is_one(
    queue: WorkQueue[str], delays: tuple[int, int]
) -> None:
    for delay in delays:
        queue.add_after("a", delay)
    assert await taken(queue, 9.9) == []
    assert await taken(queue, 1) == ["a"]
    assert await taken(queue, 100) == []


async def test_adding_now_forgets_the_appointment(queue: WorkQueue[str]) -> None:
    queue.add_after("a", 10)
    queue.add("a")
    assert await taken(queue, 100) == ["a"]


async def test_an_appointment_after_a_forgotten_one_is_not_early(queue: WorkQueue[str]) -> None:
    queue.add_after("a", 10)
    queue.add("a")
    assert await taken(queue) == ["a"]
    queue.add_after("a", 50)
    assert await taken(queue, 45) == []
    assert await taken(queue, 6) == ["a"]


async def test_an_appointment_that_falls_due_during_a_pass_waits_for_its_end(queue: WorkQueue[str]) -> None:
    queue.add("a")
    key = await queue.get()
    queue.add_after("a", 5)
    assert await taken(queue, 10) == []
    queue.done(key)
    assert await taken(queue) == ["a"]
    assert await taken(queue, 100) == []


async def test_what_is_due_already_needs_no_appointment(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add_after("a", 5)
    assert await taken(queue, 100) == ["a"]


async def test_a_forgotten_key_does_not_come(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add_after("b", 1)
    queue.add("c")
    assert await queue.get() == "a"
    queue.add("a")
    for key in "abc":
        queue.forget(key)
    queue.done("a")
    assert await taken(queue, 100) == []


async def test_an_earlier_appointment_wakes_a_worker_that_waits_for_a_later_one(queue: WorkQueue[str]) -> None:
    queue.add_after("late", 100)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(1)
    queue.add_after("early", 1)
    assert await waiting == "early"
    assert now() == pytest.approx(START + 2)


async def test_closing_ends_the_workers_after_their_pass_and_drops_the_rest(queue: WorkQueue[str]) -> None:
    done: list[str] = []

    async def work(key: str) -> None:
        await asyncio.sleep(5)
        done.append(key)

    workers = asyncio.create_task(run_workers(queue, 2, work))
    for key in "abc":
        queue.add(key)
    await asyncio.sleep(1)
    queue.close()
    queue.add("d")
    queue.add_after("e", 0)
    await workers
    assert done == ["a", "b"]
    assert now() == pytest.approx(START + 5)
    with pytest.raises(QueueClosed):
        await queue.get()


async def test_no_more_than_one_pass_is_begun_in_one_turn_of_the_loop() -> None:
    """A thousand keys that fall due at once, each with a few milliseconds of work, do not hold the loop for seconds."""
    queue: WorkQueue[int] = WorkQueue()
    turn = 0
    begun: list[int] = []

    def next_turn() -> None:
        nonlocal turn
        turn += 1
        if len(begun) < 100:
            asyncio.get_running_loop().call_soon(next_turn)

    async def work(key: int) -> None:
        begun.append(turn)

    for key in range(100):
        queue.add(key)
    next_turn()
    workers = asyncio.create_task(run_workers(queue, 64, work))
    await asyncio.sleep(1)
    assert len(begun) == len(set(begun)) == 100
    queue.close()
    await workers


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "after"]),
        st.sampled_from("abc"),
        st.sampled_from([0.0, 0.5, 1.0, 3.0, 10.0]),  # seconds to the next step
        st.sampled_from([0.0, 0.5, 2.0, 7.0]),  # delay of an appointment
    ),
    max_size=30,
)


@given(STEPS, st.integers(1, 4), st.sampled_from([0.0, 0.7, 4.0]))
def test_whatever_is_asked_for_no_key_runs_twice_at_a_time_and_none_is_lost(
    steps: list[tuple[str, str, float, float]], workers: int, length: float
) -> None:
    runs: list[tuple[str, float]] = []
    asked: list[tuple[str, float]] = []

    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        running: Counter[str] = Counter()

        async def work(key: str) -> None:
            running[key] += 1
            assert running[key] == 1
            runs.append((key, now()))
            await asyncio.sleep(length)
            running[key] -= 1

        pool = asyncio.create_task(run_workers(queue, workers, work))
        for kind, key, pause, delay in steps:
            due = now() + (delay if kind == "after" else 0)
            asked.append((key, due))
            call: Callable[[], None] = (
                (lambda key=key: queue.add(key))  # type: ignore[misc]
                if kind == "add"
                else (lambda key=key, delay=delay: queue.add_after(key, delay))  # type: ignore[misc]
            )
            call()
            await asyncio.sleep(pause)
        await asyncio.sleep(1000)
        queue.close()
        await pool

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scenario())
    assert len(runs) <= len(asked)
    for key, started in runs:
        assert any(other == key and due <= started + 1e-6 for other, due in asked), "not before its time"
    for key in {key for key, _ in asked}:
        last_add = max(
            (due for (other, due), step in zip(asked, steps, strict=True) if other == key and step[0] == "add"),
            default=None,
        )
        if last_add is not None:
            assert any(other == key and started >= last_add - 1e-6 for other, started in runs), "lost"
        assert any(other == key for other, _ in runs)


async def test_stuck_is_a_key_that_is_due_while_no_pass_begins_or_ends(queue: WorkQueue[str]) -> None:
    await asyncio.sleep(1000)
    assert queue.stuck_for() == 0, "nothing to do"
    queue.add("a")
    assert queue.stuck_for() == 0, "due just now"
    await asyncio.sleep(10)
    assert queue.stuck_for() == 10
    key = await queue.get()
    assert queue.stuck_for() == 0, "a pass that lasts, and nothing else to do"
    await asyncio.sleep(1000)
    queue.add("b")
    assert queue.stuck_for() == 0
    await asyncio.sleep(10)
    assert queue.stuck_for() == 10, "the only worker hangs"
    queue.done(key)
    assert queue.stuck_for() == 0


async def test_an_appointment_that_nobody_keeps_is_stuck_too(queue: WorkQueue[str]) -> None:
    queue.add_after("a", 100)
    await asyncio.sleep(99)
    assert queue.stuck_for() == 0
    await asyncio.sleep(1)
    assert queue.stuck_for() == 0
    await asyncio.sleep(50)
    assert queue.stuck_for() == 50
    assert await taken(queue) == ["a"]


async def test_a_closed_queue_is_not_stuck(queue: WorkQueue[str]) -> None:
    queue.add("a")
    assert queue.stuck_for() == 0
    queue.close()
    await asyncio.sleep(1000)
    assert queue.stuck_for() == 0


async def test_one_shard_never_waits_for_another() -> None:
    """Of the slow shard as many are worked on as may be; the others' keys are taken as they come all the same."""
    queue: WorkQueue[str] = WorkQueue(shard=lambda key: key[0])
    slow, ended = asyncio.Event(), []

    async def work(key: str) -> None:
        if key[0] == "s":
            await slow.wait()
        ended.append(key)

    workers = asyncio.create_task(run_workers(queue, 2, work))
    for key in ("s1", "s2", "s3", "s4", "a1", "a2", "a3", "b1"):
        queue.add(key)
    await asyncio.sleep(1)
    assert ended == ["a1", "b1", "a2", "a3"]
    assert (queue.stats().running, queue.stats().depth) == (2, 2)
    queue.forget("s3")
    queue.add("a1")
    await asyncio.sleep(1)
    assert ended[4:] == ["a1"]
    slow.set()
    await asyncio.sleep(1)
    assert ended[5:] == ["s1", "s2", "s4"]
    queue.close()
    await workers


async def test_shards_have_turns() -> None:
    """A key of a shard with little to do does not wait until a shard with much has done it all."""
    queue: WorkQueue[str] = WorkQueue(shard=lambda key: key[0])
    for key in ("a1", "a2", "a3", "a4", "b1", "c1"):
        queue.add(key)
    assert await taken(queue) == ["a1", "b1", "c1", "a2", "a3", "a4"]
