"""Breakpoints: a client may die while its request is held."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from harness.lenses.client import LensesApi
from harness.lenses.control import ControlError
from harness.lenses.environment import LensesEnv
from harness.waiting import HANG, wait_until

from .conftest import SINK

pytest_plugins = ["harness.lenses.fixtures"]


def create(env: LensesEnv, name: str) -> int:
    with env.client() as api:
        return api.create("connect", name, SINK).status_code


def exists(env: LensesEnv, name: str) -> bool:
    return env.control.get_connector(env.name, "connect", name) is not None


@pytest.mark.parametrize(
    ("when", "action", "created"),
    [("before", "process", True), ("before", "drop", False), ("after", "process", True), ("after", "drop", True)],
)
def test_held_and_released(lenses_env: LensesEnv, when: str, action: str, created: bool) -> None:
    control = lenses_env.control
    point = control.add_breakpoint(lenses_env.name, "CreateConnector", when=when)
    with ThreadPoolExecutor(1) as pool:
        pending: Future[int] = pool.submit(create, lenses_env, "new")
        held = control.wait_breakpoint(point, timeout=HANG)
        assert (held["operation"], held["connector"], held["outcome"]) == ("CreateConnector", "new", "pending")
        assert exists(lenses_env, "new") is (when == "after")
        assert not pending.done()
        control.release_breakpoint(point, action)
        if action == "process":
            assert pending.result(timeout=HANG) == 201
        else:
            with pytest.raises(httpx.RemoteProtocolError):
                pending.result(timeout=HANG)
    assert exists(lenses_env, "new") is created


def test_processed_though_the_client_is_dead(lenses_env: LensesEnv, api: LensesApi) -> None:
    control = lenses_env.control
    point = control.add_breakpoint(lenses_env.name, "CreateConnector")
    body = {"name": "orphan", "cluster": "connect", "configuration": SINK}
    with pytest.raises(httpx.ReadTimeout):
        api.raw("POST", f"{lenses_env.api}/connectors", json=body, timeout=httpx.Timeout(10, read=0.2))
    control.wait_breakpoint(point, timeout=HANG)
    assert not exists(lenses_env, "orphan")
    control.release_breakpoint(point, "process")
    wait_until("the orphan", lambda: exists(lenses_env, "orphan"), timeout=10)


def test_the_nth_request_that_changes_something(lenses_env: LensesEnv, api: LensesApi) -> None:
    control = lenses_env.control
    point = control.add_breakpoint(lenses_env.name, nth=2, when="after", skip_reads=True)
    api.call("ListConnectors")
    api.create("connect", "one", SINK)
    api.get("connect", "one")
    with pytest.raises(TimeoutError):
        control.wait_breakpoint(point, timeout=0.05)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(create, lenses_env, "two")
        assert control.wait_breakpoint(point, timeout=HANG)["connector"] == "two"
        assert api.create("connect", "three", SINK).status_code == 201  # it holds one request only
        control.release_breakpoint(point)
        assert pending.result(timeout=HANG) == 201
    assert control.seen(lenses_env.name) == 5
    assert control.seen(lenses_env.name, skip_reads=True) == 3
    assert control.counts(lenses_env.name) == {"ListConnectors": 1, "CreateConnector": 3, "GetConnector": 1}
    control.reset(lenses_env.name)
    assert control.counts(lenses_env.name) == {}
    assert control.requests(lenses_env.name) == []


def test_clearing_drops_what_is_held(lenses_env: LensesEnv) -> None:
    point = lenses_env.control.add_breakpoint(lenses_env.name)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(create, lenses_env, "new")
        lenses_env.control.wait_breakpoint(point, timeout=HANG)
        lenses_env.control.clear_breakpoints(lenses_env.name)
        with pytest.raises(httpx.RemoteProtocolError):
            pending.result(timeout=HANG)
    with pytest.raises(ControlError, match="no breakpoint"):
        lenses_env.control.release_breakpoint(point)


def test_waiting_for_requests(lenses_env: LensesEnv, api: LensesApi) -> None:
    with pytest.raises(TimeoutError):
        lenses_env.control.wait_requests(lenses_env.name, timeout=0.05)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lenses_env.control.wait_requests, lenses_env.name, "GetConnector", "c", count=2)
        api.get("connect", "c")
        api.get("connect", "c")
        assert [request["status"] for request in waiting.result(timeout=HANG)] == [404, 404]
