"""Observe: offsets are read again and again, shown as they are, and written where they have changed."""

from __future__ import annotations

import asyncio
import json

import pytest

from lenses_operator.domain.offsets_before import text_of
from lenses_operator.lenses import errors
from unit.controllers.fakes import RUNNING
from unit.offsets.make import BEFORE
from unit.offsets.rig import ABSENT, LACKING, OLD, OffsetsOperator

pytestmark = pytest.mark.virtual_time


class TestObserve:
    async def test_follows_and_writes_only_what_changed(self, op: OffsetsOperator) -> None:
        await op.runs()
        nasty = '{"a": 1.0, "b": null, "c": 99999999999999999999, "d": "\\ud800 é", "e": {"f": [1e3]}}'
        op.lenses.offsets = f'[{{"partition": {{"p": 0}}, "offset": {nasty}}}]'
        await op.observes(refreshInterval="10s")
        op.offsets.statuses.clear()
        op.lenses.calls.clear()
        await asyncio.sleep(101)
        assert 9 <= len(op.lenses.asked("get_offsets")) <= 11
        assert op.offsets.statuses == []
        op.lenses.offsets = "[]"
        await op.until(lambda: op.offsets.status().partitions == 0, 11)
        assert len(op.offsets.statuses) == 1
        assert op.offsets.status().phase is None

    async def test_a_connector_that_is_not_in_lenses(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.observes(refreshInterval="10s")
        await op.applies(suspend=True)
        op.lenses.connectors.clear()
        await op.until_reason("ConnectorNotReady")
        assert "does not exist in Lenses" in op.words()
        assert op.offsets.status().offsets is None

    @pytest.mark.parametrize("error", [OLD, LACKING, ABSENT], ids=["405", "agent", "404"])
    async def test_not_supported(self, op: OffsetsOperator, error: errors.LensesError) -> None:
        await op.runs()
        op.lenses.always("get_offsets", error)
        await op.operates("NotSupported", action="Observe")
        assert op.how() == (None, "False", "NotSupported")
        assert op.said() == RUNNING
        op.lenses.always("get_offsets", None)
        await op.until_reason("Observed")

    async def test_one_that_is_just_being_replaced_is_read_as_soon_as_it_is_back(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.observes(refreshInterval="10s")
        op.lenses.fail("get_offsets", ABSENT)
        op.offsets.statuses.clear()
        asked = len(op.lenses.asked("get_offsets"))
        await op.until(lambda: len(op.lenses.asked("get_offsets")) > asked + 2)
        assert op.how() == (None, "True", "Observed")
        assert op.offsets.statuses == []

    async def test_a_big_map(self, op: OffsetsOperator) -> None:
        await op.runs()
        rows = [{"partition": {"p": number}, "offset": {"o": number}} for number in range(20_000)]
        op.lenses.offsets = json.dumps(rows)
        await op.observes()
        status = op.offsets.status()
        assert (status.partitions, len(status.offsets or ()), status.truncated) == (20_000, 500, True)
        assert text_of(status.offsets_json, status.offsets_json_compressed) == op.lenses.offsets

    async def test_to_the_letter(self, op: OffsetsOperator) -> None:
        """What YAML and Kubernetes do not keep: the order of keys, numbers as they are written, nulls."""
        await op.runs()
        op.lenses.offsets = '[{"partition": {"b": 1, "a": 2}, "offset": {"x": 1.0, "y": 1e3, "z": null}}]'
        await op.observes()
        assert op.offsets.status().offsets_json == op.lenses.offsets

    async def test_then_alter_then_observe(self, op: OffsetsOperator) -> None:
        await op.runs()
        await op.observes()
        await op.operates("Applied")
        assert op.offsets.status().offsets_json is None, "it would be old"
        await op.observes()
        status = op.offsets.status()
        assert (status.phase, status.message, status.before) == (None, None, BEFORE)
        assert status.offsets_json == op.lenses.offsets
