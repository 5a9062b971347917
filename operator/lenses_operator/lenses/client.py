"""The operations of the Lenses Kafka Connect API, one method each.

Every method raises LensesError (see `errors`) and nothing else. An answer that does not fit its model is an
UnusableAnswer as a whole, lists included: a list without the one item that could not be read would look as if that
connector did not exist.

What changes something takes a precondition, which is asked right before the first byte: the request may have waited for
its place until nobody wants it any more. PreconditionFailed then says that nothing was sent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from lenses_operator.aside import aside
from lenses_operator.interning import intern_fields
from lenses_operator.lenses import answers, errors
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorList,
    ConnectorListItem,
    ConnectorName,
    ConnectorNames,
    ConnectorRequest,
    EnvironmentInfo,
    EnvironmentList,
    Message,
    NamedItem,
    OffsetsText,
    Plugin,
    PluginList,
    StateAction,
    Task,
    ValidationField,
    ValidationResult,
    parse_offsets,
)
from lenses_operator.lenses.reading import Form, parse, read, read_offsets
from lenses_operator.lenses.tokens import TokenSource
from lenses_operator.lenses.transport import Answer, Call, LensesTransport, OnResponse, Precondition, names

T = TypeVar("T")

_YAML_KEY = re.compile(rb"^[A-Za-z][\w.-]*[ \t]*:", re.MULTILINE)
"""At the margin: what tells a document from a page, a word or JSON."""
HEAD = 64 * 1024
"""Bytes of a document in which its first key is, after any comments."""
_CONNECTORS = Form(TypeAdapter(ConnectorList), "data", TypeAdapter(list[ConnectorListItem]))
_NAMES = Form(TypeAdapter(ConnectorNames), "data", TypeAdapter(list[NamedItem]))
_CONNECTOR = Form(TypeAdapter(ConnectorDetails), "tasks", TypeAdapter(list[Task]))
_PLUGINS = Form(TypeAdapter(PluginList), "data", TypeAdapter(list[Plugin]))
_VALIDATION = Form(TypeAdapter(ValidationResult), "configuration", TypeAdapter(list[ValidationField]))
_TOPICS = Form(TypeAdapter(list[str]), items=TypeAdapter(list[str]))
_CLUSTER = Form(TypeAdapter(ClusterInfo))
_ENVIRONMENT = Form(TypeAdapter(EnvironmentInfo))
_ENVIRONMENTS = Form(TypeAdapter(EnvironmentList), "items", TypeAdapter(list[EnvironmentInfo]))
_MESSAGE = Form(TypeAdapter(Message))
_NOTHING = Form(TypeAdapter(object))


@dataclass(frozen=True)
class Listing:
    """All connectors of an environment that a token may see, and what tells the answer from another one."""

    connectors: tuple[ConnectorListItem, ...]
    digest: bytes


@dataclass(frozen=True)
class Shown:
    """What Lenses shows of one connector, and what tells the answer from another one.

    `details` is None where the answer is the very one that was known.
    """

    details: ConnectorDetails | None
    digest: bytes


class LensesClient:
    """Lenses as seen with one token. `on_response` is called once per HTTP request, for metrics."""

    def __init__(
        self,
        transport: LensesTransport,
        tokens: TokenSource,
        *,
        on_response: OnResponse | None = None,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._on_response = on_response

    def with_tokens(self, tokens: TokenSource) -> LensesClient:
        """The same Lenses with another token; connections, limits and pauses are shared."""
        return LensesClient(self._transport, tokens, on_response=self._on_response)

    async def list_connectors(
        self,
        environment: str,
        *,
        clusters: Iterable[str] | None = None,
        class_names: Iterable[str] | None = None,
    ) -> list[ConnectorListItem]:
        """All connectors the token may see; what is not among them may still exist."""
        query = names("cluster", clusters) + names("className", class_names)
        call = Call("list_connectors", "GET", environment, _connect(environment, "connectors"), query)
        return list((await self._read(call, _CONNECTORS)).data)

    async def poll_connectors(
        self, environment: str, known: Listing | None = None, *, cluster: str | None = None
    ) -> Listing:
        """The same for pollers: a single try, and `known` itself if the answer is still that.

        Reading an answer of thousands costs more than all that a quiet poll causes otherwise.
        """
        query = names("cluster", None if cluster is None else [cluster])
        call = Call("list_connectors", "GET", environment, _connect(environment, "connectors"), query, patient=False)
        answer = await self._send(call)
        return await aside(len(answer.body), _listing, call, answer, known)

    async def name_connectors(self, environment: str) -> list[ConnectorName]:
        """The same for callers that need only the names: a single try. What does not fit is refused as there."""
        call = Call("list_connectors", "GET", environment, _connect(environment, "connectors"), patient=False)
        return list((await self._read(call, _NAMES)).data)

    async def create_connector(
        self, environment: str, request: ConnectorRequest, *, precondition: Precondition
    ) -> None:
        """Creates the connector, which runs at once."""
        path, content = _connect(environment, "connectors"), _json(request)
        call = Call("create_connector", "POST", environment, path, content=content, slow=True, first=True)
        await self._do(call, precondition)

    async def get_connector(self, environment: str, cluster: str, name: str) -> ConnectorDetails:
        call = Call("get_connector", "GET", environment, _connector(environment, cluster, name))
        return await self._read(call, _CONNECTOR)

    async def poll_connector(self, environment: str, cluster: str, name: str, known: bytes | None = None) -> Shown:
        """The same for pollers; `known` is the digest of an answer that need not be read again."""
        call = Call("get_connector", "GET", environment, _connector(environment, cluster, name))
        answer = await self._send(call)
        return await aside(len(answer.body), _shown, call, answer, known)

    async def delete_connector(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> None:
        """Deletes the connector; its offsets stay."""
        await self._do(
            Call("delete_connector", "DELETE", environment, _connector(environment, cluster, name)), precondition
        )

    async def list_plugins(self, environment: str, *, cluster: str | None = None) -> list[Plugin]:
        """The connector classes installed, of one cluster or of all."""
        query = names("cluster", None if cluster is None else [cluster])
        call = Call("list_plugins", "GET", environment, _connect(environment, "plugins"), query)
        return list((await self._read(call, _PLUGINS)).data)

    async def set_state(
        self, environment: str, cluster: str, name: str, action: StateAction, *, precondition: Precondition
    ) -> None:
        """Asks for the change; it happens later, so read until it shows."""
        await self._do(
            Call("set_state", "PUT", environment, _connector(environment, cluster, name, action)), precondition
        )

    async def restart_task(
        self, environment: str, cluster: str, name: str, task_id: int, *, precondition: Precondition
    ) -> None:
        path = _connector(environment, cluster, name, "tasks", str(task_id), "restart")
        await self._do(Call("restart_task", "PUT", environment, path), precondition)

    async def validate(self, environment: str, request: ConnectorRequest) -> ValidationResult:
        """Connect's verdict. An invalid configuration is a result with errors, not an exception."""
        path = _connect(environment, "validate")
        call = Call("validate", "POST", environment, path, content=_json(request), slow=True)
        return await self._read(call, _VALIDATION)

    async def get_topics(self, environment: str, cluster: str, name: str) -> list[str]:
        """The topics a connector has used; empty also for one that does not exist."""
        call = Call("get_topics", "GET", environment, _connector(environment, cluster, name, "topics"))
        return await self._read(call, _TOPICS)

    async def get_cluster_info(self, environment: str, cluster: str) -> ClusterInfo:
        """Name and version; an answer proves that the cluster is known and Connect up."""
        path = _connect(environment, "clusters", cluster, "info")
        return await self._read(Call("get_cluster_info", "GET", environment, path), _CLUSTER)

    async def get_offsets(self, environment: str, cluster: str, name: str) -> OffsetsText:
        """The offsets to the letter as Lenses wrote them."""
        call = Call("get_offsets", "GET", environment, _connector(environment, cluster, name, "offsets"))
        return await read_offsets(call, await self._send(call))

    async def alter_offsets(
        self, environment: str, cluster: str, name: str, offsets_json: str, *, precondition: Precondition
    ) -> str:
        """Sends a JSON array of `{partition, offset}` to the letter; the API's message.

        The connector must be STOPPED and have no tasks. Raises BadRequest, unsent, for text that is no such array.
        """
        try:
            await aside(len(offsets_json), parse_offsets, offsets_json)
        except ValueError as failure:
            raise errors.BadRequest("alter_offsets", f"not sent: {failure}") from None
        path = _connector(environment, cluster, name, "offsets")
        content = f'{{"offsets":{offsets_json}}}'.encode()
        return (
            await self._read(Call("alter_offsets", "PATCH", environment, path, content=content), _MESSAGE, precondition)
        ).message

    async def reset_offsets(self, environment: str, cluster: str, name: str, *, precondition: Precondition) -> str:
        """Forgets all offsets; the API's message. The connector must be STOPPED and have no tasks."""
        call = Call("reset_offsets", "DELETE", environment, _connector(environment, cluster, name, "offsets"))
        return (await self._read(call, _MESSAGE, precondition)).message

    async def get_environment(self, environment: str) -> EnvironmentInfo:
        """HQ's own view, outside the Kafka Connect API; it answers also where the agent is not connected."""
        path = ("api", "v1", "environments", environment)
        return await self._read(Call("get_environment", "GET", environment, path), _ENVIRONMENT)

    async def list_environments(self) -> list[EnvironmentInfo]:
        """Those that HQ shows to this token, outside the Kafka Connect API.

        Raises MissingAgentCapability where this Lenses does not offer that.
        """
        call = Call("list_environments", "GET", "", ("api", "v1", "environments"), optional=True)
        return list((await self._read(call, _ENVIRONMENTS)).items)

    async def get_resource(self, environment: str, cluster: str, name: str) -> str:
        """A connector as a resource-as-code document (YAML), outside the Kafka Connect API; it holds its configuration.

        Raises MissingAgentCapability where this Lenses does not offer that, and also where there is no such connector.
        """
        path = ("api", "v1", "environments", environment, "proxy", "api", "v1", "resource")
        connector = ("kafka", "connect", cluster, "connector", name)
        call = Call("get_resource", "GET", environment, path + connector, accept="application/yaml", optional=True)
        answer = await self._send(call)
        if not _YAML_KEY.search(answer.body, 0, HEAD):
            raise answers.unusable(call.operation, answer.status, answer.body)
        return answer.body.decode("utf-8", "replace")

    async def put_resource(self, environment: str, document: str, *, precondition: Precondition) -> None:
        """Hands a resource-as-code document (YAML) to the agent, outside the Kafka Connect API.

        Raises MissingAgentCapability where this Lenses does not offer that.
        """
        path = ("api", "v1", "environments", environment, "proxy", "api", "v1", "resource")
        answer = await self._send(
            Call(
                "put_resource",
                "PUT",
                environment,
                path,
                content=document.encode(),
                content_type="application/yaml",
                accept="*/*",
                optional=True,
            ),
            precondition,
        )
        if answer.body.lstrip()[:1] == b"<":
            raise answers.unusable("put_resource", answer.status, answer.body)

    async def _send(self, call: Call, precondition: Precondition | None = None) -> Answer:
        return await self._transport.request(call, self._tokens, self._on_response, precondition)

    async def _do(self, call: Call, precondition: Precondition) -> None:
        """For operations whose answer says nothing; a login page with status 200 still is no answer."""
        answer = await self._send(call, precondition)
        if answer.body.strip():
            await read(call, answer, _NOTHING)

    async def _read(self, call: Call, form: Form[T], precondition: Precondition | None = None) -> T:
        return await read(call, await self._send(call, precondition), form)


def _listing(call: Call, answer: Answer, known: Listing | None) -> Listing:
    digest = hashlib.sha256(answer.body).digest()
    if known is not None and known.digest == digest:
        return known
    return Listing(intern_fields(parse(call, answer, _CONNECTORS)).data, digest)


def _shown(call: Call, answer: Answer, known: bytes | None) -> Shown:
    digest = hashlib.sha256(answer.body).digest()
    return Shown(None if digest == known else parse(call, answer, _CONNECTOR), digest)


def _connect(environment: str, *rest: str) -> tuple[str, ...]:
    return ("api", "v1", "environments", environment, "proxy", "api", "kafka-connect", *rest)


def _connector(environment: str, cluster: str, name: str, *rest: str) -> tuple[str, ...]:
    return _connect(environment, "clusters", cluster, "connectors", name, *rest)


def _json(request: ConnectorRequest) -> bytes:
    return request.model_dump_json(by_alias=True).encode()
