"""Every operation as Lenses sees it: addressed right, with a body that the OpenAPI file allows."""

from __future__ import annotations

from typing import Any

import pytest

from harness.lenses import conformance
from harness.lenses.environment import LensesEnv
from harness.wanted import always
from lenses_operator.lenses import ConnectorRequest, LensesClient, LensesTransport, StaticToken, errors, parse_offsets

pytest_plugins = ["harness.lenses.fixtures"]

CONFIG = {"connector.class": "FileStreamSource", "tasks.max": "1", "file": "/dev/null", "topic": "lines"}
NAMES = ["orders", "a->b", "two words", "größe/50%", "a%3Eb", "日本", "[x]?#&=+", "...", "~._-"]
OFFSETS = '[{"partition":{"filename":"/dev/null"},"offset":{"position":123456789012345678,"share":1.0}}]'


def request(env: LensesEnv, name: str = "orders", **changes: str) -> ConnectorRequest:
    return ConnectorRequest(name=name, cluster=env.cluster, configuration=CONFIG | changes)


def logged(env: LensesEnv, operation: str) -> dict[str, Any]:
    """The last request of an operation; its body was held against the file."""
    found = env.control.requests(env.name, operation)[-1]
    assert conformance.request_errors(operation, found["body"]) == [] if found["body"] is not None else True
    return found


@pytest.fixture
async def orders(env: LensesEnv, client: LensesClient) -> str:
    await client.create_connector(env.name, request(env), precondition=always)
    return "orders"


async def test_create(env: LensesEnv, client: LensesClient) -> None:
    await client.create_connector(env.name, request(env), precondition=always)
    found = logged(env, "CreateConnector")
    assert found["body"] == {"name": "orders", "cluster": env.cluster, "configuration": CONFIG}
    assert (found["status"], found["content_type"]) == (201, "application/json")


async def test_get_and_list_tell_the_same(env: LensesEnv, client: LensesClient, orders: str) -> None:
    details = await client.get_connector(env.name, env.cluster, orders)
    (item,) = await client.list_connectors(env.name)
    assert (item.name, item.cluster, item.lrn, item.state, item.class_name, item.type) == (
        details.name,
        details.cluster,
        details.lrn,
        details.state,
        details.class_name,
        details.type,
    )
    assert [(task.id, task.state) for task in item.tasks] == [(task.id, task.state) for task in details.tasks]
    assert [task.id for task in item.tasks] == [0]
    assert details.config == CONFIG | {"name": orders}
    assert details.tasks[0].worker_id


async def test_list_filters(env: LensesEnv, client: LensesClient, orders: str) -> None:
    env.control.add_cluster(env.name, "other one", {"backend": "memory"})
    assert await client.list_connectors(env.name, clusters=["other one"]) == []
    (item,) = await client.list_connectors(env.name, clusters=["other one", env.cluster])
    assert item.class_name is not None
    assert len(await client.list_connectors(env.name, class_names=[item.class_name])) == 1
    assert await client.list_connectors(env.name, class_names=["no.such.Class"]) == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_connector_of_any_name_goes_all_the_way(env: LensesEnv, client: LensesClient, name: str) -> None:
    where = (env.name, env.cluster, name)
    await client.create_connector(env.name, request(env, name), precondition=always)
    assert (await client.get_connector(*where)).name == name
    await client.restart_task(*where, 0, precondition=always)
    await client.get_topics(*where)
    await client.set_state(*where, "stop", precondition=always)
    assert (await client.get_connector(*where)).state == "STOPPED"
    await client.reset_offsets(*where, precondition=always)
    assert (await client.get_offsets(*where)).entries == 0
    await client.delete_connector(*where, precondition=always)
    with pytest.raises(errors.ConnectorOrClusterNotFound):
        await client.get_connector(*where)
    assert "unknown" not in env.control.counts(env.name)


async def test_clusters_and_environments_of_any_name(env: LensesEnv, client: LensesClient) -> None:
    for name in NAMES:
        environment = f"{env.name} {name}"
        env.control.add_environment(environment, {name: {"backend": "memory"}})
        assert (await client.get_cluster_info(environment, name)).version
        assert (await client.list_plugins(environment, cluster=name))[0].cluster == name
        env.control.remove_environment(environment)


