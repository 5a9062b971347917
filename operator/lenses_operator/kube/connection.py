"""The connection to the Kubernetes API: whose credentials, and where they may go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar

from aiohttp import ClientError, ClientHandlerType, ClientRequest, ClientResponse, TraceConfig
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import load_incluster_config
from yarl import URL

from lenses_operator.kube.access import DEFAULT, Access
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.json_depth import DeepClient

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GATE: ContextVar[Callable[[], None]] = ContextVar("gate", default=lambda: None)


class RedirectedError(ClientError):
    """The server named another address instead of answering. The Kubernetes API does not do that."""


async def connect(access: Access = DEFAULT) -> ApiClient:
    """In-cluster credentials, else kubeconfig; that alone where one or a context of it is named.

    Raises KubeError where there are neither.

    Certificates are checked against the CA that comes with them, unless a kubeconfig says not to. A proxy is used
    only if a kubeconfig names one, as by the watches: the environment's would carry half of the requests.
    """
    configuration = Configuration(
        client_session_kwargs={
            "trust_env": False,
            "middlewares": (_refuse_redirects,),
            "trace_configs": [_looking_again()],
        }
    )
    try:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        elsewhere = access.named
    except ConfigException:
        elsewhere = True
    if elsewhere:
        await _load_kubeconfig(configuration, access)
    return DeepClient(configuration)


async def _load_kubeconfig(configuration: Configuration, access: Access) -> None:
    # Imported here: a pod needs none of it.
    from kubernetes.aio.config.kube_config import load_kube_config
    from yaml import YAMLError

    try:
        path = str(access.kubeconfig) if access.kubeconfig else None
        await load_kube_config(path, access.context, client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError, YAMLError) as error:
        why = " ".join(str(error).split())
        raise KubeError("Kubernetes access", 0, f"neither in-cluster nor kubeconfig: {why}") from error


@asynccontextmanager
async def last_look(gate: Callable[[], None]) -> AsyncIterator[None]:
    """The gate of the requests in here is checked once there is a connection, for which they may have waited."""
    before = _GATE.set(gate)
    try:
        yield
    finally:
        _GATE.reset(before)


def _looking_again() -> TraceConfig:
    async def look(*_: object) -> None:
        _GATE.get()()

    trace = TraceConfig()
    trace.on_connection_create_end.append(look)
    trace.on_connection_reuseconn.append(look)
    return trace


async def _refuse_redirects(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Neither the token nor the body of a request goes anywhere else."""
    response = await handler(request)
    if response.status not in _REDIRECTS:
        return response
    response.close()
    raise RedirectedError(f"redirected to {_target(request.url, response.headers.get('Location', ''))}, not followed")


def _target(here: URL, location: str) -> str:
    """Scheme, host and port: the rest may hold secrets."""
    try:
        return str(here.join(URL(location)).origin())
    except ValueError:
        return "what is no address"
