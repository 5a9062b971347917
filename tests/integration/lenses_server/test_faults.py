"""Every kind of fault."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from harness.lenses.client import LensesApi
from harness.lenses.control import ControlError
from harness.lenses.environment import LensesEnv

from .conftest import SINK

pytest_plugins = ["harness.lenses.fixtures"]

SECRETS = {**SINK, "ssl.password": "planted", "api.secret.key": "planted", "plain": "value"}


@pytest.fixture
def ready(lenses_env: LensesEnv) -> LensesEnv:
    """The environment with a running connector `c`."""
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SECRETS)
    return lenses_env


def get(api: LensesApi, name: str = "c") -> httpx.Response:
    return api.call("GetConnector", cluster="connect", connector=name, check=False)


@pytest.mark.parametrize(
    ("shape", "content_type", "words"),
    [
        ("agent", "application/json", '"error": "because"'),
        ("hq", "application/problem+json", '"type": "licence_limitation"'),
        ("html", "text/html;charset=iso-8859-1", "HTTP ERROR 503 because"),
        ("text", "text/plain", "because"),
        ("empty", "application/octet-stream", ""),
    ],
)
def test_status_and_shape(ready: LensesEnv, api: LensesApi, shape: str, content_type: str, words: str) -> None:
    kind: dict[str, Any] = {"type": "licence_limitation"} if shape == "hq" else {"message": "because"}
    ready.control.add_fault(ready.name, status=503, shape=shape, headers={"Retry-After": "7"}, **kind)
    response = get(api)
    assert (response.status_code, response.headers["Content-Type"]) == (503, content_type)
    assert response.headers["Retry-After"] == "7"
    assert words in response.text


def test_times_and_skip(ready: LensesEnv, api: LensesApi) -> None:
    fault = ready.control.add_fault(ready.name, operation="GetConnector", skip=1, times=2, status=500)
    assert [get(api).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert ready.control.fault_hits(fault) == 5
    assert ready.control.remove_fault(fault)
    assert not ready.control.remove_fault(fault)


def test_only_what_is_sent_with_certain_values(ready: LensesEnv, api: LensesApi) -> None:
    """Such as the new configuration, and not the old one."""
    ready.control.add_fault(ready.name, operation="CreateConnector", with_config={"x": "new"}, status=400)
    for value, status in (("new", 400), ("old", 201)):
        body = {"cluster": "connect", "name": value, "configuration": {**SINK, "x": value}}
        assert api.call("CreateConnector", body=body, check=False).status_code == status
    ready.control.add_fault(ready.name, with_config={"x": "old"}, status=500)
    assert get(api).status_code == 200


def test_what_a_fault_matches(ready: LensesEnv, api: LensesApi) -> None:
    """One connector's fault leaves the others and the list alone; a cluster's leaves the other clusters alone."""
    ready.control.set_connector(ready.name, "connect", "d", config=SINK)
    ready.control.add_cluster(ready.name, "other", {"backend": "memory"})
    ready.control.add_fault(ready.name, "connect", "c*", ["GetConnector", "ListConnectors"], status=500)
    assert [get(api, name).status_code for name in ("c", "d")] == [500, 200]
    assert api.call("ListConnectors").status_code == 200
    ready.control.clear_faults(ready.name)
    ready.control.add_fault(ready.name, "connect", status=500)
    assert get(api, "d").status_code == 500
    assert api.call("GetClusterInfo", cluster="other").status_code == 200
    assert api.call("ListConnectors").status_code == 200
    assert api.call("ListConnectors", query={"cluster": "connect"}).status_code == 500


def test_mistakes_in_a_fault_are_told(ready: LensesEnv) -> None:
    for wrong in ({"operation": "GetConector"}, {"shape": "round"}, {"drop": "sometimes"}, {"lattency": 1}):
        with pytest.raises(ControlError):
            ready.control._call("add_fault", environment=ready.name, **wrong)


def test_latency(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, operation="GetConnector", latency=0.2, times=1)
    begin = time.monotonic()
    assert get(api).status_code == 200
    assert time.monotonic() - begin >= 0.2


def test_a_client_that_gives_up_does_not_undo_its_request(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, operation="DeleteConnector", latency=1.0)
    with pytest.raises(httpx.ReadTimeout):
        api.raw("DELETE", f"{ready.api}/clusters/connect/connectors/c", timeout=httpx.Timeout(10, read=0.2))
    (request,) = ready.control.wait_requests(ready.name, "DeleteConnector")
    assert request["processed"]
    found = ready.control.get_connector(ready.name, "connect", "c")
    assert found is None or found["deleting"]


@pytest.mark.parametrize(("when", "exists"), [("before", False), ("after", True)])
def test_dropped_connections(ready: LensesEnv, api: LensesApi, when: str, exists: bool) -> None:
    ready.control.add_fault(ready.name, operation="CreateConnector", drop=when, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        api.create("connect", "new", SINK)
    (request,) = ready.control.requests(ready.name, "CreateConnector")
    assert (request["status"], request["outcome"], request["processed"]) == (None, "dropped", exists)
    assert (ready.control.get_connector(ready.name, "connect", "new") is not None) is exists


def test_processed_and_yet_an_error(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, operation="CreateConnector", status=500, processed=True)
    ready.control.add_fault(ready.name, operation="DeleteConnector", status=503, shape="html", processed=True)
    assert api.create("connect", "new", SINK).status_code == 500
    assert get(api, "new").status_code == 200
    assert api.call("DeleteConnector", cluster="connect", connector="c", check=False).status_code == 503
    found = ready.control.get_connector(ready.name, "connect", "c")
    assert found is None or found["deleting"]


def test_made_up_answers(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, operation="ListConnectors", body={"data": [{"odd": 1}]}, times=1)
    assert api.call("ListConnectors", check=False).json() == {"data": [{"odd": 1}]}
    ready.control.add_fault(ready.name, operation="ListConnectors", text="{", content_type="application/json")
    assert api.call("ListConnectors", check=False).text == "{"


def test_environment_down(ready: LensesEnv, api: LensesApi) -> None:
    fault = ready.control.environment_down(ready.name)
    assert api.call("GetEnvironment", check=False).status_code == 502
    assert "<h2>HTTP ERROR 502 Bad Gateway</h2>" in get(api).text
    ready.control.remove_fault(fault)
    ready.control.environment_down(ready.name, drop=True)
    with pytest.raises(httpx.RemoteProtocolError):
        get(api)


def test_a_starting_cluster_answers_everything_with_a_page(ready: LensesEnv, api: LensesApi) -> None:
    fault = ready.control.cluster_starting(ready.name, "connect")
    for operation, where in (
        ("GetConnector", {"cluster": "connect", "connector": "c"}),
        ("GetClusterInfo", {"cluster": "connect"}),
        ("ListConnectors", {}),
        ("ListPlugins", {}),
        ("ListPlugins", {"query": {"cluster": "connect"}}),
        ("CreateConnector", {"body": {"name": "n", "cluster": "connect", "configuration": SINK}}),
    ):
        response = api.call(operation, check=False, **where)
        assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html;charset=iso-8859-1")
    ready.control.add_cluster(ready.name, "other", {"backend": "memory"})
    ready.control.set_connector(ready.name, "other", "elsewhere", config=SINK)
    assert api.names() == ["elsewhere"]
    ready.control.cluster_starting(ready.name, "other")
    assert api.call("ListConnectors", check=False).status_code == 404
    ready.control.remove_fault(fault)
    assert api.names() == ["c"]


@pytest.mark.parametrize(
    ("mask", "masked"), [(True, ["api.secret.key", "ssl.password"]), (["plain"], ["plain"])], ids=["all", "named"]
)
def test_masked_values(ready: LensesEnv, api: LensesApi, mask: Any, masked: list[str]) -> None:
    ready.control.add_fault(ready.name, mask=mask)
    config = get(api).json()["config"]
    assert sorted(key for key, value in config.items() if value == "********") == masked
    assert set(config) == {*SECRETS, "name"}


def test_details_without_config(ready: LensesEnv, api: LensesApi) -> None:
    errors = [{"field": "config", "reason": "not permitted"}]
    ready.control.add_fault(ready.name, connector="c", omit_config=True, errors=errors)
    details = get(api).json()
    assert "config" not in details
    assert details["__errors"] == errors


def test_details_without_config_stay_so_under_another_fault(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, omit_config=True)
    ready.control.add_fault(ready.name, extra={"news": "of tomorrow"})
    details = get(api).json()
    assert "config" not in details
    assert details["news"] == "of tomorrow"


def test_rewritten_values(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, rewrite={"tasks.max": "1.0E0", "plain": None})
    config = get(api).json()["config"]
    assert config["tasks.max"] == "1.0E0"
    assert "plain" not in config


def test_keys_added_at_create(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, operation="CreateConnector", add_at_create={"errors.log.enable": "false"})
    api.create("connect", "new", SINK)
    assert get(api, "new").json()["config"] == {**SINK, "errors.log.enable": "false", "name": "new"}


def test_odd_states_in_details_and_list(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.set_connector(ready.name, "connect", "d", config=SINK)
    fault = ready.control.add_fault(ready.name, connector="c", state="DESTROYED")
    listed = api.call("ListConnectors", check=False).json()["data"]
    assert [entry["state"] for entry in listed] == ["DESTROYED", "RUNNING"]
    assert get(api).json()["state"] == "DESTROYED"
    ready.control.remove_fault(fault)
    ready.control.add_fault(ready.name, connector="c", omit_state=True)
    assert "state" not in api.call("ListConnectors").json()["data"][0]
    assert "state" not in get(api).json()


def test_fields_nobody_knows(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, connector="c", extra={"mood": {"today": [1, None]}})
    assert get(api).json()["mood"] == {"today": [1, None]}
    assert api.call("ListConnectors", check=False).json()["data"][0]["mood"] == {"today": [1, None]}


def test_a_list_that_leaves_one_out(ready: LensesEnv, api: LensesApi) -> None:
    ready.control.add_fault(ready.name, connector="c", hide=True)
    assert api.names() == []
    assert get(api).status_code == 200
