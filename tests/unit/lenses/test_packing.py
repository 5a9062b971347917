"""Compressed answers: unpacked as they say, within the limit, and refused where they are not what they say."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from lenses_operator.lenses import transport as transport_module
from lenses_operator.lenses.errors import UnusableAnswer
from unit.lenses.served import served

BODY = json.dumps({"data": []}).encode()
WRONG = {
    "words": b"hunter2",
    "not compressed": BODY,
    "cut off": gzip.compress(BODY)[:-12],
    "begun otherwise": b"x" + gzip.compress(BODY),
    "a beginning alone": b"\x1f\x8b",
}
PACKED: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}


async def listed(encoding: str, body: bytes, status: int = 200) -> int:
    """How many connectors were in it."""
    async with served(status, {"Content-Encoding": encoding}, body) as client:
        return len(await client.list_connectors("prod"))


@pytest.mark.parametrize("encoding", PACKED)
async def test_an_answer_is_unpacked_as_it_says(encoding: str) -> None:
    assert await listed(encoding, PACKED[encoding](BODY)) == 0
    assert await listed(encoding.upper(), PACKED[encoding](BODY)) == 0


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_answer_not_compressed_as_it_says(encoding: str, body: bytes) -> None:
    with pytest.raises(UnusableAnswer) as caught:
        await listed(encoding, body)
    assert caught.value.__context__ is None  # which may hold parts of it
    assert "hunter2" not in str(caught.value)


async def test_words_for_what_is_not_compressed() -> None:
    with pytest.raises(UnusableAnswer, match="not compressed the way it says"):
        await listed("gzip", BODY)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate, gzip", "gzip,gzip,gzip", "nope"])
async def test_what_is_compressed_twice_or_in_another_way_is_not_unpacked(encoding: str) -> None:
    """A few kilobytes would be gigabytes before the first of them could be counted."""
    body = BODY
    for layer in reversed(encoding.split(",")):
        body = PACKED.get(layer.strip(), zlib.compress)(body)
    with pytest.raises(UnusableAnswer):
        await listed(encoding, body)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_left_at_the_limit(monkeypatch: pytest.MonkeyPatch, encoding: str, status: int) -> None:
    monkeypatch.setattr(transport_module, "MAX_BODY", 1_000_000)
    body = PACKED[encoding](b" " * 200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(UnusableAnswer, match="larger than 1000000 bytes"):
            await listed(encoding, body, status)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 20_000_000
