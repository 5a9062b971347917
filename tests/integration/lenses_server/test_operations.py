"""Every operation, on both backends, against the OpenAPI file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness.lenses.client import LensesApi
from harness.lenses.conformance import operations_in_spec
from harness.lenses.environment import LensesEnv
from harness.lenses.operations import CHANGING

from .conftest import SINK, SOURCE
from .support import cross_check, unique, wait_for, wait_gone

pytest_plugins = ["harness.fixtures", "harness.lenses.fixtures"]

OPERATIONS = operations_in_spec()
OFFSETS = {"offsets": [{"partition": {"filename": "/f"}, "offset": {"position": 7}}]}


def arguments(operation: str, cluster: str, name: str) -> dict[str, Any]:
    """What a call of an operation needs."""
    where: dict[str, dict[str, Any]] = {
        "ListConnectors": {},
        "ListPlugins": {},
        "GetClusterInfo": {"cluster": cluster},
        "CreateConnector": {"body": {"name": name, "cluster": cluster, "configuration": SOURCE}},
        "ValidateConnector": {"body": {"name": name, "cluster": cluster, "configuration": SOURCE}},
        "AlterConnectorOffsets": {"cluster": cluster, "connector": name, "body": OFFSETS},
        "ConnectorState": {"cluster": cluster, "connector": name, "action": "stop"},
        "ConnectorTaskRestart": {"cluster": cluster, "connector": name, "p1": 0},
    }
    return where.get(operation, {"cluster": cluster, "connector": name})


@pytest.fixture
def source(api: LensesApi, cluster: str) -> Iterator[str]:
    """A file source with one running task."""
    name = unique("source")
    assert api.create(cluster, name, SOURCE).status_code == 201
    wait_for(api, cluster, name, "RUNNING", tasks=1)
    yield name
    api.delete(cluster, name)
    wait_gone(api, cluster, name)


def test_the_file_has_thirteen_operations() -> None:
    assert len(OPERATIONS) == 13
    assert set(OPERATIONS) > CHANGING - {"PutResource"}


def test_every_operation_succeeds(api: LensesApi, cluster: str) -> None:
    name = unique("life")
    done = []

    def call(operation: str, status: int = 200, **extra: Any) -> Any:
        response = api.call(operation, **arguments(operation, cluster, name) | extra)
        assert response.status_code == status, response.text
        cross_check(response)
        done.append(operation)
        return response.json()

    assert call("GetClusterInfo")["name"] == cluster
    assert any(p["class"].endswith("FileStreamSourceConnector") for p in call("ListPlugins")["data"])
    validated = call("ValidateConnector")
    assert [field for field in validated["configuration"] if field["errors"]] == []
    assert call("CreateConnector", 201) == {}
    details = wait_for(api, cluster, name, "RUNNING", tasks=1)
    assert call("GetConnector")["config"] == {**SOURCE, "name": name}
    assert [task["id"] for task in details["tasks"]] == ["0"]
    entry = next(entry for entry in call("ListConnectors")["data"] if entry["name"] == name)
    assert entry["tasks"] == [{"id": 0, "state": "RUNNING"}]
    assert entry["lrn"] == details["lrn"]
    assert call("ConnectorTaskRestart") == {}
    wait_for(api, cluster, name, "RUNNING", tasks=1)
    call("ConnectorState", action="pause")
    wait_for(api, cluster, name, "PAUSED")
    call("ConnectorState", action="resume")
    wait_for(api, cluster, name, "RUNNING", tasks=1)
    call("ConnectorState", action="stop")
    wait_for(api, cluster, name, "STOPPED", tasks=0)
    assert call("AlterConnectorOffsets") == {"message": "The offsets for this connector have been altered successfully"}
    assert call("GetConnectorOffsets") == OFFSETS
    assert "reset successfully" in call("ResetConnectorOffsets")["message"]
    assert call("GetConnectorOffsets") == {"offsets": []}
    assert call("GetConnectorTopics") in ([], ["lines"])  # the real one has read an empty file and written nothing
    assert call("DeleteConnector") == {}
    wait_gone(api, cluster, name)
    assert set(done) == set(OPERATIONS)


@pytest.mark.parametrize("operation", [op for op in OPERATIONS if "connector" in arguments(op, "c", "n")])
def test_unknown_connector_is_the_agents_404(api: LensesApi, cluster: str, operation: str) -> None:
    response = api.call(operation, **arguments(operation, cluster, "no-such"))
    if operation == "GetConnectorTopics":
        assert (response.status_code, response.json()) == (200, [])
        return
    assert response.status_code == 404
    assert set(response.json()) == {"error", "fields", "errorType"}
    cross_check(response)


@pytest.mark.parametrize("operation", [op for op in OPERATIONS if not op.startswith("List")])
def test_unknown_cluster_is_the_agents_404(api: LensesApi, operation: str) -> None:
    response = api.call(operation, **arguments(operation, "nowhere", "n"))
    assert response.status_code == 404
    assert "nowhere" in response.json()["error"]
    cross_check(response)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unknown_environment_is_hqs_404(api: LensesApi, operation: str) -> None:
    response = api.call(operation, environment="nowhere", **arguments(operation, "c", "n"))
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {"type": "not_found", "title": "environment nowhere not found", "status": 404}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_unknown_token_is_a_401(lenses_env: LensesEnv, operation: str) -> None:
    with lenses_env.client(token="wrong") as api:
        response = api.call(operation, **arguments(operation, "connect", "n"))
    assert response.status_code == 401
    assert set(response.json()) == {"error", "fields", "errorType"}
    cross_check(response)


@pytest.mark.parametrize("status", [400, 402, 403, 404, 500])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_injected_errors_have_the_declared_shape(
    lenses_env: LensesEnv, api: LensesApi, operation: str, status: int
) -> None:
    lenses_env.control.add_fault(lenses_env.name, operation=operation, status=status, message="because")
    response = api.call(operation, **arguments(operation, "connect", "n"))
    assert (response.status_code, response.json()["error"]) == (status, "because")
    cross_check(response)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("CreateConnector", {"name": "n", "cluster": "connect"}),
        ("CreateConnector", {"name": "", "cluster": "connect", "configuration": {}}),
        ("CreateConnector", {"name": "n", "cluster": "connect", "configuration": {"tasks.max": 1}}),
        ("CreateConnector", b"{"),
        ("CreateConnector", None),
        ("ValidateConnector", {"name": "n", "cluster": "connect", "configuration": {"a": None}}),
        ("AlterConnectorOffsets", {"offsets": [{"offset": {}}]}),
        ("AlterConnectorOffsets", {"offsets": {}}),
    ],
)
def test_a_malformed_body_is_the_agents_400(api: LensesApi, operation: str, body: Any) -> None:
    where = {} if operation != "AlterConnectorOffsets" else {"cluster": "connect", "connector": "n"}
    response = api.call(operation, body=body, check=False, **where)
    assert response.status_code == 400
    assert set(response.json()) == {"error", "fields", "errorType"}
    cross_check(response)


@pytest.mark.parametrize("where", [{"action": "explode"}, {"p1": "first"}])
def test_a_malformed_path_is_the_agents_400(api: LensesApi, where: dict[str, str]) -> None:
    operation = "ConnectorState" if "action" in where else "ConnectorTaskRestart"
    response = api.call(operation, cluster="connect", connector="n", check=False, **where)
    assert response.status_code == 400


def test_paths_that_are_no_operation(api: LensesApi) -> None:
    base = f"/api/v1/environments/{api.environment}/proxy/api/kafka-connect"
    assert api.raw("GET", f"{base}/nothing").status_code == 404
    assert api.raw("PATCH", f"{base}/connectors").status_code == 405
    assert api.raw("GET", f"{base}/clusters//info").status_code == 404


def test_creating_an_existing_name_is_a_409(api: LensesApi, cluster: str, source: str) -> None:
    response = api.create(cluster, source, SOURCE)
    assert (response.status_code, response.json()["error"]) == (409, f"Connector {source} already exists")


def test_an_invalid_config_validates_with_200_and_is_refused_by_create(api: LensesApi, cluster: str) -> None:
    bad = {"connector.class": "FileStreamSource", "tasks.max": "0", "batch.size": "1e+06", "file": "/dev/null"}
    fields = api.validate(cluster, "bad", bad).json()["configuration"]
    errors = {field["name"]: field["errors"] for field in fields if field["errors"]}
    assert errors == {
        "tasks.max": ["Invalid value 0 for configuration tasks.max: Value must be at least 1"],
        "topic": ['Missing required configuration "topic" which has no default value.'],
        "batch.size": ["Invalid value 1e+06 for configuration batch.size: Not a number of type INT"],
    }
    refused = api.create(cluster, "bad", bad)
    assert refused.status_code == 400
    assert "contains the following 3 error(s):\n" in refused.json()["error"]


def test_an_unknown_class_is_refused_in_connects_words(api: LensesApi, cluster: str) -> None:
    words = "Failed to find any class that implements Connector and which name matches Nope, available connectors are: "
    for response, status in (
        (api.validate(cluster, "n", {"connector.class": "Nope"}), 500),
        (api.create(cluster, "n", {"connector.class": "Nope"}), 400),
    ):
        assert response.status_code == status
        assert words in response.json()["error"]


def test_restarting_a_stopped_connector_succeeds_and_does_nothing(api: LensesApi, cluster: str, source: str) -> None:
    api.act(cluster, source, "stop")
    wait_for(api, cluster, source, "STOPPED", tasks=0)
    assert api.act(cluster, source, "restart").status_code == 200
    assert api.get(cluster, source).json()["state"] == "STOPPED"


def test_offsets_are_altered_only_when_stopped(api: LensesApi, cluster: str, source: str) -> None:
    refused = api.call("AlterConnectorOffsets", cluster=cluster, connector=source, body=OFFSETS)
    assert refused.status_code == 400
    assert "must be in the STOPPED state" in refused.json()["error"]
    none_given = api.call("AlterConnectorOffsets", cluster=cluster, connector=source, body={"offsets": []})
    assert (none_given.status_code, none_given.json()["error"]) == (
        400,
        "Partitions / offsets need to be provided for an alter offsets request",
    )


def test_offsets_survive_delete_and_create(api: LensesApi, cluster: str) -> None:
    name = unique("survivor")
    api.create(cluster, name, SOURCE)
    wait_for(api, cluster, name, "RUNNING", tasks=1)
    api.act(cluster, name, "stop")
    wait_for(api, cluster, name, "STOPPED", tasks=0)
    api.call("AlterConnectorOffsets", cluster=cluster, connector=name, body=OFFSETS)
    api.delete(cluster, name)
    wait_gone(api, cluster, name)
    api.create(cluster, name, SOURCE)
    assert wait_for(api, cluster, name, "RUNNING", tasks=1)["state"] == "RUNNING"
    assert api.call("GetConnectorOffsets", cluster=cluster, connector=name).json() == OFFSETS
    api.delete(cluster, name)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"partition": {"f": "/x"}, "offset": {"position": 1}}, "should contain the key 'filename'"),
        ({"partition": {"filename": "/x"}, "offset": {"position": 1.5}}, "expected to be a Long value"),
        ({"partition": {"filename": "/x"}, "offset": {"position": 2**65}}, "java.math.BigInteger"),
    ],
)
def test_a_source_refuses_offsets_with_500(
    api: LensesApi, cluster: str, source: str, entry: dict[str, Any], words: str
) -> None:
    api.act(cluster, source, "stop")
    wait_for(api, cluster, source, "STOPPED", tasks=0)
    refused = api.call("AlterConnectorOffsets", cluster=cluster, connector=source, body={"offsets": [entry]})
    assert refused.status_code == 500
    assert words in refused.json()["error"]


def test_sink_offsets(api: LensesApi, cluster: str, request: pytest.FixtureRequest) -> None:
    """Strings come back as integers; an unknown topic and a negative offset are 500, malformed entries 400."""
    if cluster == "real":
        request.getfixturevalue("kafka_admin").create_topic("lines")
    name = unique("sink")
    api.create(cluster, name, SINK)
    wait_for(api, cluster, name, "RUNNING", tasks=1)
    api.act(cluster, name, "stop")
    wait_for(api, cluster, name, "STOPPED", tasks=0)

    def alter(topic: str, partition: Any, offset: Any) -> int:
        entry = {"partition": {"kafka_topic": topic, "kafka_partition": partition}, "offset": offset}
        response = api.call("AlterConnectorOffsets", cluster=cluster, connector=name, body={"offsets": [entry]})
        return response.status_code

    def offsets() -> Any:
        return api.call("GetConnectorOffsets", cluster=cluster, connector=name).json()["offsets"]

    assert alter("lines", "0", {"kafka_offset": "1"}) == 200
    stored = {"partition": {"kafka_topic": "lines", "kafka_partition": 0}, "offset": {"kafka_offset": 1}}
    assert offsets() == [stored]
    assert alter("no-such-topic", 0, {"kafka_offset": 1}) == 500
    assert alter("lines", 0, {"kafka_offset": -1}) == 500
    assert alter("lines", "first", {"kafka_offset": 1}) == 400
    assert alter("lines", 0, {"offset": 1}) == 400
    assert alter("lines", 0, None) == 200
    assert offsets() == []
    api.delete(cluster, name)


def test_resource_as_code_creates_stopped_and_updates_in_place(api: LensesApi, cluster: str) -> None:
    name = unique("as-code")

    def document(state: str, **config: str) -> str:
        spec = {"cluster": cluster, "name": name, "state": state, "config": {**SOURCE, **config}}
        return json.dumps({"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector", "spec": spec})

    assert api.put_resource(document("STOPPED")).status_code < 300
    wait_for(api, cluster, name, "STOPPED", tasks=0)
    assert api.put_resource(document("RUNNING", **{"batch.size": "7"})).status_code < 300
    details = wait_for(api, cluster, name, "RUNNING", tasks=1)
    assert details["config"]["batch.size"] == "7"
    api.delete(cluster, name)


@pytest.mark.parametrize("status", [404, 405, 415, 501])
def test_resource_as_code_can_be_missing(lenses_env: LensesEnv, api: LensesApi, status: int) -> None:
    lenses_env.control.set_resource_as_code(lenses_env.name, status)
    assert api.put_resource("kind: KafkaConnector").status_code == status


@pytest.mark.parametrize(
    "document",
    ["", "[]", "kind: Other", "{apiVersion: lenses.io/v0beta, kind: KafkaConnector}", ": : :"],
)
def test_resource_as_code_refuses_what_it_cannot_read(api: LensesApi, document: str) -> None:
    assert api.put_resource(document).status_code == 400


def test_resource_as_code_refuses_values_that_are_not_strings(api: LensesApi) -> None:
    spec = {"cluster": "connect", "name": "n", "config": {**SOURCE, "tasks.max": 1}}
    document = json.dumps({"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector", "spec": spec})
    response = api.put_resource(document)
    assert response.status_code == 400
    assert "tasks.max" in response.json()["error"]


def test_the_environment_says_whether_its_agent_is_connected(lenses_env: LensesEnv, api: LensesApi) -> None:
    assert api.call("GetEnvironment").json()["status"]["agent_connected"] is True
    lenses_env.control.agent_not_connected(lenses_env.name)
    assert api.call("GetEnvironment").json()["status"]["agent_connected"] is False
    response = api.call("ListConnectors")
    assert (response.status_code, response.json()["type"]) == (503, "agent_not_connected")
