"""Which Lenses the server is: by the file, as observed, for all of it or for one environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness import http
from harness.lenses.answers import Answer, agent_error, html, problem
from harness.lenses.call import Call
from harness.lenses.client import LensesApi
from harness.lenses.conformance import check_declared, check_response
from harness.lenses.connect import ConnectCluster
from harness.lenses.control import ControlError
from harness.lenses.documented import to_the_letter
from harness.lenses.environment import LensesEnv
from harness.lenses.faults import Active
from harness.lenses.operations import method_of, path_of, target_of
from harness.lenses.running import RunningLenses

from .conftest import SINK, SOURCE
from .test_operations import OFFSETS, OPERATIONS, arguments

pytest_plugins = ["harness.lenses.fixtures"]

S3 = {"connector.class": "S3Sink", "connect.s3.kcql": "insert into x", "topics": "t"}


@pytest.fixture
def seen(lenses_env: LensesEnv) -> Iterator[LensesApi]:
    """A client of an environment as it was observed."""
    lenses_env.control.set_persona(lenses_env.name, "observed")
    with lenses_env.client(check=False) as client:
        yield client


# choosing one
def test_the_default_is_connects_own(lenses_env: LensesEnv, api: LensesApi) -> None:
    assert lenses_env.control.persona() == lenses_env.control.persona(lenses_env.name) == {"name": "connect"}
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    assert api.create("connect", "c", SINK).status_code == 409


def test_an_environment_has_its_own(lenses_env: LensesEnv, api: LensesApi) -> None:
    """Two environments of one server differ; each can be switched, and go back to the server's."""
    control, other = lenses_env.control, f"{lenses_env.name}-other"
    control.add_environment(other, {"connect": {"backend": "memory"}}, persona={"name": "hostile", "conflict_as": 500})
    assert control.persona(other) == {"name": "hostile", "conflict_as": 500}

    def codes() -> list[int]:
        found = []
        for environment in (lenses_env.name, other):
            control.set_connector(environment, "connect", "c", config=SINK)
            body = {"name": "c", "cluster": "connect", "configuration": SINK}
            found.append(api.call("CreateConnector", environment=environment, body=body).status_code)
        return found

    assert codes() == [409, 500]
    control.set_persona(lenses_env.name, "documented")
    control.set_persona(other, None)
    assert codes() == [400, 409]
    control.remove_environment(other)


