"""Each switch of the persona that answers every unknown to the operator's harm."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

import httpx
import pytest

from harness.lenses.client import LensesApi
from harness.lenses.control import HostileSwitches
from harness.lenses.environment import LensesEnv
from harness.lenses.hostile import LIMIT
from harness.lenses.switches import Switches
from harness.waiting import wait_until

from .conftest import SINK
from .support import cross_check, wait_for

pytest_plugins = ["harness.lenses.fixtures"]

KNOWN_WORDS = ("exist", "rebalance", "stopped", "not found", "conflict", "notfound", "already", "unknown")


@pytest.fixture
def env(lenses_env: LensesEnv) -> LensesEnv:
    """With a running connector `c`."""
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    return lenses_env


def hostile(env: LensesEnv, **switches: Any) -> None:
    env.control._call("set_persona", environment=env.name, persona="hostile", switches=switches)


def test_without_switches_it_is_connects_own(env: LensesEnv, api: LensesApi) -> None:
    hostile(env)
    assert api.create("connect", "c", SINK).status_code == 409
    assert api.names() == ["c"]
    assert env.control.persona(env.name) == {"name": "hostile"}


def test_its_switches_are_typed(env: LensesEnv) -> None:
    switches: HostileSwitches = {"conflict_as": 500, "blind": True, "blind_clusters": True, "reworded": True}
    env.control.set_persona(env.name, "hostile", **switches)
    found = env.control.persona(env.name)
    assert (found["conflict_as"], found["blind"], found["blind_clusters"]) == (500, True, ["*"])
    assert found["reworded"]
    assert set(HostileSwitches.__annotations__) == {field.name for field in fields(Switches)}


@pytest.mark.parametrize("status", [400, 500, 502, 503])
def test_a_conflict_has_another_status(env: LensesEnv, api: LensesApi, status: int) -> None:
    hostile(env, conflict_as=status, rebalance=30)
    taken = api.create("connect", "c", SINK)
    assert (taken.status_code, taken.json()["error"]) == (status, "Connector c already exists")
    api.delete("connect", "c")
    rebalancing = api.create("connect", "d", SINK)
    assert (rebalancing.status_code, "worker rebalance" in rebalancing.json()["error"]) == (status, True)
    assert api.get("connect", "none").status_code == 404


def test_reads_are_cached_while_writes_take_effect(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, cached_reads=600)
    assert api.get("connect", "new").status_code == 404
    where: dict[str, Any] = {"cluster": "connect", "connector": "c"}
    reads = ("ListConnectors", "GetConnector", "GetConnectorOffsets", "GetConnectorTopics")
    before = [api.call(operation, **({} if operation == "ListConnectors" else where)).text for operation in reads]
    assert api.create("connect", "new", SINK).status_code == 201
    assert api.delete("connect", "c").status_code == 200
    wait_until("the deletion", lambda: env.control.get_connector(env.name, "connect", "c") is None, timeout=30)
    assert [api.call(op, **({} if op == "ListConnectors" else where)).text for op in reads] == before
    assert api.get("connect", "new").status_code == 404
    assert env.control.requests(env.name, "GetConnector")[-1]["processed"] is False
    hostile(env, cached_reads=0.2)
    assert api.get("connect", "new").status_code == 200
    assert api.delete("connect", "new").status_code == 200
    wait_until("the cache to age", lambda: api.get("connect", "new").status_code == 404, timeout=30)


def test_what_was_read_by_one_token_is_not_told_to_another(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, cached_reads=30)
    assert api.get("connect", "c").status_code == 200
    env.control.add_token(f"{env.name}-t", connectors=["other"])
    with env.client(f"{env.name}-t") as other:
        assert other.get("connect", "c").status_code == 403


@pytest.mark.parametrize(("switches", "status"), [({}, 500), ({"lists_status": 503}, 503)])
def test_lists_fail(env: LensesEnv, api: LensesApi, switches: dict[str, Any], status: int) -> None:
    env.control.add_cluster(env.name, "other", {"backend": "memory"})
    hostile(env, lists="fail", lists_clusters=["other"], **switches)
    assert api.call("ListConnectors").status_code == status
    assert api.call("ListConnectors", query={"cluster": "other"}).status_code == status
    assert api.names("connect") == ["c"]
    assert api.get("connect", "c").status_code == 200
    hostile(env, lists="fail", **switches)
    assert api.call("ListConnectors", query={"cluster": "connect"}).status_code == status


def test_lists_are_too_big(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, lists="huge")
    response = api.call("ListConnectors")
    assert (response.status_code, response.json()["type"]) == (502, "internal_server_error")
    hostile(env, lists="huge", lists_status=200)
    assert len(api.call("ListConnectors").content) > LIMIT


def test_lists_hang(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, lists="hang", lists_seconds=3600)
    with pytest.raises(httpx.ReadTimeout):
        api.raw("GET", f"{env.api}/connectors", timeout=httpx.Timeout(30, read=0.2))
    assert api.get("connect", "c").status_code == 200
    assert env.control.requests(env.name, "ListConnectors")[-1]["outcome"] == "pending"
    hostile(env, lists="hang", lists_seconds=0.5)
    begin = time.monotonic()
    assert api.names() == ["c"]
    assert time.monotonic() - begin >= 0.5


def test_lists_miss_a_cluster(env: LensesEnv, api: LensesApi) -> None:
    env.control.add_cluster(env.name, "other", {"backend": "memory"})
    env.control.set_connector(env.name, "other", "d", config=SINK)
    hostile(env, lists="miss", lists_clusters=["connect"])
    assert api.names() == ["d"]
    assert api.names("connect") == []
    assert api.get("connect", "c").status_code == 200


def test_blind_shows_nothing(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, blind=True)
    assert api.names() == []
    for response in (
        api.get("connect", "c"),
        api.delete("connect", "c"),
        api.act("connect", "c", "stop"),
        api.call("GetConnectorOffsets", cluster="connect", connector="c"),
        api.get_resource("connect", "c"),
    ):
        assert (response.status_code, response.json()["error"]) == (404, "Connector c not found")
    assert api.call("GetConnectorTopics", cluster="connect", connector="c").json() == []
    assert api.call("GetClusterInfo", cluster="connect").status_code == 200
    assert api.create("connect", "c", SINK).status_code == 409
    found = env.control.get_connector(env.name, "connect", "c")
    assert found is not None
    assert (found["state"], found["deleting"]) == ("RUNNING", False)


def test_blind_for_whole_clusters(env: LensesEnv, api: LensesApi) -> None:
    env.control.add_cluster(env.name, "other", {"backend": "memory"})
    hostile(env, blind=True, blind_clusters=["connect"], blind_connectors=["none"])
    assert api.call("GetClusterInfo", cluster="connect").status_code == 404
    assert api.create("connect", "new", SINK).status_code == 404
    assert api.get("connect", "c").json()["error"] == "Connect cluster connect not found"
    assert {item["cluster"] for item in api.call("ListPlugins").json()["data"]} == {"other"}
    assert api.names() == []
    assert api.call("GetClusterInfo", cluster="other").status_code == 200


def test_blind_for_some_connectors_and_tokens(env: LensesEnv, api: LensesApi) -> None:
    env.control.set_connector(env.name, "connect", "d", config=SINK)
    env.control.add_token(f"{env.name}-t", name="tenant-1")
    hostile(env, blind=True, blind_connectors=["c*"], blind_tokens=["tenant-*"])
    assert api.names() == ["c", "d"]
    with env.client(f"{env.name}-t") as tenant:
        assert tenant.names() == ["d"]
        assert [tenant.get("connect", name).status_code for name in ("c", "d")] == [404, 200]


def test_who_is_not_admitted_is_told_so_all_the_same(env: LensesEnv) -> None:
    hostile(env, blind=True, rebalance=9, jetty=True)
    with env.client("wrong") as unknown:
        assert unknown.get("connect", "c").status_code == 401


@pytest.mark.parametrize("how", ["missing", "null"])
def test_the_configuration_is_hidden(env: LensesEnv, how: str) -> None:
    hostile(env, hide_config=how)
    with env.client(check=how == "missing") as api:
        details = api.get("connect", "c").json()
        assert ("config" in details) is (how == "null")
        assert details.get("config") is None
        assert [error["field"] for error in details["__errors"]] == ["config"]
        assert details["state"] == "RUNNING"
        assert api.get_resource("connect", "c").status_code == 403


def test_words_say_nothing(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, reworded=True)
    malformed = api.call("CreateConnector", body={"name": "n", "cluster": "connect"}, check=False)
    for response, status in (
        (api.create("connect", "c", SINK), 409),
        (api.get("connect", "none"), 404),
        (api.call("ResetConnectorOffsets", cluster="connect", connector="c"), 400),
        (malformed, 400),
    ):
        assert response.status_code == status
        assert [word for word in KNOWN_WORDS if word in response.text.lower()] == []
    assert malformed.json()["fields"]
    hostile(env, reworded="Computer says no")
    assert api.get("connect", "none").json()["error"] == "Computer says no"


def test_words_of_hq_say_nothing_either(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, reworded="Computer says no", lists="huge")
    assert api.call("ListConnectors").json()["title"] == "Computer says no"


def test_types_are_unknown(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, unknown_type="odd_outcome")
    for response in (
        api.create("connect", "c", SINK),
        api.call("ResetConnectorOffsets", cluster="connect", connector="c"),
    ):
        assert response.headers["Content-Type"] == "application/problem+json"
        assert (response.json()["type"], response.json()["status"]) == ("odd_outcome", response.status_code)
    assert set(api.get("connect", "none").json()) == {"error", "fields", "errorType"}
    hostile(env, unknown_type=True, unknown_type_statuses=[404])
    assert api.get("connect", "none").headers["Content-Type"] == "application/problem+json"


def test_an_agent_rpc_error_before_it_is_done(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, agent_rpc_error=["CreateConnector"], agent_rpc_times=1)
    response = api.create("connect", "new", SINK)
    assert (response.status_code, response.json()["type"]) == (400, "agent_rpc_error")
    assert env.control.get_connector(env.name, "connect", "new") is None
    assert api.delete("connect", "c").status_code == 200
    assert api.create("connect", "new", SINK).status_code == 201


def test_an_agent_rpc_error_after_it_is_done(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, agent_rpc_error=["CreateConnector"], agent_rpc_done=True, agent_rpc_status=502)
    assert api.create("connect", "new", SINK).status_code == 502
    assert api.get("connect", "new").status_code == 200
    assert env.control.requests(env.name, "CreateConnector")[0]["processed"]


def test_an_agent_rpc_error_that_is_done_every_second_time(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, agent_rpc_error=["CreateConnector"], agent_rpc_done="alternate")
    for name in ("one", "two", "three"):
        assert api.create("connect", name, SINK).json()["type"] == "agent_rpc_error"
    assert sorted(api.names()) == ["c", "two"]


def test_a_rebalance_follows_create_and_delete(env: LensesEnv, api: LensesApi) -> None:
    env.control.add_cluster(env.name, "other", {"backend": "memory"})
    hostile(env, rebalance=0.6)
    assert api.act("connect", "c", "pause").status_code == 200
    assert api.act("connect", "c", "resume").status_code == 200
    assert api.create("connect", "new", SINK).status_code == 201
    refused = (
        api.act("connect", "c", "stop"),
        api.delete("connect", "new"),
        api.create("connect", "third", SINK),
        api.validate("connect", "c", SINK),
        api.call("ConnectorTaskRestart", cluster="connect", connector="c", p1=0),
    )
    assert {response.status_code for response in refused} == {409}
    assert api.get("connect", "c").status_code == 200
    assert api.create("other", "there", SINK).status_code == 201
    wait_until("the end of it", lambda: api.delete("connect", "new").status_code == 200, timeout=30)
    assert api.delete("connect", "c").status_code == 409
    wait_until("the end of the next", lambda: api.delete("connect", "c").status_code == 200, timeout=30)


def test_a_refused_create_starts_no_rebalance(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, rebalance=30)
    assert api.create("connect", "c", SINK).status_code == 409
    assert api.delete("connect", "c").status_code == 200


def test_a_restarting_worker_speaks_json(env: LensesEnv) -> None:
    env.control.add_cluster(env.name, "other", {"backend": "memory"})
    env.control.set_connector(env.name, "other", "d", config=SINK)
    hostile(env, jetty=["connect"])
    with env.client(check=False) as api:
        for response in (api.get("connect", "c"), api.delete("connect", "c"), api.create("connect", "n", SINK)):
            assert (response.status_code, response.headers["Content-Type"]) == (404, "application/json")
            assert {"message", "url", "status"} <= set(response.json())
            assert "error" not in response.json()
        assert api.call("GetClusterInfo", cluster="connect").status_code == 404
        assert api.names() == ["d"]
        assert {item["cluster"] for item in api.call("ListPlugins").json()["data"]} == {"other"}
        assert api.get("other", "d").status_code == 200
        hostile(env, jetty=True)
        assert api.call("ListConnectors").status_code == 404
        hostile(env, jetty=True, jetty_as="agent")
        assert api.get("connect", "c").json()["error"] == "Not Found"


def test_switches_act_together(env: LensesEnv, api: LensesApi) -> None:
    """A rebalance told as 500, in HQ's shape, of a type nobody knows, in words that say nothing."""
    hostile(env, rebalance=30, conflict_as=500, unknown_type="odd", reworded="No")
    api.delete("connect", "c")
    response = api.create("connect", "new", SINK)
    assert response.json() == {"type": "odd", "title": "No", "status": 500}


def test_it_may_have_the_manners_that_were_observed(env: LensesEnv) -> None:
    hostile(env, base="observed", conflict_as=400, unknown_type=True, lists="miss")
    with env.client(check=False) as api:
        assert api.raw("GET", f"{env.api}/connectors").status_code == 415
        assert api.call("ListConnectors").json() == {"data": None}
        assert set(api.create("connect", "c", SINK).json()) == {"type", "title", "status", "request_id"}


def test_switching_forgets(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, cached_reads=30, rebalance=30)
    api.get("connect", "new")
    api.create("connect", "new", SINK)
    env.control.set_persona(env.name, "connect")
    assert api.get("connect", "new").status_code == 200
    assert api.delete("connect", "new").status_code == 200


def test_its_own_answers_conform_where_the_file_allows(env: LensesEnv, api: LensesApi) -> None:
    hostile(env, conflict_as=500, hide_config=True, blind=True, blind_connectors=["none"])
    for response in (api.get("connect", "c"), api.create("connect", "c", SINK), api.call("ListConnectors")):
        cross_check(response)
    wait_for(api, "connect", "c", "RUNNING")
    assert env.control.violations() == []
