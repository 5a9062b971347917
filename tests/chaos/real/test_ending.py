"""What is not as it should be at the end of a storm is told, and nothing else."""

from __future__ import annotations

import pytest

from chaos.real.cast import FILE, Object
from chaos.real.made import CONFIG, KEY, OTHER, ROLE, SPEC, added, operation, resource
from invariants.settled import unsettled

RUNNING = {"config": {**CONFIG, "name": ROLE.name}, "target": "running"}


@pytest.mark.parametrize(
    ("found", "there", "why"),
    [
        (resource(), RUNNING, ""),
        (resource(), None, "no such connector"),
        (resource(), {**RUNNING, "target": "paused"}, "Lenses has it paused"),
        (resource(), {**RUNNING, "config": OTHER}, "Lenses has the configuration"),
        (resource(), {**RUNNING, "config": {**CONFIG, "by.hand": "1"}}, "Lenses has the configuration"),
        (added(resource(), "by.hand"), {**RUNNING, "config": {**CONFIG, "by.hand": "1"}}, ""),
        (resource(deleting=True), RUNNING, "still being deleted"),
        (resource({"state": "paused"}), RUNNING, "expected Paused"),
        (resource({"suspend": True}), RUNNING, "expected Suspended"),
        (resource({"config": {**SPEC["config"], "batch.size": "many"}}), RUNNING, "expected ConfigInvalid"),
        (resource(owned="None"), RUNNING, "not adopted"),
    ],
)
def test_what_is_not_settled_is_told(found: Object, there: Object | None, why: str) -> None:
    assert found["spec"]["class"] == FILE
    told = list(unsettled([found], [], {KEY: there} if there else {}, {"one": ""}))
    assert (why in told[0]) if why else told == []


def test_an_operation_that_goes_on_is_not_settled() -> None:
    going = operation("Alter")
    ready = {"type": "Ready", "observedGeneration": 1, "reason": "Stopping", "message": ""}
    going["status"] = {"conditions": [ready]}
    assert list(unsettled([resource()], [going], {KEY: RUNNING}, {"one": ""})) != []
    ready["reason"] = "Applied"
    assert list(unsettled([resource()], [going], {KEY: RUNNING}, {"one": ""})) == []