def test_the_server_has_one_for_those_without() -> None:
    config = {"environments": {"a": {}, "b": {"persona": "connect"}}}
    running = RunningLenses.start(config, persona="observed")
    try:
        codes = [http.get(f"{running.url}/api/v1/environments/{name}").status_code for name in ("a", "b")]
        assert codes == [415, 401]
        assert http.get(f"{running.url}/api/v1/environments").status_code == 415
        running.control.set_persona(None, "documented")
        assert [running.control.persona(name)["name"] for name in (None, "a", "b")] == [
            "documented",
            "documented",
            "connect",
        ]
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("persona", "switches"),
    [
        ("friendly", {}),
        ("observed", {"conflict_as": 400}),
        ("hostile", {"conflict_as": 404}),
        ("hostile", {"conflicts_as": 400}),
        ("hostile", {"lists": "short"}),
        ("hostile", {"agent_rpc_error": ["CreateConector"]}),
        ("hostile", {"base": "documented"}),
        (None, {"conflict_as": 400}),
    ],
)
def test_mistakes_in_a_persona_are_told(lenses_env: LensesEnv, persona: str | None, switches: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        lenses_env.control._call("set_persona", environment=lenses_env.name, persona=persona, switches=switches)
    assert lenses_env.control.persona(lenses_env.name) == {"name": "connect"}


# documented
def test_documented_says_nothing_the_file_does_not_declare(lenses_env: LensesEnv, api: LensesApi) -> None:
    """Every operation in good and in bad, held against declared statuses and fields by the client and here."""
    control = lenses_env.control
    control.set_persona(lenses_env.name, "documented")
    answers: list[tuple[str, httpx.Response]] = []

    def call(operation: str, client: LensesApi = api, **extra: Any) -> None:
        answers.append((operation, client.call(operation, **arguments(operation, "connect", "c") | extra)))

    call("CreateConnector")
    call("CreateConnector")  # which exists already
    call("CreateConnector", body={"name": "d", "cluster": "connect", "configuration": {"connector.class": "No"}})
    control.set_connector(lenses_env.name, "connect", "c", tasks=[{"id": 0, "state": "FAILED", "trace": "boom"}])
    for operation in ("ListConnectors", "GetConnector", "ListPlugins", "ValidateConnector", "GetClusterInfo"):
        call(operation)
    call("ConnectorTaskRestart")
    call("AlterConnectorOffsets")  # while it runs
    call("ConnectorState")
    control.set_connector(lenses_env.name, "connect", "c", state="STOPPED")
    for operation in ("AlterConnectorOffsets", "GetConnectorOffsets", "ResetConnectorOffsets", "GetConnectorTopics"):
        call(operation)
    call("DeleteConnector")
    control.add_token(f"{lenses_env.name}-none", permissions=["environments:AccessEnvironment"])
    with lenses_env.client("wrong") as unknown, lenses_env.client(f"{lenses_env.name}-none") as powerless:
        for operation in OPERATIONS:
            call(operation, unknown)
            call(operation, powerless)
            call(operation, **arguments(operation, "nowhere", "none"))
    for operation, response in answers:
        content_type = response.headers["Content-Type"]
        assert check_declared(operation, response.status_code, content_type) == []
        assert check_response(operation, response.status_code, content_type, response.content) == []
    assert {operation for operation, response in answers if response.status_code < 300} == set(OPERATIONS)
    assert {response.status_code for _, response in answers} == {200, 201, 400, 401, 403, 404}
    assert [v for v in control.violations() if lenses_env.name in v["path"]] == []


def letter(answer: Answer, operation: str = "CreateConnector") -> tuple[int, str, str]:
    """Status, content type and words of an error to the letter."""
    where = {"environment": "e", "cluster": "c", "connector": "n", "name": "n"}
    target = target_of(method_of(operation), path_of(operation, **where))
    told = to_the_letter(Call(target, b"", None, None, Active([])), answer)
    return told.status, told.content_type, json.loads(told.body).get("error", "")


def test_documented_has_other_codes_for_a_conflict() -> None:
    assert letter(agent_error(409, "Connector n already exists"))[::2] == (400, "Connector n already exists")
    assert letter(agent_error(409, "conflicting operation"))[::2] == (500, "conflicting operation")


def test_documented_has_one_shape_and_no_5xx_but_500() -> None:
    assert letter(problem("not_found", "environment e not found")) == (
        404,
        "application/json",
        "environment e not found",
    )
    assert letter(agent_error(503, "cannot be reached")) == (500, "application/json", "cannot be reached")
    assert letter(html(404, "Not Found"))[:2] == (500, "application/json")
    assert letter(agent_error(404, "Connector n not found")) == (404, "application/json", "Connector n not found")


def test_documented_leaves_alone_what_the_file_does_not_describe() -> None:
    assert letter(agent_error(501, "not available"), "GetResource")[0] == 501


def test_the_check_sees_what_is_not_declared() -> None:
    assert check_declared("GetConnector", 409, "application/json")
    assert check_declared("GetConnector", 404, "application/problem+json")
    assert check_declared("GetConnector", 404, "application/json") == []


def test_what_documented_lets_through_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the server's own, kept and loud."""
    monkeypatch.setattr("harness.lenses.persona.to_the_letter", lambda _, answer: answer)
    running = RunningLenses.start({"environments": {"e": {"clusters": {"connect": {"backend": "memory"}}}}})
    try:
        running.control.set_persona("e", "documented")
        running.control.set_connector("e", "connect", "c", config=SINK)
        with LensesApi(running.url, running.token, "e") as api:
            assert "status 409 is not declared" in api.create("connect", "c", SINK).json()["error"]
        assert [violation["operation"] for violation in running.control.violations()] == ["CreateConnector"]
    finally:
        running.stop()


# observed
def test_observed_lists_say_more_than_the_file(lenses_env: LensesEnv, seen: LensesApi) -> None:
    control = lenses_env.control
    control.set_connector(
        lenses_env.name, "connect", "s3", config=S3, tasks=[{"id": 0, "state": "FAILED", "trace": "t"}]
    )
    (entry,) = seen.call("ListConnectors").json()["data"]
    assert (entry["author"], entry["icon"], entry["version"]) == ("Lenses.io", "S3SinkConnector.svg", "9.0.2")
    assert entry["tasks"] == [{"id": 0, "state": "FAILED", "workerId": "10.0.0.4:8083", "trace": "t"}]
    assert control.violations() == []


def test_observed_lists_of_a_real_cluster_say_more_too() -> None:
    tasks = [{"id": 1, "state": "FAILED", "worker_id": "w", "trace": "t"}]
    status = {"connector": {"state": "RUNNING", "worker_id": "w", "version": "4"}, "tasks": tasks}
    entry = ConnectCluster("e", "c", {"url": "http://127.0.0.1"})._entry("n", {}, status)
    assert entry["tasks"] == [{"id": 1, "state": "FAILED"}]
    assert entry.more() == {
        "workerId": "w",
        "version": "4",
        "tasks": [{"id": "1", "state": "FAILED", "workerId": "w", "trace": "t"}],
    }


def test_observed_has_nulls(lenses_env: LensesEnv, seen: LensesApi) -> None:
    assert seen.call("ListConnectors").json() == {"data": None}
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SOURCE, state="STOPPED")
    where: dict[str, Any] = {"cluster": "connect", "connector": "c"}
    (entry,) = seen.call("ListConnectors").json()["data"]
    assert [key for key, value in entry.items() if value is None] == ["tasks", "author", "icon"]
    details = seen.call("GetConnector", **where).json()
    assert [k for k, v in details.items() if v is None] == ["tasks", "author", "icon", "code", "__errors"]
    assert details["config"] == {**SOURCE, "name": "c"}
    assert seen.call("GetConnectorOffsets", **where).json() == {"offsets": None}
    assert seen.call("ListPlugins").json()["data"][0]["docs"] is None
    assert seen.validate("connect", "c", SOURCE).json()["configuration"][0]["errors"] is None


