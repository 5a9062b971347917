"""Whose a connector is that was there already, and which of two resources has it."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.lenses import errors
from lenses_operator.resources.base import FINALIZER
from unit.controllers.fakes import NAME, RUNNING, Connector, Operator, Task
from unit.controllers.support import secret
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time


class TestAdoption:
    async def test_an_identical_connector_is_taken_over_untouched(self, op: Operator) -> None:
        op.lenses.connectors[NAME] = Connector(SENT | {"file": "****"})
        await op.applies(seconds=700)
        assert op.said() == RUNNING
        assert [call for call in op.lenses.asked() if call[0] not in ("status", "finalizer")] == []
        assert op.event("Adopted").message.endswith("Lenses does not show them: file.")
        assert op.kube.finalizers() == [FINALIZER]

    async def test_words_about_a_connector_that_is_not_ours_yet_are_withheld(self, op: Operator) -> None:
        """It may have been given secrets by whoever had it before, and nobody here knows them."""
        op.lenses.connectors[NAME] = Connector(SENT)
        op.lenses.always("get_connector", errors.ServerError("get_connector", status=500, detail="boom hunter"))
        await op.applies(seconds=120, adoptionPolicy="Always")
        assert op.said()[0] == "Unknown"
        assert "withheld" in op.message()
        await op.recovers("get_connector", seconds=600)
        assert "hunter" not in str(op.kube.statuses)
        assert "hunter" not in str(op.events)

    async def test_a_trace_from_before_may_quote_what_was_taken_as_equal_unseen(self, op: Operator) -> None:
        secret(op.kube, "2", "renewed-1")
        op.lenses.connectors[NAME] = Connector(SENT | {"password": "****"}, tasks=[Task(0, "FAILED", "no, hunter-0")])
        await op.applies(configFrom=[{"secretRef": {"name": "credentials"}}])
        assert op.said() == ("False", "TaskFailed", "Owned")
        assert "hunter" not in str(op.kube.statuses)
        assert "hunter" not in str(op.events)
        op.lenses.connectors[NAME].tasks = [Task(0, "RUNNING")]
        await asyncio.sleep(700)
        assert op.said() == RUNNING
        op.lenses.connectors[NAME].tasks = [Task(0, "FAILED", "no, renewed-1 is wrong")]
        await asyncio.sleep(30)
        error = op.kube.status().tasks[0].error
        assert error is not None
        assert "is wrong" in error
        assert "renewed-1" not in error

    async def test_a_resolved_reference_does_not_bounce_it(self, op: Operator) -> None:
        op.lenses.connectors[NAME] = Connector(SENT | {"topic": "resolved"})
        await op.applies(seconds=700, config={"topic": "${vault:a:b}", "file": "/data/orders"})
        assert op.said() == RUNNING
        assert op.lenses.asked("delete_connector") == []

    async def test_a_differing_one_is_left_and_not_shown(self, op: Operator) -> None:
        op.lenses.connectors[NAME] = Connector(SENT | {"topic": "planted"}, "PAUSED", [Task(0, "PAUSED")])
        await op.applies(seconds=700)
        assert op.said() == ("False", "NotAdopted", "NotAdopted")
        assert "changed topic" in op.message()
        status = op.kube.status()
        assert (status.state, status.tasks, status.topics) == (None, (), None)
        assert "planted" not in str(status)
        assert [call for call in op.lenses.asked() if call[0] != "status"] == []
        await op.deletes(seconds=5)
        assert not op.kube.there()

    async def test_once_it_is_gone_ours_is_created(self, op: Operator) -> None:
        op.lenses.connectors[NAME] = Connector(SENT | {"topic": "theirs"})
        await op.applies()
        op.lenses.connectors.clear()
        await asyncio.sleep(30)
        assert op.said() == RUNNING


class TestConflict:
    async def test_the_younger_does_nothing_and_takes_over_when_the_older_goes(self, op: Operator) -> None:
        await op.runs()
        await op.applies(seconds=60, namespace="other", config={"topic": "younger"})
        assert op.said(namespace="other") == ("False", "Conflict", "Conflict")
        assert op.kube.finalizers(namespace="other") == []
        assert op.connector == Connector(SENT)
        await op.deletes(seconds=60)
        assert not op.kube.there()
        assert op.said(namespace="other") == RUNNING
        assert op.held.config["topic"] == "younger"

    async def test_deleting_the_younger_touches_nothing(self, op: Operator) -> None:
        await op.runs()
        await op.applies(namespace="other")
        await op.deletes(namespace="other")
        assert not op.kube.there(namespace="other")
        assert op.connector == Connector(SENT)
        assert op.said() == RUNNING