@pytest.mark.parametrize(
    ("actions", "state"),
    [(["pause"], "PAUSED"), (["stop"], "STOPPED"), (["stop", "resume"], "RUNNING"), (["restart"], "RUNNING")],
)
async def test_states(env: LensesEnv, client: LensesClient, orders: str, actions: list[Any], state: str) -> None:
    for action in actions:
        await client.set_state(env.name, env.cluster, orders, action, precondition=always)
    assert (await client.get_connector(env.name, env.cluster, orders)).state == state
    assert logged(env, "ConnectorState")["content_type"] == "application/json"


async def test_a_failed_task_shows_its_trace_and_can_be_restarted(
    env: LensesEnv, client: LensesClient, orders: str
) -> None:
    env.control.set_connector(
        env.name,
        env.cluster,
        orders,
        tasks=[{"id": 0, "state": "RUNNING"}, {"id": 1, "state": "FAILED", "trace": "boom"}],
    )
    failed = (await client.get_connector(env.name, env.cluster, orders)).tasks[1]
    assert (failed.id, failed.state, failed.trace) == (1, "FAILED", "boom")
    await client.restart_task(env.name, env.cluster, orders, failed.id, precondition=always)
    assert (await client.get_connector(env.name, env.cluster, orders)).tasks[1].state == "RUNNING"


async def test_validate(env: LensesEnv, client: LensesClient) -> None:
    assert (await client.validate(env.name, request(env))).errors == {}
    found = await client.validate(env.name, request(env, **{"tasks.max": "many"}))
    assert list(found.errors) == ["tasks.max"]
    assert logged(env, "ValidateConnector")["body"]["configuration"]["tasks.max"] == "many"


async def test_plugins(env: LensesEnv, client: LensesClient) -> None:
    env.control.set_plugins(env.name, env.cluster, [{"class": "io.x.OrdersSink", "type": "sink", "version": "2.0"}])
    (plugin,) = await client.list_plugins(env.name, cluster=env.cluster)
    assert (plugin.class_name, plugin.type, plugin.version) == ("io.x.OrdersSink", "sink", "2.0")


async def test_topics(env: LensesEnv, client: LensesClient, orders: str) -> None:
    assert isinstance(await client.get_topics(env.name, env.cluster, orders), list)
    assert await client.get_topics(env.name, env.cluster, "no such connector") == []


async def test_cluster_info(env: LensesEnv, client: LensesClient) -> None:
    info = await client.get_cluster_info(env.name, env.cluster)
    assert (info.name, bool(info.version)) == (env.cluster, True)


async def test_offsets_go_there_and_back_to_the_letter(env: LensesEnv, client: LensesClient, orders: str) -> None:
    where = (env.name, env.cluster, orders)
    env.control.set_plugins(env.name, env.cluster, [{"class": "FileStreamSource", "type": "source"}])
    env.control.set_connector(*where, config=CONFIG)
    await client.set_state(*where, "stop", precondition=always)
    assert await client.alter_offsets(*where, OFFSETS, precondition=always)
    found = await client.get_offsets(*where)
    assert parse_offsets(found.text) == parse_offsets(OFFSETS)
    assert '"share": 1.0' in found.text
    assert found.entries == 1
    assert await client.alter_offsets(
        *where, '[{"partition":{"filename":"/dev/null"},"offset":null}]', precondition=always
    )
    assert (await client.get_offsets(*where)).entries == 0
    assert logged(env, "AlterConnectorOffsets")["body"]["offsets"][0]["offset"] is None


async def test_reset_offsets(env: LensesEnv, client: LensesClient, orders: str) -> None:
    where = (env.name, env.cluster, orders)
    env.control.set_offsets(*where, OFFSETS)
    with pytest.raises(errors.BadRequest) as caught:
        await client.reset_offsets(*where, precondition=always)
    assert "STOPPED" in caught.value.detail
    await client.set_state(*where, "stop", precondition=always)
    assert "reset" in await client.reset_offsets(*where, precondition=always)
    assert (await client.get_offsets(*where)).text == "[]"


