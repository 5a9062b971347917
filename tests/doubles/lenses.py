"""Lenses in memory, as the operator's client sees it: every operation is one request to the test server's own cluster.

What a request comes to is `MemoryCluster`'s affair, and so are the words and codes of what it refuses. The client's
parsers read both.
"""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from harness.lenses import operations
from harness.lenses.answers import Answer, Refused, agent_error, html, problem
from harness.lenses.hostile import CACHED as CACHED_OPERATIONS
from harness.lenses.hostile import REBALANCING as REBALANCING_OPERATIONS
from harness.lenses.memory import MemoryCluster
from harness.lenses.memory_connector import Delays, MemoryConnector, Task
from harness.lenses.plugins import Plugin as ConnectorClass
from lenses_operator.lenses import errors
from lenses_operator.lenses.answers import from_answer
from lenses_operator.lenses.client import Listing, Shown
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorListItem,
    ConnectorRequest,
    OffsetsText,
    Plugin,
    StateAction,
    ValidationResult,
    offsets_of,
)
from lenses_operator.lenses.transport import Precondition
from unit.resources.make import CLASS

T = TypeVar("T")
NAMES = {
    "list_connectors": "ListConnectors",
    "get_connector": "GetConnector",
    "get_cluster_info": "GetClusterInfo",
    "get_topics": "GetConnectorTopics",
    "list_plugins": "ListPlugins",
    "validate": "ValidateConnector",
    "create_connector": "CreateConnector",
    "delete_connector": "DeleteConnector",
    "set_state": "ConnectorState",
    "restart_task": "ConnectorTaskRestart",
    "reset_offsets": "ResetConnectorOffsets",
    "put_resource": operations.PUT_RESOURCE,
    "get_resource": operations.GET_RESOURCE,
    "get_offsets": "GetConnectorOffsets",
    "alter_offsets": "AlterConnectorOffsets",
}
"""Of the client's operations, those of the API."""


def _called(names: frozenset[str]) -> frozenset[str]:
    return frozenset(ours for ours, theirs in NAMES.items() if theirs in names)


CHANGING = _called(operations.CHANGING)
CACHED = _called(CACHED_OPERATIONS)
REBALANCING = _called(REBALANCING_OPERATIONS)
OPTIONAL = frozenset({"get_resource", "put_resource"})
PLUGIN = ConnectorClass(CLASS, "source", max_tasks=1, alters_offsets=True)
AT_ONCE = Delays(state=0.0, task=0.0, delete=0.0)


def refusal(status: int, words: str, kind: str = "", retry_after: float | None = None) -> Refused:
    """An answer that is no success. `kind`: HQ's type, empty for the agent's shape, `page` for neither."""
    match kind:
        case "":
            answer = agent_error(status, words)
        case "page":
            answer = html(status, words)
        case kind:
            answer = problem(kind, words, status)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return Refused(answer)


def read(answer: Answer, operation: str) -> errors.LensesError:
    """What the client makes of an answer that is no success."""
    pause = answer.headers.get("Retry-After")
    return from_answer(
        operation,
        answer.status,
        answer.body,
        retry_after=None if pause is None else float(pause),
        optional=operation in OPTIONAL,
    )


def at_once(call: Coroutine[Any, Any, T]) -> T:
    """What a call comes to that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits")


def class_of(config: dict[str, str]) -> ConnectorClass:
    """Whatever it is called, it is installed, and a source."""
    return replace(PLUGIN, name=config.get("connector.class", CLASS))


@dataclass
class Connector(MemoryConnector):
    """One that is there already, with a task that runs, and whose changes take no time."""

    tasks: list[Task] = field(default_factory=lambda: [Task(0)])
    delays: Delays = field(default_factory=lambda: AT_ONCE, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.plugin = self.plugin or class_of(self.config)


@dataclass(frozen=True)
class Request:
    """`name` is the connector's, `place` what is asked about where there is none, `body` what is sent."""

    operation: str
    name: str = ""
    what: str = ""
    place: str = ""
    body: Any = None
    precondition: Precondition = lambda: True


