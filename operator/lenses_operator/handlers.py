"""The kopf handlers: each hands an object over and returns. Everything else is the core's business.

Of objects that are known as they are, kopf is told nothing (`kube/watch_session.py`).

kopf runs on a thread and an event loop of its own: as it ends, it cancels every task of its loop that is younger than
itself and waits for them without a bound, and on the main thread it takes SIGTERM for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

import kopf
from aiohttp import ClientMiddlewareType

from lenses_operator.cache.connector_feed import ConnectorFeed
from lenses_operator.cache.operations import OperationFeed
from lenses_operator.kube.api import PAGE
from lenses_operator.kube.kinds import Kinds
from lenses_operator.kube.list_versions import ListVersions
from lenses_operator.kube.watch_session import Known, watching
from lenses_operator.resources.base import GROUP, VERSION, WATCH_LABEL
from lenses_operator.resources.connector import PLURAL
from lenses_operator.resources.connector_offsets import PLURAL as OFFSETS

# It warns that it leaves signals alone, which is what we want of it.
logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
END = 10.0
"""Seconds kopf gets to end."""

Tell = Callable[..., object]
"""Calls a function with its arguments on the operator's own loop."""


def build_registry(
    feed: ConnectorFeed,
    operations: OperationFeed,
    tell: Tell,
    middleware: ClientMiddlewareType,
    versions: ListVersions,
    *,
    watch_references: bool,
) -> kopf.OperatorRegistry:
    """A registry of our own, since kopf's default one is a global."""
    registry = kopf.OperatorRegistry()

    logins = _Logins(middleware, Known({PLURAL: feed.is_news, OFFSETS: operations.is_news}, versions))

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.AiohttpSession | None:
        info = await asyncio.to_thread(_credentials, **kwargs)
        return logins.session(info) if info else None

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def connector(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's own name
        tell(feed.gone if type == "DELETED" else feed.seen, body)

    @kopf.on.event(GROUP, VERSION, OFFSETS, registry=registry)
    async def offsets(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's own name
        tell(operations.gone if type == "DELETED" else operations.seen, body)

    if watch_references:
        _watch_references(registry, feed, tell)
    return registry


def _credentials(**kwargs: Any) -> kopf.ConnectionInfo | None:
    inside = kopf.login_with_service_account(**kwargs)
    return _by_address(inside) if inside else kopf.login_with_kubeconfig(**kwargs)


class _Logins:
    """A session of our own for credentials, since kopf's fails at an object that is nested too deeply."""

    def __init__(self, middleware: ClientMiddlewareType, known: Known) -> None:
        self._middleware = middleware
        self._known = known
        self._last: tuple[kopf.ConnectionInfo, kopf.AiohttpSession] | None = None

    def session(self, info: kopf.ConnectionInfo) -> kopf.AiohttpSession:
        """The same for the same: kopf would try credentials that were refused again and again if they looked new."""
        if self._last is None or self._last[0] != info:
            session = watching(
                info.as_ssl_context(), info.as_http_headers(), info.proxy_url, self._middleware, self._known
            )
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


def _watch_references(registry: kopf.OperatorRegistry, feed: ConnectorFeed, tell: Tell) -> None:
    @kopf.on.event("", "v1", "secrets", registry=registry)
    async def secret(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's own name
        tell(feed.reference, type, "Secret", body)

    @kopf.on.event("", "v1", "configmaps", registry=registry)
    async def config_map(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's own name
        tell(feed.reference, type, "ConfigMap", body)


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
    settings.watching.chunk_size = PAGE
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
    feed: ConnectorFeed,
    operations: OperationFeed,
    kinds: Kinds,
    versions: ListVersions,
    namespaces: Sequence[str],
    selector: str,
    *,
    watch_references: bool,
) -> None:
    """Until cancelled, of kinds that are served, from the versions of our own lists on. A watch whose kind goes waits
    until it is back; any other end of one is raised."""
    tell = asyncio.get_running_loop().call_soon_threadsafe
    registry = build_registry(feed, operations, tell, kinds.waiting, versions, watch_references=watch_references)
    await _on_a_thread(
        lambda stop: kopf.operator(
            registry=registry,
            settings=build_settings(selector),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=list(namespaces),
            # kopf would ask who the user is, and a container's user is often a bare number.
            identity=cast("Any", "lenses-operator"),
            stop_flag=stop,
        )
    )


async def _on_a_thread(operator: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Until it ends, which is raised, or we are cancelled and END is over: the thread does not keep the process."""
    ours, theirs = asyncio.get_running_loop(), asyncio.new_event_loop()
    stop = asyncio.Event()
    ended: asyncio.Future[None] = ours.create_future()

    def settle(error: BaseException | None) -> None:
        if ended.cancelled():
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    def run() -> None:
        error = None
        try:
            with asyncio.Runner(loop_factory=lambda: theirs) as runner:
                runner.run(operator(stop))
        except BaseException as found:
            error = RuntimeError("the watches were cancelled") if isinstance(found, asyncio.CancelledError) else found
        with contextlib.suppress(RuntimeError):  # the operator has ended before us
            ours.call_soon_threadsafe(settle, error)

    threading.Thread(target=run, name="watches", daemon=True).start()
    try:
        await asyncio.shield(ended)
        raise RuntimeError("the watches have ended unexpectedly")
    except asyncio.CancelledError:
        with contextlib.suppress(RuntimeError):  # it has ended meanwhile
            theirs.call_soon_threadsafe(stop.set)
        with contextlib.suppress(Exception):  # we were asked to end: how it ended does not matter any more
            await asyncio.wait_for(ended, END)
        raise
