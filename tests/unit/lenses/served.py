"""A Lenses that gives everybody the same answer, over a real connection: what a wire makes of an answer counts, too."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping

from harness.listener import listening
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.tokens import StaticToken
from lenses_operator.lenses.transport import LensesTransport


async def _no_wait(_: float) -> None:
    """Between two tries."""


@contextlib.asynccontextmanager
async def served(status: int, headers: Mapping[str, str], body: bytes) -> AsyncIterator[LensesClient]:
    told = {**headers, "Content-Length": f"{len(body)}", "Connection": "close"}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in told.items())]
    answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(answer)
        await writer.drain()

    async with listening(serve) as port:
        transport = LensesTransport(f"http://127.0.0.1:{port}", sleep=_no_wait)
        try:
            yield LensesClient(transport, StaticToken("planted-token"))
        finally:
            await transport.aclose()
