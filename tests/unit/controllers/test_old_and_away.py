"""A Kafka Connect that lacks an operation, and a system that the configuration names and that is away."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.domain.conditions import IDLE_AFTER, NO_TASKS_GRACE
from lenses_operator.lenses import errors
from lenses_operator.lenses.errors import LensesError
from unit.controllers.fakes import RUNNING, Operator, operator

pytestmark = pytest.mark.virtual_time

LACKING = errors.MissingAgentCapability("set_state", status=404, speaker="agent", detail="HTTP 404 Not Found")
AWAY = "Unable to connect: Connection to 10.0.0.1:5432 refused. Check that the hostname and port are correct"
INVALID = ("False", "ConfigInvalid", "Owned")


def phases(op: Operator) -> list[str]:
    return [one.type for one in op.kube.status().conditions if one.type != "Ready" and one.status == "True"]


class TestLacking:
    async def test_stop_is_said_at_once_and_nothing_is_told_that_was_not_done(self, op: Operator) -> None:
        await op.runs()
        op.lenses.always("set_state", LACKING)
        await op.applies(seconds=5, state="stopped")
        assert op.said() == ("False", "NotSupported", "Owned")
        assert "4.3.1" in op.message()
        assert "takes Kafka Connect 3.5 or later" in op.message()
        assert phases(op) == ["Stalled"]
        assert "Stopped" not in op.reasons()
        await asyncio.sleep(3600)
        assert len(op.lenses.asked("set_state")) < 20
        op.lenses.always("set_state", None)
        await op.applies(seconds=5)
        assert op.said() == RUNNING

    async def test_created_as_stopped(self, op: Operator) -> None:
        op.lenses.always("set_state", LACKING)
        await op.applies(seconds=5, state="stopped")
        assert op.said()[:2] == ("False", "NotSupported")
        assert "RanBriefly" not in op.reasons()

    async def test_deletion_with_offsets_offers_to_leave_them(self, op: Operator) -> None:
        await op.runs()
        lacking = errors.MissingAgentCapability("reset_offsets", status=405, detail="HTTP 405 Method Not Allowed")
        op.lenses.always("reset_offsets", lacking)
        op.kube.apply(deletionPolicy="DeleteWithOffsets")
        await op.deletes(seconds=60)
        assert op.said()[:2] == ("False", "DeletionBlocked")
        assert '"deletionPolicy":"Delete"' in op.message()
        assert '"deletionPolicy":"Retain"' in op.message()
        assert (op.kube.status().state, op.kube.status().tasks_summary) == ("STOPPED", "0/0")
        await asyncio.sleep(600)
        assert len(op.lenses.asked("reset_offsets")) < 20

    @pytest.mark.parametrize("operation", ["reset_offsets", "delete_connector", "set_state"])
    async def test_a_404_for_what_is_there_is_said_and_not_hammered(self, op: Operator, operation: str) -> None:
        await op.runs()
        op.lenses.always(operation, errors.ConnectorOrClusterNotFound(operation, detail="no"))
        op.kube.apply(deletionPolicy="DeleteWithOffsets")
        await op.deletes(seconds=12)
        assert len(op.lenses.asked(operation)) < 8
        await asyncio.sleep(600)
        assert op.said()[0] == "False"
        assert op.said()[1] in ("Deleting", "DeletionBlocked")
        assert len(op.lenses.asked(operation)) < 40
        assert op.kube.there()


class TestAway:
    async def test_what_may_pass_is_waited_for_before_a_person_is_asked(self, op: Operator) -> None:
        op.lenses.invalid = {"database.hostname": [AWAY]}
        await op.applies(seconds=200)
        assert op.said()[:2] == ("False", "ConfigInvalid")
        assert phases(op) == ["Reconciling"]
        assert "may be temporary" in op.message()
        assert 5 < len(op.lenses.asked("validate")) < 20
        await asyncio.sleep(200)
        assert phases(op) == ["Stalled"]
        op.lenses.invalid = {}
        await asyncio.sleep(400)
        assert op.said() == RUNNING

    async def test_what_cannot_pass_is_said_at_once(self, op: Operator) -> None:
        op.lenses.invalid = {"database.hostname": [AWAY], "topic": ["Missing required configuration"]}
        await op.applies(seconds=5)
        assert phases(op) == ["Stalled"]

    @pytest.mark.parametrize("known", [True, False])
    async def test_the_wanted_configuration_is_created_when_the_system_is_back(self, op: Operator, known: bool) -> None:
        """The system goes away between our DELETE and CREATE; validate says so, or cannot say."""
        await op.runs()
        delete = op.lenses.delete_connector

        async def deleted(*where: str, **options: object) -> None:
            await delete(*where, **options)  # type: ignore[arg-type]
            op.lenses.always("create_connector", errors.ServerError("create_connector", detail="refused"))
            if known:
                op.lenses.invalid = {"database.hostname": [AWAY]}
            else:
                op.lenses.always("validate", errors.ServerError("validate", detail="NullPointerException"))

        op.lenses.delete_connector = deleted  # type: ignore[method-assign]
        await op.applies(seconds=900, config={"topic": "new"})
        assert op.lenses.connectors == {}
        assert op.kube.status().state is None
        assert "The connector does not exist: it was deleted at 20" in op.message()
        assert "Nothing was changed" not in op.message()
        assert "RolledBack" not in op.reasons()
        op.lenses.invalid = {}
        await op.recovers("validate", "create_connector", seconds=60)
        assert op.held.config["topic"] == "new"


class TestClusterThatWasListed:
    async def test_it_is_waited_for_before_it_is_called_unknown(self, op: Operator) -> None:
        """A worker that starts again may be told of as if its cluster were unknown."""
        await op.runs()
        unknown: LensesError = errors.ConnectorOrClusterNotFound("list_connectors", detail="Not Found")
        op.lenses.down(unknown)
        op.lenses.always("get_cluster_info", unknown)
        await asyncio.sleep(200)
        assert op.said() == ("Unknown", "LensesUnavailable", "Owned")
        assert "has shown its connectors lately" in op.message()
        await asyncio.sleep(200)
        assert op.said() == ("False", "ClusterNotFound", "Owned")
        op.lenses.down(None)
        await op.recovers("get_cluster_info", seconds=30)

    async def test_one_that_never_was_is_unknown_at_once(self, op: Operator) -> None:
        op.lenses.clusters = set()
        unknown = errors.ConnectorOrClusterNotFound("list_connectors", detail="Not Found")
        op.lenses.always("list_connectors", unknown)
        await op.applies(seconds=20)
        assert op.said()[:2] == ("False", "ClusterNotFound")


class TestIdle:
    @pytest.mark.parametrize("allowed", [True, False])
    async def test_no_tasks(self, op: Operator, allowed: bool) -> None:
        await op.applies(allowNoTasks=allowed)
        op.held.tasks = []
        await asyncio.sleep(200)
        assert op.said()[:2] == (("True", "Running") if allowed else ("False", "NoTasks"))
        assert ("allowNoTasks" in op.message()) is True

    @pytest.mark.parametrize(("allowed", "due"), [(True, IDLE_AFTER), (False, NO_TASKS_GRACE)])
    @pytest.mark.parametrize("later", [False, True])
    async def test_it_is_said_in_time_though_nothing_changes(
        self, op: Operator, allowed: bool, due: float, later: bool
    ) -> None:
        """Looked at often after the create, the next look would else be a minute away."""
        await op.applies(seconds=30 if later else 0.5, allowNoTasks=allowed)
        op.held.tasks = []
        await asyncio.sleep(due + 25)
        assert op.said()[1] == ("Running" if allowed else "NoTasks")
        assert op.kube.status().tasks_summary == "0/0"

    @pytest.mark.parametrize("allowed", [True, False])
    async def test_a_new_process_says_what_the_former_one_said(self, allowed: bool) -> None:
        async with operator() as op:
            await op.applies(allowNoTasks=allowed)
            op.held.tasks = []
            await asyncio.sleep(200)
            said = len(op.kube.statuses)
        async with operator(op.lenses, op.kube) as op:
            await asyncio.sleep(200)
            assert len(op.kube.statuses) == said
