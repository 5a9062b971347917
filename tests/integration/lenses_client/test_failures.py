"""What becomes of requests that Lenses refuses, loses or answers with something else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.lenses.environment import LensesEnv
from harness.wanted import always
from lenses_operator.lenses import (
    ConnectorRequest,
    LensesClient,
    LensesError,
    LensesRefused,
    LensesTransport,
    LensesUnreachable,
    TokenFile,
    UnusableAnswer,
    errors,
)

pytest_plugins = ["harness.lenses.fixtures"]

CONFIG = {"connector.class": "FileStreamSource", "password": "hunter2", "file": "/dev/null", "topic": "lines"}
CREATE = ConnectorRequest(name="new", cluster="connect", configuration=CONFIG)
OFFSETS = '[{"partition":{"filename":"x"},"offset":{"position":1}}]'

Use = Callable[[LensesClient, str], Awaitable[Any]]

USES: dict[str, Use] = {
    "ListConnectors": lambda client, env: client.list_connectors(env),
    "CreateConnector": lambda client, env: client.create_connector(env, CREATE, precondition=always),
    "GetConnector": lambda client, env: client.get_connector(env, "connect", "orders"),
    "DeleteConnector": lambda client, env: client.delete_connector(env, "connect", "orders", precondition=always),
    "ListPlugins": lambda client, env: client.list_plugins(env),
    "ConnectorState": lambda client, env: client.set_state(env, "connect", "orders", "pause", precondition=always),
    "ConnectorTaskRestart": lambda client, env: client.restart_task(env, "connect", "orders", 0, precondition=always),
    "ValidateConnector": lambda client, env: client.validate(env, CREATE),
    "GetConnectorTopics": lambda client, env: client.get_topics(env, "connect", "orders"),
    "GetClusterInfo": lambda client, env: client.get_cluster_info(env, "connect"),
    "GetConnectorOffsets": lambda client, env: client.get_offsets(env, "connect", "orders"),
    "AlterConnectorOffsets": lambda client, env: client.alter_offsets(
        env, "connect", "orders", OFFSETS, precondition=always
    ),
    "ResetConnectorOffsets": lambda client, env: client.reset_offsets(env, "connect", "orders", precondition=always),
    "PutResource": lambda client, env: client.put_resource(env, "kind: KafkaConnector\n", precondition=always),
}
CHANGING = [name for name in USES if not name.startswith(("List", "Get"))]
READING = [name for name in USES if name not in CHANGING]

EXPECTED: dict[int, type[LensesError]] = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    402: errors.LicenceRequired,
    403: errors.Forbidden,
    404: errors.ConnectorOrClusterNotFound,
    409: errors.Conflict,
    429: errors.RateLimited,
    500: errors.ServerError,
    502: errors.ServerError,
}


@pytest.fixture(autouse=True)
def orders(env: LensesEnv) -> str:
    env.control.set_connector(env.name, env.cluster, "orders", config=CONFIG)
    return "orders"


@pytest.mark.parametrize("operation", USES)
async def test_every_error_status_of_every_operation(env: LensesEnv, client: LensesClient, operation: str) -> None:
    lacking = {404: errors.MissingAgentCapability} if operation == "PutResource" else {}
    for status, expected in (EXPECTED | lacking).items():
        fault = env.control.add_fault(env.name, operation=operation, status=status, message="said so")
        with pytest.raises(expected) as caught:
            await USES[operation](client, env.name)
        assert isinstance(caught.value, LensesRefused)
        assert (caught.value.status, caught.value.detail) == (status, "said so")
        env.control.remove_fault(fault)


@pytest.mark.parametrize("operation", USES)
async def test_a_starting_worker_is_never_a_missing_connector(
    env: LensesEnv, client: LensesClient, operation: str
) -> None:
    env.control.add_fault(env.name, operation=operation, status=404, shape="html")
    expected = errors.MissingAgentCapability if operation == "PutResource" else UnusableAnswer
    with pytest.raises(expected):
        await USES[operation](client, env.name)


async def test_three_kinds_of_404(env: LensesEnv, client: LensesClient) -> None:
    with pytest.raises(errors.ConnectorOrClusterNotFound):
        await client.get_connector(env.name, env.cluster, "gone")
    with pytest.raises(errors.ConnectorOrClusterNotFound):
        await client.get_cluster_info(env.name, "gone")
    with pytest.raises(errors.EnvironmentNotFound):
        await client.get_connector("no-such-environment", env.cluster, "orders")
    env.control.cluster_starting(env.name, env.cluster)
    with pytest.raises(UnusableAnswer):
        await client.get_connector(env.name, env.cluster, "orders")


async def test_an_agent_that_is_not_connected(env: LensesEnv, client: LensesClient) -> None:
    env.control.agent_not_connected(env.name)
    with pytest.raises(errors.AgentNotConnected):
        await client.list_connectors(env.name)


@pytest.mark.parametrize("operation", READING)
async def test_a_read_outlives_dropped_connections(env: LensesEnv, client: LensesClient, operation: str) -> None:
    env.control.add_fault(env.name, operation=operation, drop="before", times=2)
    await USES[operation](client, env.name)
    assert env.control.counts(env.name)[operation] == 3


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", CHANGING)
async def test_a_change_is_never_repeated(env: LensesEnv, client: LensesClient, operation: str, when: str) -> None:
    env.control.add_fault(env.name, operation=operation, drop=when)
    with pytest.raises(LensesUnreachable) as caught:
        await USES[operation](client, env.name)
    assert (caught.value.reason, caught.value.maybe_done) == ("dropped", True)
    assert env.control.counts(env.name)[operation] == 1


async def test_a_dead_environment_gets_three_reads_and_one_change(env: LensesEnv, client: LensesClient) -> None:
    env.control.environment_down(env.name)
    with pytest.raises(errors.ServerError):
        await client.list_connectors(env.name)
    with pytest.raises(errors.ServerError):
        await client.create_connector(env.name, CREATE, precondition=always)
    assert env.control.counts(env.name) == {"ListConnectors": 3, "CreateConnector": 1}


async def test_an_error_after_the_deed(env: LensesEnv, client: LensesClient) -> None:
    env.control.add_fault(env.name, operation="CreateConnector", status=500, processed=True)
    with pytest.raises(errors.ServerError) as caught:
        await client.create_connector(env.name, CREATE, precondition=always)
    assert caught.value.maybe_done
    assert (await client.get_connector(env.name, env.cluster, "new")).config


async def test_a_name_that_exists(env: LensesEnv, client: LensesClient) -> None:
    await client.create_connector(env.name, CREATE, precondition=always)
    with pytest.raises(errors.Conflict):
        await client.create_connector(env.name, CREATE, precondition=always)


async def test_a_task_that_is_gone(env: LensesEnv, client: LensesClient) -> None:
    with pytest.raises(errors.NotFound):
        await client.restart_task(env.name, env.cluster, "orders", 99, precondition=always)


@pytest.mark.parametrize("body", [{"data": 3}, [], "x", {"data": [{"name": "half"}]}])
async def test_an_answer_of_another_shape(env: LensesEnv, client: LensesClient, body: Any) -> None:
    env.control.add_fault(env.name, operation="ListConnectors", body=body)
    with pytest.raises(UnusableAnswer):
        await client.list_connectors(env.name)


async def test_a_pause_that_lenses_asks_for_is_kept(env: LensesEnv, client: LensesClient) -> None:
    env.control.add_fault(env.name, operation="ListPlugins", status=429, headers={"Retry-After": "300"})
    with pytest.raises(errors.RateLimited):
        await client.list_plugins(env.name)
    with pytest.raises(errors.RateLimited) as caught:
        await client.list_connectors(env.name)
    assert caught.value.retry_after == pytest.approx(300, abs=30)
    assert env.control.counts(env.name) == {"ListPlugins": 1}


async def test_hanging_validates_do_not_hold_up_a_read(env: LensesEnv, client: LensesClient) -> None:
    points = [env.control.add_breakpoint(env.name, "ValidateConnector", nth=nth) for nth in (1, 2)]
    hanging = [asyncio.create_task(client.validate(env.name, CREATE)) for _ in range(2)]
    for point in points:
        await asyncio.to_thread(env.control.wait_breakpoint, point)
    assert len(await client.list_connectors(env.name)) == 1
    for point in points:
        env.control.release_breakpoint(point)
    await asyncio.gather(*hanging)


async def test_a_caller_that_gives_up_leaves_a_working_client(env: LensesEnv, client: LensesClient) -> None:
    point = env.control.add_breakpoint(env.name, "CreateConnector", when="after")
    creating = asyncio.create_task(client.create_connector(env.name, CREATE, precondition=always))
    await asyncio.to_thread(env.control.wait_breakpoint, point)
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    env.control.release_breakpoint(point)
    assert (await client.get_connector(env.name, env.cluster, "new")).name == "new"


@pytest.mark.parametrize("operation", USES)
async def test_a_rotated_token_goes_unnoticed(
    env: LensesEnv, transport: LensesTransport, tmp_path: Path, operation: str
) -> None:
    """The file changes between the look at it and the answer: the 401 alone tells, for every method."""
    old, new, path = f"{env.name}-old", f"{env.name}-new", tmp_path / "token"
    path.write_text(old)
    env.control.add_token(new, name="new")
    tokens = TokenFile(path)
    client = LensesClient(transport, tokens)
    env.control.add_fault(env.name, operation=operation, status=400, skip=1)  # past the 401 any answer will do
    path.write_text(new)
    tokens.current = lambda: tokens._value  # type: ignore[method-assign]
    env.control.add_fault(env.name, operation=operation, status=401, times=1)
    with pytest.raises(errors.BadRequest):
        await USES[operation](client, env.name)
    assert [found["token"] for found in env.control.requests(env.name, operation)] == [None, "new"]


async def test_secrets_never_appear(env: LensesEnv, client: LensesClient, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the token nor a configuration value in any error or log line, at any level, of any library."""
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger="lenses_operator")  # which a test of the logging set-up may have raised
    told: list[str] = []
    for fault in ({"status": 500}, {"status": 400}, {"drop": "after"}, {"text": "<html>hunter2"}, {"body": {"a": "b"}}):
        number = env.control.add_fault(env.name, **fault)
        for use in USES.values():
            try:
                await use(client, env.name)
            except LensesError as error:
                told += [str(error), repr(error), repr(error.__context__), repr(error.__cause__)]
        env.control.remove_fault(number)
    everything = "\n".join([*told, caplog.text])
    assert len(told) > 200
    assert f"validate {env.name} 500" in everything
    for planted in ("hunter2", env.token):
        assert planted not in everything