def test_observed_keeps_offsets_to_the_letter(lenses_env: LensesEnv, seen: LensesApi) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SOURCE, state="STOPPED")
    text = '{"offsets": [{"partition": {"a": 1.0}, "offset": {"b": 1.7412e12}}]}'
    lenses_env.control.set_offsets(lenses_env.name, "connect", "c", text[12:-1])
    assert seen.call("GetConnectorOffsets", cluster="connect", connector="c").text == text
    assert seen.call("AlterConnectorOffsets", cluster="connect", connector="c", body=OFFSETS).status_code == 200


def test_observed_refuses_a_token_in_hqs_shape_with_a_request_id(lenses_env: LensesEnv, seen: LensesApi) -> None:
    lenses_env.control.add_token(f"{lenses_env.name}-ro", write=False)
    lenses_env.control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    with lenses_env.client("wrong") as unknown, lenses_env.client(f"{lenses_env.name}-ro") as reader:
        for response, status, kind in (
            (unknown.get("connect", "c"), 401, "unauthorised"),
            (reader.delete("connect", "c"), 403, "forbidden"),
        ):
            assert response.headers["Content-Type"] == "application/problem+json"
            body = response.json()
            assert set(body) == {"type", "title", "status", "request_id"}
            assert (response.status_code, body["status"], body["type"]) == (status, status, kind)


