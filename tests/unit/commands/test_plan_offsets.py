"""What a plan says of operations on offsets."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.planning.result import Action
from unit.commands.planned import Rig, manifest
from unit.resources.make import body

OFFSETS = """\
apiVersion: connect.lenses.io/v1alpha1
kind: LensesConnectorOffsets
metadata: {name: back, namespace: payments}
spec: {connectorRef: {name: orders}, action: Reset}
"""
ALTER = OFFSETS.replace(
    "Reset", "Alter, offsets: [{partition: {p: 0}, offset: {at: 5}}, {partition: {p: 1}, drop: true}]"
)


async def test_for_a_connector_that_is_in_no_file(rig: Rig) -> None:
    item = await rig.one(OFFSETS)
    assert item.action is Action.OFFSETS
    assert "not in the files" in item.notes[0]
    assert "forgets all its offsets" in item.notes[1]


@pytest.mark.parametrize(
    ("wanted", "there", "said"),
    [
        (OFFSETS, 7, "now: 1 partitions still have an offset"),
        (ALTER, 7, 'now: {"p": 0} is at {"at": 7} instead of {"at": 5}'),
        (ALTER, 5, "The offsets are like that now."),
    ],
    ids=["reset", "alter", "as-they-are"],
)
async def test_what_they_are_now_is_told(rig: Rig, wanted: str, there: int, said: str) -> None:
    rig.exists()
    rig.lenses.offsets = f'[{{"partition": {{"p": 0}}, "offset": {{"at": {there}}}}}]'
    _, item = (await rig.plan(manifest(), wanted)).items
    assert item.notes[1] == said


DONE = {
    "metadata": {**body("back")["metadata"], "generation": 1},
    "spec": {"connectorRef": {"name": "orders"}, "action": "Reset"},
    "status": {"appliedGeneration": 1},
}


async def test_one_that_has_been_applied(rig: Rig) -> None:
    rig.exists()
    rig.holds(DONE, kind="LensesConnectorOffsets")
    assert (await rig.one(OFFSETS)).action is Action.UNCHANGED


@pytest.mark.parametrize("known", [[], [DONE]], ids=["new", "edited"])
async def test_one_that_is_invalid(rig: Rig, known: list[dict[str, Any]]) -> None:
    rig.exists()
    rig.holds(*known, kind="LensesConnectorOffsets")
    invalid = OFFSETS.replace("action: Reset", "action: Alter, offsetsJson: '[]'")
    assert (await rig.one(invalid)).reason == "OffsetsInvalid"
