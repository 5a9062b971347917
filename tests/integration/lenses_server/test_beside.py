"""What Lenses offers beside the file: environments, connectors as code, rights by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from harness.lenses.client import LensesApi
from harness.lenses.conformance import check_response
from harness.lenses.control import ControlError
from harness.lenses.environment import LensesEnv
from harness.lenses.rights import PERMISSIONS
from harness.waiting import wait_until

from .conftest import SINK
from .support import unique

pytest_plugins = ["harness.lenses.fixtures"]

DETAILS = "kafka-connect:GetConnectorDetails"
CONFIGURATION = "kafka-connect:GetConnectorConfiguration"
ACCESS = "environments:AccessEnvironment"


def document(name: str, state: str = "RUNNING", **config: str) -> str:
    spec = {"cluster": "connect", "name": name, "state": state, "config": {**SINK, **config}}
    return json.dumps({"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector", "spec": spec})


def limited(env: LensesEnv, *permissions: str) -> LensesApi:
    """A client that may do just that."""
    env.control.add_token(f"{env.name}-limited", permissions=list(permissions))
    return env.client(f"{env.name}-limited")


def test_environments_are_listed_for_those_who_may_see_them(lenses_env: LensesEnv, api: LensesApi) -> None:
    lenses_env.control.agent_not_connected(lenses_env.name)
    lenses_env.control.add_token(f"{lenses_env.name}-t", environments=["elsewhere"])
    (found,) = [i for i in api.call("ListEnvironments").json()["items"] if i["name"] == lenses_env.name]
    assert (found["display_name"], found["tier"]) == (lenses_env.name, "development")
    assert found["permissions"] == list(PERMISSIONS)
    assert found["status"]["agent_connected"] is False
    assert api.call("GetEnvironment").json() == found
    with lenses_env.client(f"{lenses_env.name}-t") as other:
        assert other.call("ListEnvironments").json() == {"items": []}


def test_a_connector_is_read_as_code(lenses_env: LensesEnv, api: LensesApi) -> None:
    name = unique("read")
    lenses_env.control.set_connector(lenses_env.name, "connect", name, config=SINK, state="PAUSED")
    response = api.get_resource("connect", name)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/yaml")
    spec = {"cluster": "connect", "name": name, "state": "PAUSED", "config": {**SINK, "name": name}}
    assert yaml.safe_load(response.text) == {"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector", "spec": spec}
    (request,) = lenses_env.control.requests(lenses_env.name, "GetResource")
    assert (request["cluster"], request["connector"]) == ("connect", name)


@pytest.mark.parametrize(
    ("accept", "status"), [("application/json", 415), ("application/json, */*", 200), ("*/*", 200)]
)
def test_as_code_is_not_for_those_who_take_json_alone(
    lenses_env: LensesEnv, api: LensesApi, accept: str, status: int
) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    assert api.get_resource("connect", "c", accept).status_code == status
    assert api.put_resource(document("c"), Accept=accept).status_code == status


def test_reading_as_code_what_is_not_there_is_the_agents_404(api: LensesApi) -> None:
    for where in (("connect", "none"), ("nowhere", "none")):
        response = api.get_resource(*where)
        assert response.status_code == 404
        assert set(response.json()) == {"error", "fields", "errorType"}


@pytest.mark.parametrize("status", [404, 405, 415, 501])
def test_reading_as_code_can_be_missing(lenses_env: LensesEnv, api: LensesApi, status: int) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    lenses_env.control.set_resource_as_code(lenses_env.name, status)
    assert api.get_resource("connect", "c").status_code == status


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_accepted_put_has_the_status_that_is_set(lenses_env: LensesEnv, api: LensesApi, status: int) -> None:
    lenses_env.control.set_resource_as_code(lenses_env.name, None, put_status=status)
    response = api.put_resource(document("c"))
    assert (response.status_code, response.text) == (status, "" if status == 204 else "{}")
    assert api.get("connect", "c").status_code == 200


def test_a_put_can_be_accepted_and_ignored(lenses_env: LensesEnv, api: LensesApi) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    lenses_env.control.set_resource_as_code(lenses_env.name, None, put_ignored=True)
    assert api.put_resource(document("c", file="/other")).status_code == 200
    assert api.put_resource(document("new")).status_code == 200
    assert api.put_resource(document("c", **{"tasks.max": "0"})).status_code == 400
    assert api.get("connect", "c").json()["config"]["file"] == "/dev/null"
    assert api.names() == ["c"]


def test_a_put_can_take_effect_later(lenses_env: LensesEnv, api: LensesApi) -> None:
    lenses_env.control.set_resource_as_code(lenses_env.name, None, put_delay=0.3)
    assert api.put_resource(document("late", "STOPPED")).status_code == 200
    assert api.get("connect", "late").status_code == 404
    wait_until("the connector", lambda: api.get("connect", "late").status_code == 200, timeout=10)
    found = lenses_env.control.get_connector(lenses_env.name, "connect", "late")
    assert found is not None
    assert (found["state"], found["starts"]) == ("STOPPED", 0)


def test_a_put_of_a_stopped_connector_never_runs_it(lenses_env: LensesEnv, api: LensesApi) -> None:
    for state in ("PAUSED", "STOPPED"):
        api.put_resource(document(state, state))
        found = lenses_env.control.get_connector(lenses_env.name, "connect", state)
        assert found is not None
        assert (found["state"], found["starts"], found["tasks"]) == (state, 0, [])


@pytest.mark.parametrize(
    ("right", "operation", "where"),
    [
        ("GetConnectorDetails", "GetConnector", {}),
        ("GetConnectorDetails", "GetConnectorOffsets", {}),
        ("ListConnectorDependants", "GetConnectorTopics", {}),
        ("GetClusterDetails", "GetClusterInfo", {"cluster": "connect"}),
        ("StartConnector", "ConnectorState", {"action": "resume"}),
        ("StartConnector", "ConnectorState", {"action": "restart"}),
        ("StartConnector", "ConnectorTaskRestart", {"p1": 0}),
        ("StopConnector", "ConnectorState", {"action": "pause"}),
        ("StopConnector", "ConnectorState", {"action": "stop"}),
        ("DeleteConnector", "DeleteConnector", {}),
    ],
)
def test_a_missing_right_is_a_403(lenses_env: LensesEnv, right: str, operation: str, where: dict[str, Any]) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    where = where if operation == "GetClusterInfo" else {"cluster": "connect", "connector": "c", **where}
    name = f"kafka-connect:{right}"
    with limited(lenses_env, *(p for p in PERMISSIONS if p != name)) as api:
        refused = api.call(operation, **where)
        assert refused.status_code == 403
        assert name in refused.json()["error"]
    with limited(lenses_env, ACCESS, name) as api:
        assert api.call(operation, **where).status_code == 200


def test_without_the_right_to_list_there_is_nothing(lenses_env: LensesEnv) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    with limited(lenses_env, ACCESS, DETAILS) as api:
        assert api.names() == []
        assert api.call("ListPlugins").json() == {"data": []}
        assert api.get("connect", "c").status_code == 200


def test_without_the_right_to_read_it_the_configuration_is_hidden(lenses_env: LensesEnv) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    with limited(lenses_env, ACCESS, DETAILS) as api:
        details = api.get("connect", "c").json()
        assert "config" not in details
        assert details["__errors"] == [{"field": "config", "reason": f"The permission {CONFIGURATION} is missing"}]
        assert api.get_resource("connect", "c").status_code == 403


def test_without_access_the_environment_is_closed(lenses_env: LensesEnv) -> None:
    with limited(lenses_env, DETAILS) as api:
        assert api.call("ListEnvironments").json() == {"items": []}
        assert api.call("GetEnvironment").status_code == 403


def test_a_right_that_does_not_exist_is_a_mistake(lenses_env: LensesEnv) -> None:
    with pytest.raises(ControlError, match="unknown permissions"):
        lenses_env.control.add_token("t", permissions=["kafka-connect:Everything"])


def test_the_checks_see_wrong_documents() -> None:
    right = yaml.safe_dump(
        {"apiVersion": "v", "kind": "k", "spec": {"cluster": "c", "name": "n", "config": {"a": "1"}}}
    )
    wrong = right.replace("'1'", "1")
    assert check_response("GetResource", 200, "application/yaml", right.encode()) == []
    assert check_response("GetResource", 200, "application/yaml", wrong.encode())
    assert check_response("GetResource", 200, "application/json", right.encode())
    assert check_response("PutResource", 204, "application/json", b"{}")
    assert check_response("ListEnvironments", 200, "application/json", b'{"items": [{}]}')