async def test_a_resource_as_code(env: LensesEnv, client: LensesClient, orders: str) -> None:
    lines = "".join(f'    {key}: "{value}"\n' for key, value in (CONFIG | {"topic": "others"}).items())
    document = (
        "apiVersion: lenses.io/v0beta\nkind: KafkaConnector\nspec:\n"
        f"  cluster: {env.cluster}\n  name: {orders}\n  state: RUNNING\n  config:\n{lines}"
    )
    await client.put_resource(env.name, document, precondition=always)
    config = (await client.get_connector(env.name, env.cluster, orders)).config
    assert config is not None
    assert config["topic"] == "others"


@pytest.mark.parametrize("status", [404, 405, 415, 501])
async def test_a_lenses_without_resources_as_code(env: LensesEnv, client: LensesClient, status: int) -> None:
    env.control.set_resource_as_code(env.name, status)
    with pytest.raises(errors.MissingAgentCapability):
        await client.put_resource(env.name, "kind: KafkaConnector\n", precondition=always)


async def test_two_tokens_over_one_connection_see_their_own(
    env: LensesEnv, client: LensesClient, transport: LensesTransport, orders: str
) -> None:
    env.control.add_token(f"{env.name}-few", name="few", connectors=["mine-*"], write=False)
    few = client.with_tokens(StaticToken(f"{env.name}-few"))
    assert await few.list_connectors(env.name) == []
    assert len(await client.list_connectors(env.name)) == 1
    with pytest.raises(errors.Forbidden):
        await few.delete_connector(env.name, env.cluster, orders, precondition=always)
    env.control.remove_token(f"{env.name}-few")
    with pytest.raises(errors.Unauthorized):
        await few.list_connectors(env.name)


async def test_hidden_and_missing_configuration(env: LensesEnv, client: LensesClient, orders: str) -> None:
    where = (env.name, env.cluster, orders)
    fault = env.control.add_fault(
        env.name, operation="GetConnector", mask=["file"], errors=[{"field": "config.file", "reason": "hidden"}]
    )
    found = await client.get_connector(*where)
    assert found.config is not None
    assert (found.config_hidden, set(found.hidden_keys), found.config["file"]) == (False, {"file"}, "********")
    env.control.remove_fault(fault)
    env.control.add_fault(
        env.name, operation="GetConnector", omit_config=True, errors=[{"field": "config", "reason": "hidden"}]
    )
    found = await client.get_connector(*where)
    assert (found.config, found.config_hidden) == (None, True)


@pytest.mark.parametrize("fault", [{"state": "DESTROYED"}, {"omit_state": True}])
async def test_states_beyond_the_file(env: LensesEnv, client: LensesClient, orders: str, fault: Any) -> None:
    env.control.add_fault(env.name, operation=["GetConnector", "ListConnectors"], **fault)
    expected = fault.get("state")
    assert (await client.get_connector(env.name, env.cluster, orders)).state == expected
    assert (await client.list_connectors(env.name))[0].state == expected


async def test_every_operation_of_the_file_is_there(env: LensesEnv, client: LensesClient) -> None:
    where = (env.name, env.cluster, "orders")
    await client.create_connector(env.name, request(env), precondition=always)
    await client.validate(env.name, request(env))
    await client.list_connectors(env.name)
    await client.list_plugins(env.name)
    await client.get_cluster_info(env.name, env.cluster)
    await client.get_connector(*where)
    await client.get_topics(*where)
    await client.restart_task(*where, 0, precondition=always)
    await client.set_state(*where, "stop", precondition=always)
    env.control.set_plugins(env.name, env.cluster, ["FileStreamSource"])
    await client.get_offsets(*where)
    await client.alter_offsets(*where, OFFSETS, precondition=always)
    await client.reset_offsets(*where, precondition=always)
    await client.put_resource(env.name, _document(env), precondition=always)
    await client.delete_connector(*where, precondition=always)
    wanted = {*conformance.operations_in_spec(), "PutResource"}
    assert env.control.counts(env.name) == dict.fromkeys(wanted, 1)
    assert len(wanted) == 14


def _document(env: LensesEnv) -> str:
    return (
        "apiVersion: lenses.io/v0beta\nkind: KafkaConnector\n"
        f'spec: {{cluster: {env.cluster}, name: orders, config: {{connector.class: "FileStreamSource"}}}}\n'
    )
