"""The server's side of the control endpoint: POST /__control__/<command> with a JSON object of arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from harness.lenses import exactjson
from harness.lenses.access import Token
from harness.lenses.operations import CHANGING, checked_operations
from harness.lenses.persona import Persona
from harness.lenses.world import ResourceAsCode, World, make_cluster


class ControlApi:
    """Every public method is a command; `LensesControl` is the client and documents them."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle(self, http: web.BaseRequest, command: str) -> web.Response:
        method: Callable[..., Any] | None = None
        if not command.startswith("_") and command != "handle":
            method = getattr(self, command, None)
        if method is None:
            return self._reply(404, {"error": f"no command {command!r}"})
        try:
            result = method(**exactjson.loads(await http.read() or b"{}"))
            if asyncio.iscoroutine(result):
                result = await result
        except TimeoutError as error:
            return self._reply(408, {"error": str(error) or "timed out"})
        except (ValueError, TypeError, KeyError) as error:
            return self._reply(400, {"error": f"{type(error).__name__}: {error}"})
        return self._reply(200, {"result": result})

    def _reply(self, status: int, payload: Any) -> web.Response:
        return web.Response(status=status, body=exactjson.dumps(payload).encode(), content_type="application/json")

    # what there is
    def ping(self) -> bool:
        return True

    def add_environment(
        self, name: str, clusters: dict[str, Any], resource_as_code: int | None, persona: str | dict[str, Any] | None
    ) -> None:
        settings = {"clusters": clusters, "resource_as_code": resource_as_code, "persona": persona}
        self._world.add_environment(name, settings)

    def set_persona(self, environment: str | None, persona: str | None, switches: dict[str, Any]) -> None:
        if persona is None and (environment is None or switches):
            raise ValueError("only an environment can do without a persona, and without switches")
        made = Persona.parse({"name": persona, **switches}) if persona is not None else None
        if environment is not None:
            self._world.environment(environment).persona = made
        elif made is not None:
            self._world.persona = made

    def persona(self, environment: str | None) -> dict[str, Any]:
        if environment is not None:
            self._world.environment(environment)
        return self._world.persona_of(environment).as_json()

    async def remove_environment(self, name: str) -> None:
        environment = self._world.environments.pop(name, None)
        self._world.faults.clear(name)
        self._world.breakpoints.clear(name)
        for cluster in environment.clusters.values() if environment else ():
            await cluster.close()

    def environments(self) -> dict[str, list[str]]:
        return {name: list(environment.clusters) for name, environment in self._world.environments.items()}

    def set_resource_as_code(
        self, environment: str, status: int | None, put_status: int, put_ignored: bool, put_delay: float
    ) -> None:
        made = ResourceAsCode(status, put_status, put_ignored, put_delay)
        self._world.environment(environment).resource = made

    def add_cluster(self, environment: str, name: str, settings: dict[str, Any]) -> None:
        clusters = self._world.environment(environment).clusters
        if name in clusters:
            raise ValueError(f"cluster {name} exists")
        clusters[name] = make_cluster(environment, name, settings)

    async def remove_cluster(self, environment: str, name: str) -> None:
        cluster = self._world.environment(environment).clusters.pop(name, None)
        if cluster is not None:
            await cluster.close()

    def set_plugins(self, environment: str, cluster: str, plugins: list[Any]) -> None:
        self._world.memory(environment, cluster).set_plugins(plugins)

    def set_delays(self, environment: str, cluster: str, **delays: float | None) -> None:
        self._world.memory(environment, cluster).set_delays(delays)

    def end_delays(self, environment: str, cluster: str) -> None:
        self._world.memory(environment, cluster).end_delays()

    def add_token(self, token: str, rights: dict[str, Any]) -> None:
        self._world.tokens[token] = Token.parse(token, rights)

    def remove_token(self, token: str) -> None:
        self._world.tokens.pop(token, None)

    # the log
    def requests(
        self, environment: str | None, operation: str | list[str] | None, connector: str | None, since: int
    ) -> list[dict[str, Any]]:
        return [r.as_json() for r in self._world.log.find(environment, checked_operations(operation), connector, since)]

    async def wait_requests(
        self,
        environment: str | None,
        operation: str | list[str] | None,
        connector: str | None,
        since: int,
        count: int,
        timeout: float,
    ) -> list[dict[str, Any]]:
        names = checked_operations(operation)
        async with asyncio.timeout(timeout):
            while True:
                found = self._world.log.find(environment, names, connector, since)
                finished = [request for request in found if request.outcome != "pending"]
                if len(finished) >= count:
                    return [request.as_json() for request in finished]
                await asyncio.sleep(0.01)

    def counts(self, environment: str | None) -> dict[str, int]:
        return self._world.log.counts(environment)

    def seen(self, environment: str | None, skip_reads: bool) -> int:
        counts = self._world.log.counts(environment)
        return sum(number for operation, number in counts.items() if not skip_reads or operation in CHANGING)

    def reset(self, environment: str | None) -> None:
        self._world.log.reset(environment)

    def violations(self) -> list[dict[str, Any]]:
        return self._world.violations

    def clear_violations(self) -> None:
        self._world.violations.clear()

    # faults and breakpoints
    def add_fault(self, **fault: Any) -> int:
        return self._world.faults.add(fault)

    def remove_fault(self, fault: int) -> bool:
        return self._world.faults.remove(fault)

    def clear_faults(self, environment: str | None) -> None:
        self._world.faults.clear(environment)

    def fault_hits(self, fault: int) -> int:
        found = self._world.faults.get(fault)
        if found is None:
            raise ValueError(f"no fault {fault}")
        return found.hits

    def add_breakpoint(
        self,
        environment: str | None,
        operation: str | list[str] | None,
        connector: str | None,
        nth: int,
        when: str,
        skip_reads: bool,
    ) -> int:
        return self._world.breakpoints.add(environment, checked_operations(operation), connector, nth, when, skip_reads)

    async def wait_breakpoint(self, breakpoint_id: int, timeout: float) -> dict[str, Any]:
        point = self._world.breakpoints.get(breakpoint_id)
        async with asyncio.timeout(timeout):
            await point.reached.wait()
        assert point.request is not None
        return point.request.as_json()

    def release_breakpoint(self, breakpoint_id: int, action: str) -> None:
        self._world.breakpoints.release(breakpoint_id, action)

    def clear_breakpoints(self, environment: str | None) -> None:
        self._world.breakpoints.clear(environment)

    # connectors of memory clusters
    def connectors(self, environment: str, cluster: str | None) -> list[dict[str, Any]]:
        names = [cluster] if cluster is not None else list(self._world.environment(environment).clusters)
        found = [(n, name, c) for n in names for name, c in self._world.memory(environment, n).all()]
        return [c.snapshot(name) | {"cluster": cluster} for cluster, name, c in found]

    def get_connector(self, environment: str, cluster: str, name: str) -> dict[str, Any] | None:
        connector = self._world.memory(environment, cluster).find(name, hidden=True)
        return connector.snapshot(name) if connector else None

    def set_connector(self, environment: str, cluster: str, name: str, **changes: Any) -> dict[str, Any]:
        return self._world.memory(environment, cluster).put(name, changes).snapshot(name)

    def add_connectors(self, environment: str, cluster: str, names: list[str], changes: dict[str, Any]) -> None:
        memory = self._world.memory(environment, cluster)
        for name in names:
            memory.put(name, changes)

    def remove_connector(self, environment: str, cluster: str, name: str) -> bool:
        return self._world.memory(environment, cluster).connectors.pop(name, None) is not None

    def get_offsets(self, environment: str, cluster: str, name: str) -> list[dict[str, Any]]:
        return self._world.memory(environment, cluster).stored.read(name)

    def set_offsets(self, environment: str, cluster: str, name: str, offsets: list[dict[str, Any]]) -> None:
        self._world.memory(environment, cluster).stored.write(name, offsets)
