"""What a message advises is done here, in every state that it is given in, and has to work."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from lenses_operator.lenses import errors
from unit.controllers.fakes import Operator, operator
from unit.controllers.situations import (
    DRIFT,
    FILE,
    OTHER,
    Connect,
    Step,
    down,
    drop,
    fail_connector,
    fail_task,
    failed_when_paused,
    failed_without_restarts_left,
    foreign,
    give_secret,
    in_place_not_heeded,
    in_place_not_offered,
    install,
    let_it,
    no_cluster,
    no_plugin,
    not_allowed,
    nothing,
    raw,
    refused_at_create,
    restart,
    secret_without_key,
    show_all,
    spec,
    stopped_and_failed,
    well_again,
    wholly_hidden,
)
from unit.steps import all_of, take

pytestmark = pytest.mark.virtual_time


@pytest.fixture
async def op() -> AsyncIterator[Operator]:
    async with operator(Connect(), drift=DRIFT) as rig:
        yield rig


@dataclass(frozen=True)
class Advice:
    """`begin` brings the situation about, `said` is in its message, and `follow` is what that says."""

    begin: Step
    reason: str
    said: str
    follow: Step
    ends: str = "Running"
    spec: dict[str, Any] = field(default_factory=dict)


RESTART_IT = "restart it with the annotation"
PAUSED_ADVICE = "set spec.state: running, and restart it with the annotation connect.lenses.io/restart=<a new value>"
RUN_AGAIN = all_of(spec(state="running"), restart)
RECREATE = spec(updateStrategy="Recreate", config=OTHER)
DURING = {
    "a task failed": Advice(fail_task, "TaskFailed", RESTART_IT, restart),
    "the connector failed": Advice(fail_connector, "ConnectorFailed", RESTART_IT, restart),
    "no restarts are left: annotation": Advice(failed_without_restarts_left, "TaskFailed", RESTART_IT, restart),
    "no restarts are left: spec": Advice(
        failed_without_restarts_left,
        "TaskFailed",
        "or change the spec to start over",
        spec(autoRestart={"enabled": True, "maxRestarts": 2}),
    ),
    "failed, to be paused: stop": Advice(
        failed_when_paused, "ConnectorFailed", "Set spec.state: stopped", spec(state="stopped"), "Stopped"
    ),
    "failed, to be paused: run": Advice(failed_when_paused, "ConnectorFailed", PAUSED_ADVICE, RUN_AGAIN),
    "failed, to be stopped, and nothing comes of it": Advice(
        stopped_and_failed, "ConnectorFailed", PAUSED_ADVICE, RUN_AGAIN
    ),
    "suspended": Advice(spec(suspend=True), "Suspended", "Set it to false", spec(suspend=False)),
    "not in place": Advice(in_place_not_offered, "UpdateNotSupported", "Set spec.updateStrategy: Recreate", RECREATE),
    "not applied": Advice(in_place_not_heeded, "UpdateNotApplied", "set spec.updateStrategy: Recreate", RECREATE),
    "refused at create": Advice(
        refused_at_create, "ConfigInvalid", "Correct spec.config", spec(config={"topic": "good", **FILE})
    ),
}
"""It happens to a connector that runs."""

DIFFERS = {"topic": "theirs"}
NEVER = {"adoptionPolicy": "Never"}
ALWAYS = spec(adoptionPolicy="Always")
REF = {"name": "db", "key": "pw"}
FROM_SECRET = {"configFrom": [{"key": "password", "secretKeyRef": REF}]}
BEFORE = {
    "differs: spec": Advice(
        foreign(**DIFFERS), "NotAdopted", "make spec.config match", spec(config={**FILE, **DIFFERS})
    ),
    "differs: Always": Advice(foreign(**DIFFERS), "NotAdopted", "spec.adoptionPolicy: Always", ALWAYS),
    "differs: delete": Advice(foreign(**DIFFERS), "NotAdopted", "delete the connector in Lenses", drop),
    "tasks differ": Advice(foreign(**{"tasks.max": "3"}), "NotAdopted", "make spec.tasksMax match it", raw(tasksMax=3)),
    "class and more differ": Advice(
        foreign(**{"connector.class": "a.B", "topic": "x"}),
        "NotAdopted",
        "make spec.config and spec.class match it",
        raw(**{"class": "a.B", "config": {"topic": "x", **FILE}}),
    ),
    "never: IfIdentical": Advice(
        foreign(), "NotAdopted", "spec.adoptionPolicy to IfIdentical", spec(adoptionPolicy="IfIdentical"), spec=NEVER
    ),
    "never: Always": Advice(foreign(**DIFFERS), "NotAdopted", "or Always", ALWAYS, spec=NEVER),
    "never: delete": Advice(foreign(), "NotAdopted", "delete the connector in Lenses", drop, spec=NEVER),
    "hidden: Always": Advice(wholly_hidden, "NotAdopted", "spec.adoptionPolicy: Always", ALWAYS),
    "hidden: permission": Advice(wholly_hidden, "NotAdopted", "permission to read configurations", show_all),
    "no Secret: create": Advice(nothing, "ReferenceNotFound", "Create it", give_secret, spec=FROM_SECRET),
    "no Secret: optional": Advice(
        nothing,
        "ReferenceNotFound",
        "set optional: true",
        spec(configFrom=[{"key": "password", "secretKeyRef": {**REF, "optional": True}}]),
        spec=FROM_SECRET,
    ),
    "no key: add": Advice(secret_without_key, "ReferenceNotFound", "Add the key", give_secret, spec=FROM_SECRET),
    "a reserved key": Advice(
        nothing,
        "ConfigInvalid",
        "remove it there and use spec.tasksMax instead",
        raw(tasksMax=2),
        spec={"config": {"topic": "orders", "file": "/data/orders", "tasks.max": 2}},
    ),
    "a number that is none": Advice(
        nothing,
        "ConfigInvalid",
        "write it as a string, in quotes",
        spec(config={"topic": "1.5", **FILE}),
        spec={"config": {"topic": 1.5, **FILE}},
    ),
    "no cluster": Advice(no_cluster, "ClusterNotFound", "Add the cluster to Lenses", well_again),
    "no environment": Advice(
        down(errors.EnvironmentNotFound("list_connectors")),
        "EnvironmentNotFound",
        "Grant its Lenses account the permission",
        well_again,
    ),
    "no right": Advice(
        down(errors.Forbidden("list_connectors")), "Forbidden", "Grant its Lenses account the permissions", well_again
    ),
    "no token": Advice(
        down(errors.Unauthorized("list_connectors")), "Unauthorized", "it is read again automatically", well_again
    ),
    "no plugin: install": Advice(no_plugin, "PluginNotFound", "or install the plugin", install),
    "no plugin: class": Advice(
        no_plugin, "PluginNotFound", "Correct spec.class", all_of(well_again, raw(**{"class": "a.B"}))
    ),
    "not allowed": Advice(not_allowed, "NotAllowed", "ask those who run the operator for a rule", let_it),
}
"""It is so before there is a resource."""

ADVICE = DURING | BEFORE


async def until(op: Operator, reason: str) -> None:
    for _ in range(200):
        if op.kube.status().ready is not None and op.said()[1] == reason:
            return
        await asyncio.sleep(DRIFT / 10)
    raise AssertionError(f"never {reason}: {op.said()}, {op.message()}")


async def runs(op: Operator) -> None:
    op.kube.apply()
    await until(op, "Running")


@pytest.mark.parametrize("name", ADVICE)
async def test_it_works(op: Operator, name: str) -> None:
    advice = ADVICE[name]
    if name in BEFORE:
        await take(advice.begin, op)
        op.kube.apply(**advice.spec)
    else:
        await runs(op)
        await take(advice.begin, op)
    await until(op, advice.reason)
    assert advice.said in op.message()
    before = len(op.lenses.asked("set_state"))
    await take(advice.follow, op)
    await asyncio.sleep(DRIFT)
    await until(op, advice.ends)
    assert len(op.lenses.asked("set_state")) <= before + 2
    if advice.ends == "Running":
        assert op.held.state == "RUNNING"
        assert [event.message for event in op.events if event.reason == "NotRestarted"] == []


@pytest.mark.parametrize("state", ["paused", "stopped"])
async def test_while_it_is_not_to_run_nobody_is_told_to_restart_alone(op: Operator, state: str) -> None:
    """The annotation restarts nothing then, and says so."""
    await runs(op)
    (failed_when_paused if state == "paused" else stopped_and_failed)(op)
    await until(op, "ConnectorFailed")
    op.lenses.calls.clear()
    await asyncio.sleep(20 * DRIFT)
    assert op.lenses.asked("set_state") == [], "asked for once"
    restart(op)
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
async def test_a_blocked_deletion_lets_go_by_the_command_it_gives(op: Operator, why: str) -> None:
    await runs(op)
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


async def test_a_resource_for_an_environment_that_never_was_goes_at_once(op: Operator) -> None:
    """As the runbook says: delete it, and make one with the right name."""
    op.lenses.down(errors.EnvironmentNotFound("list_connectors"))
    op.kube.apply()
    await until(op, "EnvironmentNotFound")
    assert "make a new resource" in op.message()
    await op.deletes(seconds=1)
    assert not op.kube.there()


async def test_a_second_resource_is_told_to_go_or_be_made_anew(op: Operator) -> None:
    """Its name cannot be changed."""
    await runs(op)
    await op.applies("second", seconds=DRIFT, raw={"name": "orders"})
    assert op.said("second")[1] == "Conflict"
    assert "delete one of the two resources" in op.message("second")
    await op.deletes(seconds=20 * DRIFT)
    assert not op.kube.there()
    assert op.said("second")[1] == "Running"
