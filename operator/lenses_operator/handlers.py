"""The kopf handlers: each hands an object over and returns. Everything else is the core's business."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Sequence
from typing import Any, cast

import kopf

from lenses_operator.cache.connector_feed import ConnectorFeed
from lenses_operator.cache.operations import OperationFeed
from lenses_operator.kube.json_depth import watching
from lenses_operator.resources.base import GROUP, VERSION, WATCH_LABEL
from lenses_operator.resources.connector import PLURAL
from lenses_operator.resources.connector_offsets import PLURAL as OFFSETS


def build_registry(
    intake: ConnectorFeed, operations: OperationFeed, *, watch_references: bool
) -> kopf.OperatorRegistry:
    """A registry of our own, since kopf's default one is a global."""
    registry = kopf.OperatorRegistry()

    logins = _Logins()

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.AiohttpSession | None:
        info = await asyncio.to_thread(_credentials, **kwargs)
        return logins.session(info) if info else None

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def connector(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's own name
        if type == "DELETED":
            intake.gone(body)
        else:
            intake.seen(body)

    @kopf.on.event(GROUP, VERSION, OFFSETS, registry=registry)
    async def offsets(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's own name
        if type == "DELETED":
            operations.gone(body)
        else:
            operations.seen(body)

    if watch_references:
        _watch_references(registry, intake)
    return registry


def _credentials(**kwargs: Any) -> kopf.ConnectionInfo | None:
    inside = kopf.login_with_service_account(**kwargs)
    return _by_address(inside) if inside else kopf.login_with_kubeconfig(**kwargs)


class _Logins:
    """A session of our own for credentials, since kopf's fails at an object that is nested too deeply."""

    def __init__(self) -> None:
        self._last: tuple[kopf.ConnectionInfo, kopf.AiohttpSession] | None = None

    def session(self, info: kopf.ConnectionInfo) -> kopf.AiohttpSession:
        """The same for the same: kopf would try credentials that were refused again and again if they looked new."""
        if self._last is None or self._last[0] != info:
            session = watching(info.as_ssl_context(), info.as_http_headers(), info.proxy_url)
            made = kopf.AiohttpSession(
                server=info.server,
                priority=info.priority,
                default_namespace=info.default_namespace,
                expiration=info.expiration,
                aiohttp_session=session,
            )
            self._last = info, made
        return self._last[1]


def _by_address(info: kopf.ConnectionInfo) -> kopf.ConnectionInfo:
    """kopf takes the API server's name, which a pod on its host's network may not resolve; our own client does this."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        return info
    return dataclasses.replace(info, server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}")


def _watch_references(registry: kopf.OperatorRegistry, intake: ConnectorFeed) -> None:
    @kopf.on.event("", "v1", "secrets", registry=registry)
    async def secret(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's own name
        intake.reference(type, "Secret", body)

    @kopf.on.event("", "v1", "configmaps", registry=registry)
    async def config_map(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's own name
        intake.reference(type, "ConfigMap", body)


class _NoDifferences(kopf.DiffBaseStorage):
    """We have no handlers of changes: kopf would copy every body it is shown, to find none."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return cast("kopf.BodyEssence", {})

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        pass


def build_settings(selector: str) -> kopf.OperatorSettings:
    """kopf as an informer and nothing more: it must never write to an object."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True  # needs no rights on CRDs and namespaces
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 300
    settings.queueing.idle_timeout = 0.1  # s; at a start every object has a task with its body for as long
    settings.persistence.diffbase_storage = _NoDifferences()
    settings.persistence.finalizer = (
        f"{GROUP}/kopf"  # with our finalizer's name here, kopf would strip it in a hot loop
    )
    for plural in ("secrets", "configmaps"):
        settings.watching.label_selectors["", "v1", plural] = f"{WATCH_LABEL}=true"
    if selector:
        for plural in (PLURAL, OFFSETS):
            settings.watching.label_selectors[GROUP, VERSION, plural] = selector
    return settings


async def watch(
    intake: ConnectorFeed,
    operations: OperationFeed,
    namespaces: Sequence[str],
    selector: str,
    stop_flag: Any,
    *,
    watch_references: bool,
    ready_flag: Any = None,
) -> None:
    """Runs kopf's watches until `stop_flag` is set or a signal comes; `ready_flag` is set as they begin."""
    await kopf.operator(
        registry=build_registry(intake, operations, watch_references=watch_references),
        settings=build_settings(selector),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=list(namespaces),
        # kopf would ask who the user is, and a container's user is often a bare number.
        identity=cast("Any", "lenses-operator"),
        stop_flag=stop_flag,
        ready_flag=ready_flag,
    )
