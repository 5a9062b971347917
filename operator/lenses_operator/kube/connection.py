"""The connection to the Kubernetes API: whose credentials, and where they may go."""

from __future__ import annotations

from aiohttp import ClientError, ClientHandlerType, ClientRequest, ClientResponse
from kubernetes.aio import config as kube_config
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException
from yaml import YAMLError
from yarl import URL

from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.json_depth import DeepClient

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class RedirectedError(ClientError):
    """The server named another address instead of answering. The Kubernetes API does not do that."""


async def connect(kubeconfig: str | None = None, context: str | None = None) -> ApiClient:
    """In-cluster credentials, else kubeconfig; that alone where one or a context of it is named.

    Raises KubeError where there are neither.

    Certificates are checked against the CA that comes with them, unless a kubeconfig says not to. A proxy is used
    only if a kubeconfig names one, as by the watches: the environment's would carry half of the requests.
    """
    configuration = Configuration(client_session_kwargs={"trust_env": False, "middlewares": (_refuse_redirects,)})
    try:
        kube_config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        elsewhere = bool(kubeconfig or context)
    except ConfigException:
        elsewhere = True
    if elsewhere:
        try:
            await kube_config.load_kube_config(  # type: ignore[no-untyped-call]
                kubeconfig, context, client_configuration=configuration
            )
        except (ConfigException, OSError, ValueError, YAMLError) as error:
            why = " ".join(str(error).split())
            raise KubeError("Kubernetes access", 0, f"neither in-cluster nor kubeconfig: {why}") from error
    return DeepClient(configuration)


async def _refuse_redirects(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Neither the token nor the body of a request goes anywhere else."""
    response = await handler(request)
    if response.status not in _REDIRECTS:
        return response
    response.close()
    raise RedirectedError(f"redirected to {_target(request.url, response.headers.get('Location', ''))}, not followed")


def _target(here: URL, location: str) -> str:
    """Scheme, host and port: the rest may hold what is nobody's business."""
    try:
        return str(here.join(URL(location)).origin())
    except ValueError:
        return "what is no address"
