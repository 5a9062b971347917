"""What a message advises is done here, in every state that it is given in, and has to work."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import Plugin, StateAction
from lenses_operator.lenses.transport import Precondition
from lenses_operator.resources.base import RESTART
from unit.controllers.fakes import NAME, Connector, FakeLenses, Operator, Task, operator
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time

PLACE = ("connect-eu", "orders")
DRIFT = 60.0
LATER = 20 * DRIFT
TRACE = "org.example.Oh: the database is away"
SECRET = ("payments", RefName("Secret", "db"))
FROM_SECRET = {"configFrom": [{"key": "password", "secretKeyRef": {"name": "db", "key": "pw"}}]}


class Connect(FakeLenses):
    """Which does not pause or resume a connector that has failed, as Kafka Connect does not."""

    async def set_state(
        self, environment: str, cluster: str, name: str, action: StateAction, *, precondition: Precondition
    ) -> None:
        found = self.connectors.get(name)
        failed = found is not None and found.state == "FAILED" and action in ("pause", "resume")
        await super().set_state(environment, cluster, name, action, precondition=precondition)
        if found is not None and failed:
            found.state, found.tasks = "FAILED", [Task(0, "RUNNING")]


def annotate(op: Operator, value: str = "1") -> None:
    known = op.kube.objects["payments", "orders"]
    op.kube._edit("payments", "orders", annotations={**known["metadata"].get("annotations", {}), RESTART: value})
    op.kube._changed("payments", "orders")


def fail_connector(op: Operator) -> None:
    assert op.connector is not None
    op.connector.state, op.connector.tasks = "FAILED", [Task(0, "RUNNING")]


def fail_task(op: Operator) -> None:
    assert op.connector is not None
    op.connector.tasks = [Task(0, "FAILED", TRACE)]


async def nothing(op: Operator) -> None:
    """The connector runs."""


async def failed_while_running(op: Operator) -> None:
    fail_connector(op)


async def task_failed(op: Operator) -> None:
    fail_task(op)


async def failed_when_paused(op: Operator) -> None:
    fail_connector(op)
    op.kube.apply(state="paused")


async def failed_without_restarts_left(op: Operator) -> None:
    op.kube.apply(autoRestart={"enabled": True, "maxRestarts": 1})
    for _ in range(2):
        fail_task(op)
        await asyncio.sleep(5 * DRIFT)


async def stopped_and_failed(op: Operator) -> None:
    """Lenses takes the wish to stop and nothing comes of it."""
    fail_connector(op)
    op.lenses.stops = False
    op.kube.apply(state="stopped")


async def suspended(op: Operator) -> None:
    op.kube.apply(suspend=True)


def foreign(**changes: str | None) -> Callable[[Operator], Awaitable[None]]:
    """A connector that was there before the resource; None leaves a key out."""

    async def made(op: Operator) -> None:
        config = {key: value for key, value in {**SENT, **changes}.items() if value is not None}
        op.lenses.connectors[NAME] = Connector(config)

    return made


async def wholly_hidden(op: Operator) -> None:
    op.lenses.connectors[NAME] = Connector(dict(SENT))
    op.lenses.shows = lambda config: dict.fromkeys(config, "***")


async def secret_without_key(op: Operator) -> None:
    op.kube.references[SECRET] = RefData("1", {"other": b"x"})


async def in_place_not_offered(op: Operator) -> None:
    op.lenses.as_code = False
    op.lenses.always("put_resource", errors.MissingAgentCapability("put_resource", status=404))
    op.kube.apply(updateStrategy="InPlace", config={"topic": "other", **FILE})


async def in_place_not_heeded(op: Operator) -> None:
    op.lenses.heeds_puts = False
    op.kube.apply(updateStrategy="InPlace", config={"topic": "other", **FILE})


async def refused_at_create(op: Operator) -> None:
    op.lenses.refuses = lambda config: config["topic"] == "bad"
    op.kube.apply(config={"topic": "bad", **FILE})


async def no_cluster(op: Operator) -> None:
    op.lenses.clusters.clear()
    op.lenses.down(errors.ConnectorOrClusterNotFound("list_connectors", detail="no such cluster"))


async def no_environment(op: Operator) -> None:
    op.lenses.down(errors.EnvironmentNotFound("list_connectors"))


async def no_right(op: Operator) -> None:
    op.lenses.down(errors.Forbidden("list_connectors"))


async def no_token(op: Operator) -> None:
    op.lenses.down(errors.Unauthorized("list_connectors"))


async def no_plugin(op: Operator) -> None:
    op.lenses.always("validate", errors.ServerError("validate", detail="no such class"))
    op.lenses.plugin_list = [Plugin.model_validate({"class": "a.B", "cluster": "connect-eu", "type": "source"})]


async def not_allowed(op: Operator) -> None:
    op.policy = Policy(rules=(Rule(namespaces=("others",)),))


def spec(**changes: Any) -> Callable[[Operator], None]:
    return lambda op: op.kube.apply(**changes)


def raw(**fields: Any) -> Callable[[Operator], None]:
    return lambda op: op.kube.apply(raw=fields)


def both(*steps: Callable[[Operator], None]) -> Callable[[Operator], None]:
    def follow(op: Operator) -> None:
        for step in steps:
            step(op)

    return follow


def drop(op: Operator) -> None:
    del op.lenses.connectors[NAME]


def give_secret(op: Operator) -> None:
    op.kube.references[SECRET] = RefData("2", {"pw": b"x"})


def let_it(op: Operator) -> None:
    op.policy = Policy()
    for resource in op.store:
        op.queue.add(resource.key)


def well_again(op: Operator) -> None:
    op.lenses.clusters.add("connect-eu")
    op.lenses.down(None)
    op.lenses.always("validate", None)


def install(op: Operator) -> None:
    op.lenses.plugin_list = FakeLenses().plugin_list
    well_again(op)


def show_all(op: Operator) -> None:
    op.lenses.shows = lambda config: config | {"name": "orders"}


@dataclass(frozen=True)
class Advice:
    """`begin` happens to a connector that runs, or before there is a resource (`first`); `said` is in the message."""

    begin: Callable[[Operator], Awaitable[None]]
    reason: str
    said: str
    follow: Callable[[Operator], None]
    ends: str = "Running"
    first: bool = False
    spec: dict[str, Any] = field(default_factory=dict)


PAUSED_ADVICE = "set spec.state: running, and restart it with the annotation connect.lenses.io/restart=<a new value>"
DIFFERS = {"topic": "theirs"}
NEVER = {"adoptionPolicy": "Never"}
FILE = {"file": "/data/orders"}
ADVICE = {
    "a task failed": Advice(task_failed, "TaskFailed", "restart it with the annotation", annotate),
    "the connector failed": Advice(failed_while_running, "ConnectorFailed", "restart it with the annotation", annotate),
    "no restarts are left: annotation": Advice(
        failed_without_restarts_left, "TaskFailed", "restart it with the annotation", annotate
    ),
    "no restarts are left: spec": Advice(
        failed_without_restarts_left,
        "TaskFailed",
        "or change the spec to start over",
        spec(autoRestart={"enabled": True, "maxRestarts": 2}),
    ),
    "failed, to be paused: stop": Advice(
        failed_when_paused, "ConnectorFailed", "Set spec.state: stopped", spec(state="stopped"), "Stopped"
    ),
    "failed, to be paused: run": Advice(
        failed_when_paused, "ConnectorFailed", PAUSED_ADVICE, both(spec(state="running"), annotate)
    ),
    "failed, to be stopped, and nothing comes of it": Advice(
        stopped_and_failed, "ConnectorFailed", PAUSED_ADVICE, both(spec(state="running"), annotate)
    ),
    "suspended": Advice(suspended, "Suspended", "Set it to false", spec(suspend=False)),
    "differs: spec": Advice(
        foreign(**DIFFERS),
        "NotAdopted",
        "make spec.config match",
        spec(config={**FILE, **DIFFERS}),
        first=True,
    ),
    "differs: Always": Advice(
        foreign(**DIFFERS), "NotAdopted", "spec.adoptionPolicy: Always", spec(adoptionPolicy="Always"), first=True
    ),
    "differs: delete": Advice(foreign(**DIFFERS), "NotAdopted", "delete the connector in Lenses", drop, first=True),
    "tasks differ": Advice(
        foreign(**{"tasks.max": "3"}), "NotAdopted", "make spec.tasksMax match it", raw(tasksMax=3), first=True
    ),
    "class and more differ": Advice(
        foreign(**{"connector.class": "a.B", "topic": "x"}),
        "NotAdopted",
        "make spec.config and spec.class match it",
        raw(**{"class": "a.B", "config": {"topic": "x", **FILE}}),
        first=True,
    ),
    "never: IfIdentical": Advice(
        foreign(),
        "NotAdopted",
        "spec.adoptionPolicy to IfIdentical",
        spec(adoptionPolicy="IfIdentical"),
        first=True,
        spec=NEVER,
    ),
    "never: Always": Advice(
        foreign(**DIFFERS),
        "NotAdopted",
        "or Always",
        spec(adoptionPolicy="Always"),
        first=True,
        spec=NEVER,
    ),
    "never: delete": Advice(foreign(), "NotAdopted", "delete the connector in Lenses", drop, first=True, spec=NEVER),
    "hidden: Always": Advice(
        wholly_hidden, "NotAdopted", "spec.adoptionPolicy: Always", spec(adoptionPolicy="Always"), first=True
    ),
    "hidden: permission": Advice(
        wholly_hidden, "NotAdopted", "permission to read configurations", show_all, first=True
    ),
    "no Secret: create": Advice(nothing, "ReferenceNotFound", "Create it", give_secret, first=True, spec=FROM_SECRET),
    "no Secret: optional": Advice(
        nothing,
        "ReferenceNotFound",
        "set optional: true",
        spec(configFrom=[{"key": "password", "secretKeyRef": {"name": "db", "key": "pw", "optional": True}}]),
        first=True,
        spec=FROM_SECRET,
    ),
    "no key: add": Advice(
        secret_without_key, "ReferenceNotFound", "Add the key", give_secret, first=True, spec=FROM_SECRET
    ),
    "a reserved key": Advice(
        nothing,
        "ConfigInvalid",
        "remove it there and use spec.tasksMax instead",
        raw(tasksMax=2),
        first=True,
        spec={"config": {"topic": "orders", "file": "/data/orders", "tasks.max": 2}},
    ),
    "a number that is none": Advice(
        nothing,
        "ConfigInvalid",
        "write it as a string, in quotes",
        spec(config={"topic": "1.5", **FILE}),
        first=True,
        spec={"config": {"topic": 1.5, **FILE}},
    ),
    "not in place": Advice(
        in_place_not_offered,
        "UpdateNotSupported",
        "Set spec.updateStrategy: Recreate",
        spec(updateStrategy="Recreate", config={"topic": "other", **FILE}),
    ),
    "not applied": Advice(
        in_place_not_heeded,
        "UpdateNotApplied",
        "set spec.updateStrategy: Recreate",
        spec(updateStrategy="Recreate", config={"topic": "other", **FILE}),
    ),
    "refused at create": Advice(
        refused_at_create,
        "ConfigInvalid",
        "Correct spec.config",
        spec(config={"topic": "good", **FILE}),
    ),
    "no cluster": Advice(no_cluster, "ClusterNotFound", "Add the cluster to Lenses", well_again, first=True),
    "no environment": Advice(
        no_environment, "EnvironmentNotFound", "Grant its Lenses account the permission", well_again, first=True
    ),
    "no right": Advice(no_right, "Forbidden", "Grant its Lenses account the permissions", well_again, first=True),
    "no token": Advice(no_token, "Unauthorized", "it is read again automatically", well_again, first=True),
    "no plugin: install": Advice(no_plugin, "PluginNotFound", "or install the plugin", install, first=True),
    "no plugin: class": Advice(
        no_plugin, "PluginNotFound", "Correct spec.class", both(well_again, raw(**{"class": "a.B"})), first=True
    ),
    "not allowed": Advice(not_allowed, "NotAllowed", "ask those who run the operator for a rule", let_it, first=True),
}


async def until(op: Operator, reason: str) -> None:
    for _ in range(200):
        if op.kube.status().ready is not None and op.said()[1] == reason:
            return
        await asyncio.sleep(DRIFT / 10)
    raise AssertionError(f"never {reason}: {op.said()}, {op.message()}")


@pytest.mark.parametrize("name", ADVICE)
async def test_it_works(name: str) -> None:
    advice = ADVICE[name]
    async with operator(Connect(), drift=DRIFT) as op:
        if not advice.first:
            op.kube.apply(**advice.spec)
            await until(op, "Running")
        await advice.begin(op)
        if advice.first:
            op.kube.apply(**advice.spec)
        await until(op, advice.reason)
        assert advice.said in op.message()
        changing = op.lenses.asked("set_state", "create_connector", "delete_connector", "put_resource")
        advice.follow(op)
        await asyncio.sleep(DRIFT)
        await until(op, advice.ends)
        assert len(op.lenses.asked("set_state")) <= len(changing) + 4
        if advice.ends == "Running":
            assert op.connector is not None
            assert op.connector.state == "RUNNING"
            assert [event.message for event in op.events if event.reason == "NotRestarted"] == []


@pytest.mark.parametrize("state", ["paused", "stopped"])
async def test_while_it_is_not_to_run_nobody_is_told_to_restart_alone(state: str) -> None:
    """The annotation restarts nothing then, and says so."""
    async with operator(Connect(), drift=DRIFT) as op:
        op.kube.apply()
        await until(op, "Running")
        await (failed_when_paused if state == "paused" else stopped_and_failed)(op)
        await until(op, "ConnectorFailed")
        op.lenses.calls.clear()
        await asyncio.sleep(LATER)
        assert op.lenses.asked("set_state") == [], "asked for once"
        annotate(op)
        await asyncio.sleep(DRIFT)
        assert f"spec.state is {state}" in op.event("NotRestarted").message
        assert op.lenses.asked("set_state") == []


BLOCKED = {
    "no right": errors.Forbidden("delete_connector"),
    "no token": errors.Unauthorized("delete_connector"),
    "no environment": errors.EnvironmentNotFound("delete_connector"),
    "no licence": errors.LicenceRequired("delete_connector"),
    "Lenses is away": errors.LensesUnreachable("delete_connector"),
    "no agent": errors.AgentNotConnected("delete_connector"),
}


@pytest.mark.parametrize("why", BLOCKED)
async def test_a_blocked_deletion_lets_go_by_the_command_it_gives(why: str) -> None:
    async with operator(Connect(), drift=DRIFT) as op:
        op.kube.apply()
        await until(op, "Running")
        op.lenses.down(BLOCKED[why])
        op.kube.delete()
        await until(op, "DeletionBlocked")
        command = op.message().partition("kubectl ")[2]
        assert command.startswith("patch lensesconnector orders -n payments --type=merge -p ")
        (patch,) = re.findall(r"-p '(.*)'", command)
        op.lenses.calls.clear()
        op.kube.latency = 0.0  # else a retry may fall due before the change is seen
        await op.applies(seconds=1, **json.loads(patch)["spec"])
        assert not op.kube.there()
        assert op.lenses.asked("delete_connector", "set_state", "get_connector") == []
        assert op.connector is not None


async def test_a_resource_for_an_environment_that_never_was_goes_at_once() -> None:
    """As the runbook says: delete it, and make one with the right name."""
    async with operator(Connect(), drift=DRIFT) as op:
        op.lenses.down(errors.EnvironmentNotFound("list_connectors"))
        op.kube.apply()
        await until(op, "EnvironmentNotFound")
        assert "make a new resource" in op.message()
        await op.deletes(seconds=1)
        assert not op.kube.there()


async def test_a_second_resource_is_told_to_go_or_be_made_anew() -> None:
    """Its name cannot be changed."""
    async with operator(Connect(), drift=DRIFT) as op:
        op.kube.apply()
        await until(op, "Running")
        await op.applies("second", seconds=DRIFT, raw={"name": "orders"})
        assert op.said("second")[1] == "Conflict"
        assert "delete one of the two resources" in op.message("second")
        await op.deletes(seconds=LATER)
        assert not op.kube.there()
        assert op.said("second")[1] == "Running"
