"""What a connector has made of a template that came from a Secret: its fixed parts are shown nowhere."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.domain.references import RefData, RefName
from unit.controllers.fakes import Task, operator

pytestmark = pytest.mark.virtual_time

SECRET = ("payments", RefName("Secret", "names"))
BY_SECRET = {"configFrom": [{"key": "format", "secretKeyRef": {"name": "names", "key": "format"}}]}
DRIFT = 60.0


async def test_in_topics_and_traces() -> None:
    async with operator(drift=DRIFT) as op:
        op.kube.references[SECRET] = RefData("1", {"format": b"acmeinc_${topic}_hidden-end"})
        op.lenses.topics = ["acmeinc_orders_hidden-end", "plain"]
        await op.applies(seconds=2 * DRIFT, raw=BY_SECRET)
        assert op.held.config["format"] == "acmeinc_${topic}_hidden-end"
        assert op.kube.status().topics == ("[redacted]orders[redacted]", "plain")
        op.held.tasks = [Task(0, "FAILED", 'Oh: no table "acmeinc_orders_hidden-end"')]
        await asyncio.sleep(2 * DRIFT)
        assert op.said()[1] == "TaskFailed"
        assert 'no table "[redacted]orders[redacted]"' in op.message()
        assert "acmeinc" not in str(op.kube.statuses)
        assert "hidden-end" not in str([event.message for event in op.events])
