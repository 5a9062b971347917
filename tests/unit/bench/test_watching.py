"""The bench's own watch: what it is not told of must not keep it waiting for good."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bench.objects import Objects
from unit.serving import serving

GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}


def named(name: str, ready: str) -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "observedGeneration": 1}
    return {"metadata": {"name": name, "generation": 1}, "status": {"conditions": [condition]}}


class ApiServer:
    """Ends each watch after one event; by the next list everything is ready, and `old` is gone."""

    def __init__(self, end: str) -> None:
        self.end = end
        self.lists = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if "watch" not in request.query:
            self.lists += 1
            later = self.lists > 1
            items = [named("new", str(later)), *([] if later else [named("old", "True")])]
            return web.json_response({"metadata": {"resourceVersion": str(self.lists)}, "items": items})
        answer = web.StreamResponse()
        await answer.prepare(request)
        event = GONE if self.end == "gone" else {"type": "MODIFIED", "object": named("new", "False")}
        await answer.write(json.dumps(event).encode() + b"\n")
        if self.end == "cut off":
            assert request.transport is not None
            request.transport.abort()
        elif self.end == "gone":
            await asyncio.sleep(60)
        return answer


@pytest.mark.parametrize("end", ["in order", "cut off", "gone"])
async def test_a_watch_that_ends_goes_on_from_what_there_is(end: str) -> None:
    server = ApiServer(end)
    async with (
        serving(server.handle) as url,
        aiohttp.ClientSession() as session,
        Objects(session, url).watched("bench") as seen,
    ):
        await seen.all_ready(["new"], 20)
        assert seen.there == {"new"}


async def test_a_watch_that_cannot_go_on_ends_the_measurement() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ExceptionGroup) as raised:
            async with Objects(session, "http://127.0.0.1:9").watched("bench") as seen:
                await seen.all_ready(["new"], 20)
    assert isinstance(raised.value.exceptions[0], aiohttp.ClientError)
