"""How much memory one answer of Lenses takes: `python -m fuzz.memory CASE TIMES` asks so often and prints MiB.

In a process of its own, since the peak of a process never falls. The server is in it too: it makes its answers piece by
piece and keeps none.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from harness.listener import listening
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import UnusableAnswer
from lenses_operator.lenses.reading import MOST_OBJECTS
from lenses_operator.lenses.tokens import StaticToken
from lenses_operator.lenses.transport import LensesTransport

MIB = 1024 * 1024


def _item(number: int, tasks: str) -> bytes:
    shown = f'"name": "orders-{number}", "cluster": "eu", "state": "RUNNING", "type": "sink", "tasks": [{tasks}]'
    return f"{{{shown}}}".encode()


def _within(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """As many as there is room for, with commas between."""
    room = size
    for number, piece in enumerate(pieces):
        room -= len(piece) + 1
        if room < 0:
            return
        yield b"," + piece if number else piece


def largest_list() -> Iterator[bytes]:
    """As many connectors, of 3 tasks each, as are read."""
    tasks = ", ".join(f'{{"id": {n}, "state": "RUNNING", "workerId": "10.0.0.1:8083"}}' for n in range(3))
    rows = itertools.islice((_item(n, tasks) for n in itertools.count()), MOST_OBJECTS // 5 - 1)
    return itertools.chain([b'{"data": ['], _within(rows, 64 * MIB), [b"]}"])


def long_list() -> Iterator[bytes]:
    """50 MiB of connectors."""
    task = '{"id": 0, "state": "RUNNING", "workerId": "10.0.0.1:8083"}'
    return itertools.chain([b'{"data": ['], _within((_item(n, task) for n in itertools.count()), 50 * MIB), [b"]}"])


def long_traces() -> Iterator[bytes]:
    """A connector of 10,000 tasks with a trace of a megabyte each: 10 GB, were it read to the end."""
    trace = b"x" * MIB
    tasks = (b'%s{"id": %d, "state": "FAILED", "trace": "%s"}' % (b"," if n else b"", n, trace) for n in range(10_000))
    return itertools.chain([b'{"name": "orders", "cluster": "eu", "state": "RUNNING", "tasks": ['], tasks, [b"]}"])


def many_tasks() -> Iterator[bytes]:
    """A connector of 10,000 tasks with traces of 4 KiB: below the limit, so that it is read."""
    trace = b"Oh: no\\n" + b"\\tat x.y.Z(Z.java:1)\\n" * 190
    tasks = (b'%s{"id": %d, "state": "FAILED", "trace": "%s"}' % (b"," if n else b"", n, trace) for n in range(10_000))
    return itertools.chain([b'{"name": "orders", "cluster": "eu", "state": "RUNNING", "tasks": ['], tasks, [b"]}"])


def most_offsets() -> Iterator[bytes]:
    """As many partitions as are read."""
    entry = b'%s{"partition": {"filename": "/data/in/%d.csv"}, "offset": {"position": %d, "at": 1.5}}'
    rows = (entry % (b"," if n else b"", n, n) for n in range(MOST_OBJECTS // 3 - 1))
    return itertools.chain([b'{"offsets": ['], rows, [b"]}"])


def long_offsets() -> Iterator[bytes]:
    """50 MiB of partitions."""
    entry = b'{"partition": {"filename": "/data/in/%d.csv"}, "offset": {"position": 1}}'
    return itertools.chain([b'{"offsets": ['], _within((entry % n for n in itertools.count()), 50 * MIB), [b"]}"])


def flat_offsets() -> Iterator[bytes]:
    """50 MiB of numbers in one partition: no object, and each number one of Python's."""
    return itertools.chain(
        [b'{"offsets": [{"partition": {"a": ['], itertools.repeat(b"12345," * 1000, 8000), [b"1]}}]}"]
    )


def endless() -> Iterator[bytes]:
    """200 MiB that begin as a list and never end."""
    return itertools.chain([b'{"data": ["'], itertools.repeat(b"x" * MIB, 200))


Ask = Callable[[LensesClient], Awaitable[object]]


def _list(client: LensesClient) -> Awaitable[object]:
    return client.poll_connectors("prod")


def _details(client: LensesClient) -> Awaitable[object]:
    return client.get_connector("prod", "eu", "orders")


def _offsets(client: LensesClient) -> Awaitable[object]:
    return client.get_offsets("prod", "eu", "orders")


CASES: dict[str, tuple[Callable[[], Iterator[bytes]], Ask, int, bool]] = {
    "largest list": (largest_list, _list, 200, True),
    "long list": (long_list, _list, 200, False),
    "long traces": (long_traces, _details, 200, False),
    "many tasks": (many_tasks, _details, 200, True),
    "most offsets": (most_offsets, _offsets, 200, True),
    "long offsets": (long_offsets, _offsets, 200, False),
    "flat offsets": (flat_offsets, _offsets, 200, False),
    "endless": (endless, _list, 200, False),
    "endless error": (endless, _list, 500, False),
}
"""What is answered, to what, with which status, and whether it is an answer."""


@asynccontextmanager
async def server(answer: Callable[[], Iterator[bytes]], status: int) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        for piece in answer():
            writer.write(piece)
            await writer.drain()

    async with listening(serve) as port:
        yield f"http://127.0.0.1:{port}"


def peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(case: str, times: int) -> list[float]:
    """How far the peak has grown after each answer."""
    answer, ask, status, usable = CASES[case]
    grown = []
    async with server(answer, status) as url:
        transport = LensesTransport(url)
        client = LensesClient(transport, StaticToken("token"))
        before = peak()
        for _ in range(times):
            try:
                await ask(client)
            except UnusableAnswer:
                assert not usable
            else:
                assert usable
            gc.collect()
            grown.append(round(peak() - before, 1))
        await transport.aclose()
    return grown


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(sys.argv[1], int(sys.argv[2])))))  # noqa: T201