def test_observed_gives_every_error_of_hq_a_request_id_of_its_own(lenses_env: LensesEnv, seen: LensesApi) -> None:
    lenses_env.control.agent_not_connected(lenses_env.name)
    ids = [seen.call("ListConnectors").json()["request_id"] for _ in range(2)]
    assert [r["error_id"] for r in lenses_env.control.requests(lenses_env.name)] == ids
    assert len(set(ids)) == 2
    lenses_env.control.set_persona(lenses_env.name, "connect")
    assert "request_id" not in seen.call("ListConnectors").json()


@pytest.mark.parametrize("operation", [*OPERATIONS, "GetEnvironment", "GetResource"])
def test_observed_wants_json_said_of_every_request(lenses_env: LensesEnv, seen: LensesApi, operation: str) -> None:
    where = {"environment": lenses_env.name, "cluster": "connect", "connector": "c", "name": "c"}
    path = path_of(operation, **where, action="stop", p1=0)
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/yaml"}):
        response = seen.raw(method_of(operation), path, headers=headers)
        assert (response.status_code, set(response.json())) == (415, {"type", "title", "status", "request_id"})
    said = seen.raw(method_of(operation), path, headers={"Content-Type": "application/json; charset=utf-8"})
    assert said.status_code != 415
    (*refused, last) = lenses_env.control.requests(lenses_env.name)
    assert {request["processed"] for request in refused} == {False}
    assert last["processed"]


def test_observed_wants_yaml_said_of_a_put_as_code(lenses_env: LensesEnv, seen: LensesApi) -> None:
    spec = {"cluster": "connect", "name": "c", "config": SINK}
    document = json.dumps({"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector", "spec": spec})
    assert seen.put_resource(document, **{"Content-Type": "application/json"}).status_code == 415
    assert seen.put_resource(document).status_code == 200


def test_observed_shows_as_absent_what_a_token_does_not_see(lenses_env: LensesEnv, seen: LensesApi) -> None:
    control, name = lenses_env.control, lenses_env.name
    control.add_cluster(name, "other", {"backend": "memory"})
    for cluster, connector in (("connect", "mine"), ("connect", "theirs"), ("other", "mine")):
        control.set_connector(name, cluster, connector, config=SINK)
    control.add_token(f"{name}-a", clusters=["connect"], connectors=["mine"])
    with lenses_env.client(f"{name}-a", check=False) as limited:
        assert limited.names() == ["mine"]
        for hidden, absent in (
            (limited.get("connect", "theirs"), limited.get("connect", "mine-too")),
            (limited.delete("connect", "theirs"), limited.delete("connect", "mine-too")),
            (limited.call("GetClusterInfo", cluster="other"), limited.call("GetClusterInfo", cluster="none")),
        ):
            assert hidden.status_code == absent.status_code == 404
            assert hidden.json().keys() == absent.json().keys() == {"error", "fields", "errorType"}
        assert limited.call("GetConnectorTopics", cluster="connect", connector="theirs").json() == []
        assert limited.create("connect", "theirs", SINK).status_code == 403
    control.add_token(f"{name}-a", environments=["elsewhere"])
    with lenses_env.client(f"{name}-a", check=False) as limited:
        response = limited.call("ListConnectors")
        assert (response.status_code, response.json()["type"]) == (404, "not_found")


def test_observed_says_of_a_missing_right_that_it_is_missing(lenses_env: LensesEnv, seen: LensesApi) -> None:
    control = lenses_env.control
    control.set_connector(lenses_env.name, "connect", "c", config=SINK)
    rights = ["environments:AccessEnvironment", "kafka-connect:GetConnectorDetails"]
    control.add_token(f"{lenses_env.name}-r", permissions=rights)
    with lenses_env.client(f"{lenses_env.name}-r", check=False) as limited:
        assert limited.call("ListConnectors").json() == {"data": None}
        assert limited.act("connect", "c", "stop").json()["type"] == "forbidden"
        details = limited.get("connect", "c").json()
        assert "config" not in details
        assert details["__errors"][0]["field"] == "config"
        items = limited.call("ListEnvironments").json()["items"]
        (item,) = [one for one in items if one["name"] == lenses_env.name]
        assert item["permissions"] == rights
