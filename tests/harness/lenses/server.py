"""The front: each request is logged, held at breakpoints, met by faults, processed as its persona would, checked,
answered."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from harness.lenses import conformance
from harness.lenses.answers import Answer, agent_error
from harness.lenses.breakpoints import Breakpoint
from harness.lenses.call import Call
from harness.lenses.control_api import ControlApi
from harness.lenses.dispatch import addressed, dispatch, parse_body
from harness.lenses.operations import target_of
from harness.lenses.persona import Persona
from harness.lenses.record import Request
from harness.lenses.world import World

CONTROL = "/__control__"


class Dropped(Exception):  # noqa: N818 - a way out, not an error
    """The connection is to be closed without an answer."""


def _large_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    """Offsets of a big source exceed aiohttp's default limit of 1 MiB."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=64 * 1024 * 1024)


class LensesServer:
    """Both listeners and what is behind them. Runs in the event loop it is started in."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.world = World(config)
        self.control = ControlApi(self.world)
        self._runners: list[web.ServerRunner] = []
        self.url = ""
        self.control_url = ""

    async def start(self, host: str = "127.0.0.1", port: int = 0, control_port: int | None = None) -> None:
        """Listen; without a port of its own the control endpoint is a path prefix of the API's listener."""
        self.url = await self._listen(host, port)
        self.control_url = self.url + CONTROL
        if control_port is not None:
            self.control_url = await self._listen(host, control_port) + CONTROL

    async def _listen(self, host: str, port: int) -> str:
        server = web.Server(self._handle, request_factory=_large_request, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, host, port, backlog=1024).start()
        self._runners.append(runner)
        return f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self.world.close()
        for runner in self._runners:
            await runner.cleanup()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        if http.raw_path.startswith(f"{CONTROL}/"):
            return await self.control.handle(http, http.raw_path.removeprefix(f"{CONTROL}/"))
        raw = await http.read()
        request, call = self._admit(http, raw)
        try:
            answer = await self._process(request, call)
        except Dropped:
            request.outcome, request.finished = "dropped", asyncio.get_running_loop().time()
            if http.transport is not None:
                http.transport.close()
            return web.Response(status=500)
        answer, request.error_id = self._persona(call).signed(answer)
        request.status, request.outcome, request.finished = answer.status, "answered", asyncio.get_running_loop().time()
        headers = {"Content-Type": answer.content_type, **answer.headers}
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    def _admit(self, http: web.BaseRequest, raw: bytes) -> tuple[Request, Call]:
        """Log the request and find out what it addresses and which faults act on it."""
        world = self.world
        target = target_of(http.method, http.raw_path)
        body = parse_body(target, raw)
        clusters, connector = addressed(world, target, body)
        bearer = http.headers.get("Authorization", "")
        token = world.tokens.get(bearer.removeprefix("Bearer ")) if bearer.startswith("Bearer ") else None
        request = world.log.add(
            method=http.method,
            path=http.raw_path.partition("?")[0],
            query=target.query,
            operation=target.operation,
            environment=target.environment,
            clusters=clusters,
            connector=connector,
            token=token.label if token else None,
            body=body if body is not None or not raw else raw.decode("utf-8", "replace"),
            content_type=http.headers.get("Content-Type"),
            accept=http.headers.get("Accept"),
            request_id=http.headers.get("X-Request-ID"),
        )
        return request, Call(
            target=target,
            raw=raw,
            body=body,
            token=token,
            faults=world.faults.acting_on(request),
            clusters=clusters,
            connector=connector,
            content_type=http.headers.get("Content-Type", ""),
            accept=http.headers.get("Accept", ""),
        )

    async def _process(self, request: Request, call: Call) -> Answer:
        caught = self.world.breakpoints.catch(request)
        await self._hold(caught, "before")
        faults = call.faults
        if faults.latency:
            await asyncio.sleep(faults.latency)
        if faults.dropped("before"):
            raise Dropped
        answer = faults.answering(processed=False)
        if answer is None:
            answer = await self._answer(request, call)
            request.processed = call.reached
        await self._hold(caught, "after")
        if faults.dropped("after"):
            raise Dropped
        return faults.answering(processed=True) or answer

    async def _hold(self, caught: list[Breakpoint], when: str) -> None:
        if caught and not await self.world.breakpoints.hold(caught, when):
            raise Dropped

    async def _answer(self, request: Request, call: Call) -> Answer:
        persona = self._persona(call)
        admitted = self.world.admits(call.token, call.target.environment)
        try:
            answer = await persona.serve(call, lambda: dispatch(self.world, call), admitted=admitted)
        except conformance.NotConformingError as error:
            return self._violation(request, error.messages)
        except Exception as error:
            traceback.print_exc()
            return self._violation(request, [f"{type(error).__name__}: {error}"])
        checks = self.world.check and not answer.foreign and not call.changed_by_fault
        if (
            checks
            and request.operation is not None
            and not (request.operation == "ListConnectors" and answer.status == 200)
        ):
            wrong = conformance.check_response(request.operation, answer.status, answer.content_type, answer.body)
            if persona.base == "documented":
                wrong += conformance.check_declared(request.operation, answer.status, answer.content_type)
            if wrong:
                return self._violation(request, wrong)
        return answer

    def _persona(self, call: Call) -> Persona:
        return self.world.persona_of(call.target.environment)

    def _violation(self, request: Request, messages: list[str]) -> Answer:
        """The server's own mistake: kept for `violations()`, and loud."""
        self.world.violations.append(
            {"seq": request.seq, "operation": request.operation, "path": request.path, "messages": messages}
        )
        return agent_error(500, f"the test server violates the API: {'; '.join(messages)}")
