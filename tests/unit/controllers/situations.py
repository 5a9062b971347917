"""Situations that a resource can be in, and what people do about them: steps, each under a name."""

from __future__ import annotations

import asyncio
from typing import Any

from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import Plugin, StateAction
from lenses_operator.lenses.transport import Precondition
from lenses_operator.resources.base import RESTART
from unit import steps
from unit.controllers.fakes import NAME, Connector, FakeLenses, Operator, Task
from unit.controllers.support import annotate
from unit.resources.make import SENT

Step = steps.Step[Operator]
DRIFT = 60.0
"""Seconds between two checks."""
TRACE = "org.example.Oh: the database is away"
SECRET = ("payments", RefName("Secret", "db"))
FILE = {"file": "/data/orders"}
OTHER = {"topic": "other", **FILE}


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


def nothing(op: Operator) -> None:
    """It is so already."""


def fail_connector(op: Operator) -> None:
    op.held.state, op.held.tasks = "FAILED", [Task(0, "RUNNING")]


def fail_task(op: Operator) -> None:
    op.held.tasks = [Task(0, "FAILED", TRACE)]


def failed_when_paused(op: Operator) -> None:
    fail_connector(op)
    op.kube.apply(state="paused")


async def failed_without_restarts_left(op: Operator) -> None:
    op.kube.apply(autoRestart={"enabled": True, "maxRestarts": 1})
    for _ in range(2):
        fail_task(op)
        await asyncio.sleep(5 * DRIFT)


def stopped_and_failed(op: Operator) -> None:
    """Lenses takes the wish to stop and nothing comes of it."""
    fail_connector(op)
    op.lenses.stops = False
    op.kube.apply(state="stopped")


def foreign(**changes: str | None) -> Step:
    """A connector that was there before the resource; None leaves a key out."""

    def made(op: Operator) -> None:
        config = {key: value for key, value in {**SENT, **changes}.items() if value is not None}
        op.lenses.connectors[NAME] = Connector(config)

    return made


def wholly_hidden(op: Operator) -> None:
    op.lenses.connectors[NAME] = Connector(dict(SENT))
    op.lenses.shows = lambda config: dict.fromkeys(config, "***")


def secret_without_key(op: Operator) -> None:
    op.kube.references[SECRET] = RefData("1", {"other": b"x"})


def in_place_not_offered(op: Operator) -> None:
    op.lenses.as_code = False
    op.lenses.always("put_resource", errors.MissingAgentCapability("put_resource", status=404))
    op.kube.apply(updateStrategy="InPlace", config=OTHER)


def in_place_not_heeded(op: Operator) -> None:
    op.lenses.heeds_puts = False
    op.kube.apply(updateStrategy="InPlace", config=OTHER)


def refused_at_create(op: Operator) -> None:
    op.lenses.refuses = lambda config: config["topic"] == "bad"
    op.kube.apply(config={"topic": "bad", **FILE})


def down(error: errors.LensesError) -> Step:
    return lambda op: op.lenses.down(error)


def no_cluster(op: Operator) -> None:
    op.lenses.clusters.clear()
    op.lenses.down(errors.ConnectorOrClusterNotFound("list_connectors", detail="no such cluster"))


def no_plugin(op: Operator) -> None:
    op.lenses.always("validate", errors.ServerError("validate", detail="no such class"))
    op.lenses.plugin_list = [Plugin.model_validate({"class": "a.B", "cluster": "connect-eu", "type": "source"})]


def not_allowed(op: Operator) -> None:
    op.policy = Policy(rules=(Rule(namespaces=("others",)),))


def spec(**changes: Any) -> Step:
    return lambda op: op.kube.apply(**changes)


def raw(**fields: Any) -> Step:
    return lambda op: op.kube.apply(raw=fields)


def restart(op: Operator) -> None:
    annotate(op, RESTART, "1")


def drop(op: Operator) -> None:
    del op.lenses.connectors[NAME]


def give_secret(op: Operator) -> None:
    op.kube.references[SECRET] = RefData("2", {"pw": b"x"})


def let_it(op: Operator) -> None:
    op.policy = Policy()
    for resource in op.cache:
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
