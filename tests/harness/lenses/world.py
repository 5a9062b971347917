"""Everything the server knows: environments with their clusters, tokens, faults, breakpoints, the log."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from harness.lenses.access import Token
from harness.lenses.backend import Cluster
from harness.lenses.breakpoints import Breakpoints
from harness.lenses.connect import ConnectCluster
from harness.lenses.faults import FaultBook
from harness.lenses.memory import MemoryCluster
from harness.lenses.persona import Persona
from harness.lenses.record import RequestLog


@dataclass(frozen=True, slots=True)
class ResourceAsCode:
    """`refused` is the status GET and PUT are refused with (404, 405, 415, 501), None where they work. An accepted PUT
    is answered with `success`, and takes effect after `delay` seconds, or never where it is `ignored`."""

    refused: int | None = None
    success: int = 200
    ignored: bool = False
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.success not in (200, 201, 202, 204):
            raise ValueError("an accepted PUT is answered with 200, 201, 202 or 204")


@dataclass(slots=True)
class Environment:
    """`persona`: None where it is the server's."""

    name: str
    clusters: dict[str, Cluster] = field(default_factory=dict)
    resource: ResourceAsCode = ResourceAsCode()
    tier: str = "development"
    persona: Persona | None = None


def make_cluster(environment: str, name: str, settings: dict[str, Any]) -> Cluster:
    kind = settings.get("backend", "memory")
    if kind == "memory":
        return MemoryCluster(environment, name, settings)
    if kind == "connect":
        return ConnectCluster(environment, name, settings)
    raise ValueError(f"unknown backend {kind!r}")


class World:
    """The state behind the front; everything runs in one event loop, so nothing is locked."""

    def __init__(self, config: dict[str, Any]) -> None:
        unknown = set(config) - {"environments", "tokens", "check", "persona"}
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        self.environments: dict[str, Environment] = {}
        self.tokens: dict[str, Token] = {}
        self.faults = FaultBook()
        self.breakpoints = Breakpoints()
        self.log = RequestLog()
        self.persona = Persona.parse(config.get("persona", "connect"))
        self.check = bool(config.get("check", True))
        self.violations: list[dict[str, Any]] = []
        self._works: set[asyncio.Task[None]] = set()
        for name, settings in config.get("environments", {}).items():
            self.add_environment(name, settings)
        for token, rights in config.get("tokens", {}).items():
            self.tokens[token] = Token.parse(token, rights)

    def add_environment(self, name: str, settings: dict[str, Any]) -> None:
        if name in self.environments:
            raise ValueError(f"environment {name} exists")
        made = Environment(name, resource=ResourceAsCode(settings.get("resource_as_code")))
        if settings.get("persona") is not None:
            made.persona = Persona.parse(settings["persona"])
        for cluster, given in settings.get("clusters", {}).items():
            made.clusters[cluster] = make_cluster(name, cluster, given)
        self.environments[name] = made

    def environment(self, name: str) -> Environment:
        if name not in self.environments:
            raise ValueError(f"no environment {name}")
        return self.environments[name]

    def persona_of(self, environment: str | None) -> Persona:
        """The environment's persona, or the server's where it has none or there is no such environment."""
        found = self.environments.get(environment or "")
        return (found.persona if found else None) or self.persona

    def admits(self, token: Token | None, environment: str | None) -> bool:
        return token is not None and environment in self.environments and token.environment(environment or "")

    def memory(self, environment: str, cluster: str) -> MemoryCluster:
        found = self.environment(environment).clusters.get(cluster)
        if not isinstance(found, MemoryCluster):
            raise ValueError(f"{environment} has no memory cluster {cluster}")  # noqa: TRY004 - it becomes a 400
        return found

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it beside the answering of requests; what is still to come when the server ends is forgotten."""
        task = asyncio.get_running_loop().create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)

    async def close(self) -> None:
        for task in self._works:
            task.cancel()
        self.breakpoints.clear()
        for environment in self.environments.values():
            for cluster in environment.clusters.values():
                await cluster.close()
