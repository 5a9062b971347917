"""kopf, as it is started: an informer and nothing more."""

from __future__ import annotations

import asyncio
import dataclasses
import getpass

import kopf
import pytest

from lenses_operator import handlers
from lenses_operator.cache.connector_feed import ConnectorFeed
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache, OperationFeed
from lenses_operator.handlers import build_settings
from lenses_operator.resources.base import FINALIZER, GROUP, VERSION
from lenses_operator.resources.connector import PLURAL


async def test_a_user_that_is_a_bare_number_can_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.setattr(getpass, "getuser", unknown)
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(
        handlers.watch(
            ConnectorFeed(ConnectorCache(), lambda _: None),
            OperationFeed(OperationCache(), lambda _: None),
            (),
            "",
            stop,
            watch_references=False,
        ),
        60,
    )


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


async def test_the_same_credentials_are_the_same_session() -> None:
    """kopf ends where refused credentials come again; were they new each time, it would ask in a hot loop."""
    logins = handlers._Logins()
    info = kopf.ConnectionInfo(server="https://by.name", token="t", insecure=True)
    first = logins.session(info)
    assert logins.session(dataclasses.replace(info)) is first
    assert first.aiohttp_session.headers["Authorization"] == "Bearer t"
    second = logins.session(dataclasses.replace(info, token="u"))
    assert second != first
    for made in (first, second):
        await made.aiohttp_session.close()
