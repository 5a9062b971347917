"""kopf, as it is started: an informer and nothing more."""

from __future__ import annotations

import asyncio
import dataclasses
import getpass
import threading
from collections.abc import Coroutine
from typing import Any, cast

import kopf
import pytest
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

from lenses_operator import handlers
from lenses_operator.cache.connector_feed import ConnectorFeed
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache, OperationFeed
from lenses_operator.handlers import build_settings
from lenses_operator.kube.api import KubeApi
from lenses_operator.kube.kinds import Kinds
from lenses_operator.kube.list_versions import ListVersions
from lenses_operator.kube.watch_session import Known
from lenses_operator.resources.base import FINALIZER, GROUP, VERSION
from lenses_operator.resources.connector import PLURAL


class Served:
    """An API server that serves every kind."""

    async def serves(self, *_: object) -> bool:
        return True


def watches() -> Coroutine[Any, Any, None]:
    return handlers.watch(
        ConnectorFeed(ConnectorCache(), lambda _: None),
        OperationFeed(OperationCache(), lambda _: None),
        Kinds(cast("KubeApi", Served()), ()),
        ListVersions(),
        (),
        "",
        watch_references=False,
    )


async def test_a_user_that_is_a_bare_number_can_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def login(**_: object) -> None:
        loop.call_soon_threadsafe(started.set)
        threading.Event().wait(0.1)

    monkeypatch.setattr(getpass, "getuser", unknown)
    monkeypatch.setattr(handlers, "_credentials", login)
    watching = asyncio.create_task(watches())
    await asyncio.wait_for(started.wait(), 10)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(watching, 20)


async def test_whatever_ends_the_watches_is_raised() -> None:
    async def broken(_: asyncio.Event) -> None:
        raise ValueError("410 in a stream")

    async def ended(_: asyncio.Event) -> None:
        return

    async def cancelled(_: asyncio.Event) -> None:
        raise asyncio.CancelledError

    for operator, error in ((broken, ValueError), (ended, RuntimeError), (cancelled, RuntimeError)):
        with pytest.raises(error):
            await handlers._on_a_thread(operator)


async def test_watches_that_do_not_end_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM ends the operator whatever kopf does."""
    monkeypatch.setattr(handlers, "END", 0.1)
    started, release = threading.Event(), threading.Event()

    async def stuck(_: asyncio.Event) -> None:
        started.set()
        await asyncio.to_thread(release.wait)

    watching = asyncio.create_task(handlers._on_a_thread(stuck))
    await asyncio.to_thread(started.wait)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    release.set()


async def test_the_operators_own_tasks_outlive_the_watches() -> None:
    """kopf cancels every task of its loop that is younger than itself."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def kopfs(stop: asyncio.Event) -> None:
        loop.call_soon_threadsafe(begun.set)
        await stop.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    watching = asyncio.create_task(handlers._on_a_thread(kopfs))
    await begun.wait()
    younger = asyncio.create_task(asyncio.sleep(0.05, "whole"))
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert await younger == "whole"


def test_kopf_never_touches_our_finalizer_and_writes_no_events() -> None:
    settings = build_settings("")
    assert settings.persistence.finalizer != FINALIZER
    assert not settings.posting.enabled
    assert settings.peering.standalone
    assert settings.scanning.disabled


def test_a_label_selector_is_for_our_kind_alone() -> None:
    without, labels = (build_settings(selector).watching.label_selectors for selector in ("", "team=a"))
    assert labels[GROUP, VERSION, PLURAL] == "team=a"
    assert (GROUP, VERSION, PLURAL) not in without
    for plural in ("secrets", "configmaps"):
        assert labels["", "v1", plural] == without["", "v1", plural] == "connect.lenses.io/watch=true"


@pytest.mark.parametrize(
    ("host", "server"),
    [("10.0.0.1", "https://10.0.0.1:6443"), ("fd00::1", "https://[fd00::1]:6443"), ("", "https://by.name")],
)
def test_the_api_server_is_where_a_pods_environment_says(
    monkeypatch: pytest.MonkeyPatch, host: str, server: str
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    found = handlers._by_address(kopf.ConnectionInfo(server="https://by.name", token="t"))
    assert (found.server, found.token) == (server, "t")


async def through(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    return await handler(request)


async def test_the_same_credentials_are_the_same_session() -> None:
    """kopf ends where refused credentials come again; were they new each time, it would ask in a hot loop."""
    logins = handlers._Logins(through, Known({}, ListVersions()))
    info = kopf.ConnectionInfo(server="https://by.name", token="t", insecure=True)
    first = logins.session(info)
    assert logins.session(dataclasses.replace(info)) is first
    assert first.aiohttp_session.headers["Authorization"] == "Bearer t"
    second = logins.session(dataclasses.replace(info, token="u"))
    assert second != first
    for made in (first, second):
        await made.aiohttp_session.close()