class Lenses:
    """What the client can be asked for, of one Connect cluster. A subclass says how a request fares."""

    def __init__(self, cluster: MemoryCluster) -> None:
        cluster.known_plugins = [PLUGIN]
        self.cluster = cluster
        self.as_code = True
        """Whether it has the resource-as-code endpoint."""

    @property
    def connectors(self) -> dict[str, MemoryConnector]:
        return self.cluster.connectors

    @connectors.setter
    def connectors(self, connectors: dict[str, MemoryConnector]) -> None:
        self.cluster.connectors = connectors

    async def request(self, asked: Request, effect: Callable[[], T]) -> T:
        raise NotImplementedError

    # What the requests come to.

    def _info(self, cluster: str) -> ClusterInfo:
        return ClusterInfo.model_validate(at_once(self.cluster.info()) | {"name": cluster})

    def _topics(self) -> list[str]:
        return ["orders"]

    def _plugins(self) -> list[Plugin]:
        return [Plugin.model_validate(found) for found in at_once(self.cluster.plugins())]

    def _listed(self) -> list[ConnectorListItem]:
        return [self._item(name) for name, _ in self.cluster.all()]

    def _item(self, name: str) -> ConnectorListItem:
        """Lenses' list sends more than the file says, such as traces, which must come to nothing."""
        return ConnectorListItem.model_validate(at_once(self.cluster.details(name)))

    def _details(self, name: str) -> ConnectorDetails:
        found = at_once(self.cluster.details(name))
        return ConnectorDetails.model_validate(found | self._shown(name, dict(self.connectors[name].config)))

    def _shown(self, name: str, config: dict[str, str]) -> dict[str, Any]:
        """`config`, unless it is not shown at all, and `__errors` for what is withheld."""
        raise NotImplementedError

    def _validated(self, config: dict[str, str]) -> ValidationResult:
        raise NotImplementedError

    def _as_code(self, name: str) -> str:
        if not self.as_code:
            raise refusal(404, "Not Found", "page")
        self.cluster.need(name)
        return "kind: KafkaConnector"

    def _offsets(self, name: str) -> OffsetsText:
        return offsets_of(json.dumps(at_once(self.cluster.offsets(name))))

    def _create(self, name: str, config: dict[str, str]) -> None:
        at_once(self.cluster.create(name, config))

    def _put(self, name: str, config: dict[str, str], state: str) -> None:
        """Creates it where there is none, and else leaves its state alone."""
        at_once(self.cluster.update(name, config, None if self.cluster.find(name) else state))

    def _delete(self, name: str) -> None:
        at_once(self.cluster.delete(name))

    def _set_state(self, name: str, action: StateAction) -> None:
        at_once(self.cluster.act(name, action))

    def _restart_task(self, name: str, task: int) -> None:
        at_once(self.cluster.restart_task(name, task))

    def _reset_offsets(self, name: str) -> str:
        return str(at_once(self.cluster.reset_offsets(name))["message"])

    def _alter_offsets(self, name: str, text: str) -> str:
        return str(at_once(self.cluster.alter_offsets(name, f'{{"offsets": {text}}}'.encode()))["message"])

    # Reads.

    async def poll_connectors(
        self, environment: str, known: Listing | None = None, *, cluster: str | None = None
    ) -> Listing:
        found = tuple(await self.list_connectors(environment))
        digest = repr(found).encode()
        return known if known is not None and known.digest == digest else Listing(found, digest)

    async def list_connectors(self, environment: str) -> list[ConnectorListItem]:
        return await self.request(Request("list_connectors", place=environment), self._listed)

    async def poll_connector(self, environment: str, cluster: str, name: str, known: bytes | None = None) -> Shown:
        details = await self.request(Request("get_connector", name), lambda: self._details(name))
        digest = details.model_dump_json().encode()
        return Shown(None if digest == known else details, digest)

    async def get_cluster_info(self, environment: str, cluster: str) -> ClusterInfo:
        return await self.request(Request("get_cluster_info", place=cluster), lambda: self._info(cluster))

    async def get_topics(self, environment: str, cluster: str, name: str) -> list[str]:
        return await self.request(Request("get_topics", name), self._topics)

    async def list_plugins(self, environment: str, *, cluster: str | None = None) -> list[Plugin]:
        return await self.request(Request("list_plugins", place=str(cluster)), self._plugins)

    async def validate(self, environment: str, request: ConnectorRequest) -> ValidationResult:
        config = dict(request.configuration)
        return await self.request(Request("validate", request.name, body=config), lambda: self._validated(config))

    async def get_resource(self, environment: str, cluster: str, name: str) -> str:
        return await self.request(Request("get_resource", name), lambda: self._as_code(name))

    async def get_offsets(self, environment: str, cluster: str, name: str) -> OffsetsText:
        return await self.request(Request("get_offsets", name), lambda: self._offsets(name))

    # Changes.

    async def create_connector(
        self, environment: str, request: ConnectorRequest, *, precondition: Precondition
    ) -> None:
        name, config = request.name, dict(request.configuration)
        asked = Request("create_connector", name, body=config, precondition=precondition)
        await self.request(asked, lambda: self._create(name, config))

    async def put_resource(self, environment: str, document: str, *, precondition: Precondition) -> None:
        spec = json.loads(document)["spec"]
        name, config, state = spec["name"], spec["config"], spec["state"]
        asked = Request("put_resource", name, state, body=config, precondition=precondition)
        await self.request(asked, lambda: self._put(name, config, state))

    async def delete_connector(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> None:
        asked = Request("delete_connector", name, precondition=precondition)
        await self.request(asked, lambda: self._delete(name))

    async def set_state(
        self, environment: str, cluster: str, name: str, action: StateAction, *, precondition: Precondition
    ) -> None:
        asked = Request("set_state", name, action, precondition=precondition)
        await self.request(asked, lambda: self._set_state(name, action))

    async def restart_task(
        self, environment: str, cluster: str, name: str, task: int, *, precondition: Precondition
    ) -> None:
        asked = Request("restart_task", name, str(task), precondition=precondition)
        await self.request(asked, lambda: self._restart_task(name, task))

    async def reset_offsets(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> str:
        asked = Request("reset_offsets", name, precondition=precondition)
        return await self.request(asked, lambda: self._reset_offsets(name))

    async def alter_offsets(
        self, environment: str, cluster: str, name: str, offsets_json: str, *, precondition: Precondition
    ) -> str:
        asked = Request("alter_offsets", name, body=offsets_json, precondition=precondition)
        return await self.request(asked, lambda: self._alter_offsets(name, offsets_json))
