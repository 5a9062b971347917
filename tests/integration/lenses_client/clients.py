"""Everything in the project that opens a connection for a token, each as one call."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import kopf
import pytest
from kopf._cogs.clients.auth import APIContext
from kubernetes.aio.config import incluster_config

from harness.wanted import always
from lenses_operator.kube.api import KubeApi
from lenses_operator.kube.connection import connect
from lenses_operator.lenses import ConnectorRequest, LensesClient, LensesTransport, StaticToken, probe

TOKEN = "planted-token"
REQUEST = ConnectorRequest(name="orders", cluster="prod", configuration={"password": "hunter2"})
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{url}", {trust}}}}}]
users: [{{name: u, user: {{token: {token}}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
"""

Ask = Callable[[str, Path | None, Path, pytest.MonkeyPatch], Awaitable[None]]
"""Asks the server at a URL, trusting a CA file; a directory of its own, and a patch for its environment."""


async def lenses_read(url: str, ca: Path | None, *_: object) -> None:
    transport = LensesTransport(url, ca_file=ca)
    try:
        await LensesClient(transport, StaticToken(TOKEN)).list_connectors("env")
    finally:
        await transport.aclose()


async def lenses_write(url: str, ca: Path | None, *_: object) -> None:
    transport = LensesTransport(url, ca_file=ca)
    try:
        await LensesClient(transport, StaticToken(TOKEN)).create_connector("env", REQUEST, precondition=always)
    finally:
        await transport.aclose()


async def doctor(url: str, ca: Path | None, *_: object) -> None:
    await probe.ask(url, TOKEN, ca)


def kubeconfig(url: str, ca: Path | None, folder: Path, patch: pytest.MonkeyPatch, trust: str = "") -> None:
    """A file, and the environment of a process that is told to use it."""
    path = folder / "kubeconfig"
    trust = trust or (f"certificate-authority: {ca}" if ca else "")
    path.write_text(KUBECONFIG.format(url=url, trust=trust, token=TOKEN))
    patch.setenv("KUBECONFIG", str(path))
    patch.setattr("kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    patch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


async def ask_kubernetes(*, write: bool = False) -> None:
    client = await connect()
    try:
        if write:
            await KubeApi(client).patch("lensesconnectors", "ns", "orders", [{"op": "add", "path": "/x", "value": 1}])
        else:
            await KubeApi(client).get("lensesconnectors", "ns", "orders")
    finally:
        await client.close()  # type: ignore[no-untyped-call]


async def kubernetes_read(url: str, ca: Path | None, folder: Path, patch: pytest.MonkeyPatch) -> None:
    kubeconfig(url, ca, folder, patch)
    await ask_kubernetes()


async def kubernetes_write(url: str, ca: Path | None, folder: Path, patch: pytest.MonkeyPatch) -> None:
    kubeconfig(url, ca, folder, patch)
    await ask_kubernetes(write=True)


async def in_cluster(url: str, ca: Path | None, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """With a ServiceAccount's files. Such a pod always has a CA file: some other CA where the test trusts none."""
    (folder / "token").write_text(TOKEN)
    host, _, port = url.removeprefix("https://").partition(":")
    patch.setenv("KUBERNETES_SERVICE_HOST", host)
    patch.setenv("KUBERNETES_SERVICE_PORT", port)
    patch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(folder / "token"))
    patch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(ca))
    await ask_kubernetes()


async def watch(url: str, ca: Path | None, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """kopf's session, as its watches have it."""
    kubeconfig(url, ca, folder, patch)
    info = kopf.login_with_kubeconfig(settings=kopf.OperatorSettings(), logger=logging.getLogger(__name__))
    assert info is not None
    context = APIContext(info)
    try:
        async with context.session.get(url) as response:
            await response.read()
    finally:
        await context.close()


LENSES: list[Ask] = [lenses_read, lenses_write, doctor]
KUBERNETES: list[Ask] = [kubernetes_read, kubernetes_write, in_cluster, watch]
