"""Lenses in memory, as the operator's client sees it: every operation is one request, and comes to one effect."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from lenses_operator.lenses import errors
from lenses_operator.lenses.answers import from_answer
from lenses_operator.lenses.client import Listing, Shown
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorListItem,
    ConnectorRequest,
    ListedTask,
    OffsetsText,
    Plugin,
    StateAction,
    Task,
    ValidationResult,
)
from lenses_operator.lenses.transport import Precondition
from unit.resources.make import CLASS

T = TypeVar("T")
ALTERED = "The offsets for this connector have been altered successfully"
RESET = "The offsets for this connector have been reset successfully"
CHANGING = frozenset(
    {
        "create_connector",
        "delete_connector",
        "set_state",
        "restart_task",
        "reset_offsets",
        "alter_offsets",
        "put_resource",
    }
)
OPTIONAL = frozenset({"get_resource", "put_resource"})
STATES = {"pause": "PAUSED", "stop": "STOPPED", "resume": "RUNNING"}


class Refusal(Exception):  # noqa: N818 - what it says is no error of this program
    """An answer that is no success. `kind`: HQ's type, empty for the agent's shape, `page` for neither."""

    def __init__(self, status: int, words: str, kind: str = "", retry_after: float | None = None) -> None:
        super().__init__(status, words)
        self.status, self.words, self.kind, self.retry_after = status, words, kind, retry_after

    def read(self, operation: str) -> errors.LensesError:
        """What the client makes of it."""
        match self.kind:
            case "":
                told = json.dumps({"error": self.words, "fields": [], "errorType": "Failure"})
            case "page":
                told = f"<html><body>{self.words}</body></html>"
            case kind:
                told = json.dumps({"type": kind, "title": self.words, "status": self.status})
        optional = operation in OPTIONAL
        return from_answer(operation, self.status, told.encode(), retry_after=self.retry_after, optional=optional)


@dataclass
class Connector:
    """What a Connect cluster holds."""

    config: dict[str, str]
    state: str = "RUNNING"
    tasks: list[tuple[str, str | None]] = field(default_factory=lambda: [("RUNNING", None)])
    """State and trace of each."""

    def rest(self, state: str) -> None:
        """In this state, its tasks too."""
        self.state, self.tasks = state, [] if state == "STOPPED" else [(state, None)]

    @property
    def stopped(self) -> bool:
        return self.state == "STOPPED" and not self.tasks

    def told(self) -> tuple[Task, ...]:
        return tuple(
            Task(id=number, state=state, worker_id="w1:8083", trace=trace)
            for number, (state, trace) in enumerate(self.tasks)
        )

    def listed(self) -> tuple[ListedTask, ...]:
        """The list sends traces too, which must come to nothing."""
        return tuple(ListedTask.model_validate(task.model_dump()) for task in self.told())


class Effects(Protocol):
    """What the requests come to."""

    def _info(self, cluster: str) -> ClusterInfo:
        return ClusterInfo(name=cluster, version="4.3.1")

    def _topics(self) -> list[str]:
        return ["orders"]

    def _plugins(self) -> list[Plugin]:
        return [Plugin.model_validate({"class": CLASS, "cluster": "connect-eu", "type": "source"})]

    def _listed(self) -> list[ConnectorListItem]: ...
    def _details(self, cluster: str, name: str) -> ConnectorDetails: ...
    def _validated(self, config: dict[str, str]) -> ValidationResult: ...
    def _as_code(self, cluster: str, name: str) -> str: ...
    def _offsets(self, cluster: str, name: str) -> OffsetsText: ...
    def _create(self, cluster: str, name: str, config: dict[str, str]) -> None: ...
    def _put(self, cluster: str, name: str, config: dict[str, str], state: str) -> None: ...
    def _delete(self, cluster: str, name: str) -> None: ...
    def _set_state(self, cluster: str, name: str, action: StateAction) -> None: ...
    def _restart_task(self, cluster: str, name: str, task: int) -> None: ...
    def _reset_offsets(self, cluster: str, name: str) -> str: ...
    def _alter_offsets(self, cluster: str, name: str, text: str) -> str: ...


@dataclass(frozen=True)
class Request:
    """`name` is the connector's, `place` what is asked about where there is none, `body` what is sent."""

    operation: str
    name: str = ""
    what: str = ""
    place: str = ""
    body: Any = None
    precondition: Precondition = lambda: True


class Lenses(Effects):
    """What the client can be asked for. A subclass says how a request fares, and what it comes to."""

    async def request(self, asked: Request, effect: Callable[[], T]) -> T:
        raise NotImplementedError

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
        details = await self.request(Request("get_connector", name), lambda: self._details(cluster, name))
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
        return await self.request(Request("get_resource", name), lambda: self._as_code(cluster, name))

    async def get_offsets(self, environment: str, cluster: str, name: str) -> OffsetsText:
        return await self.request(Request("get_offsets", name), lambda: self._offsets(cluster, name))

    # Changes.

    async def create_connector(
        self, environment: str, request: ConnectorRequest, *, precondition: Precondition
    ) -> None:
        cluster, name, config = request.cluster, request.name, dict(request.configuration)
        asked = Request("create_connector", name, body=config, precondition=precondition)
        await self.request(asked, lambda: self._create(cluster, name, config))

    async def put_resource(self, environment: str, document: str, *, precondition: Precondition) -> None:
        spec = json.loads(document)["spec"]
        cluster, name, config, state = spec["cluster"], spec["name"], spec["config"], spec["state"]
        asked = Request("put_resource", name, state, body=config, precondition=precondition)
        await self.request(asked, lambda: self._put(cluster, name, config, state))

    async def delete_connector(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> None:
        asked = Request("delete_connector", name, precondition=precondition)
        await self.request(asked, lambda: self._delete(cluster, name))

    async def set_state(
        self, environment: str, cluster: str, name: str, action: StateAction, *, precondition: Precondition
    ) -> None:
        asked = Request("set_state", name, action, precondition=precondition)
        await self.request(asked, lambda: self._set_state(cluster, name, action))

    async def restart_task(
        self, environment: str, cluster: str, name: str, task: int, *, precondition: Precondition
    ) -> None:
        asked = Request("restart_task", name, str(task), precondition=precondition)
        await self.request(asked, lambda: self._restart_task(cluster, name, task))

    async def reset_offsets(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> str:
        asked = Request("reset_offsets", name, precondition=precondition)
        return await self.request(asked, lambda: self._reset_offsets(cluster, name))

    async def alter_offsets(
        self, environment: str, cluster: str, name: str, offsets_json: str, *, precondition: Precondition
    ) -> str:
        asked = Request("alter_offsets", name, body=offsets_json, precondition=precondition)
        return await self.request(asked, lambda: self._alter_offsets(cluster, name, offsets_json))
