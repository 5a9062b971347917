"""What else may happen in the middle of an operation, and the operation in the middle of all else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness.operator_fixtures import Operators, Place, conditions
from integration.offsets.support import BEFORE, Offsets, at

BAD = {"file": "/dev/null", "topic": "lines", "batch.size": "many"}


class Held:
    """An operation whose Alter is not answered until `go`."""

    def __init__(self, offsets: Offsets) -> None:
        self.offsets, self.place = offsets, offsets.place
        self.offsets.runs()
        self.mark = self.place.mark()
        self._point = self.place.control.add_breakpoint(self.place.environment, "AlterConnectorOffsets")
        self.offsets.apply()
        self.place.control.wait_breakpoint(self._point)
        self.place.wait_reason("OffsetsOperation")

    def go(self) -> None:
        self.place.control.release_breakpoint(self._point)

    def writes(self) -> list[str]:
        return self.place.writes(since=self.mark)


@pytest.fixture
def held(offsets: Offsets) -> Iterator[Held]:
    made = Held(offsets)
    yield made
    made.place.control.clear_breakpoints(made.place.environment)


def test_a_changed_configuration_comes_afterwards(held: Held) -> None:
    held.place.apply(config={"file": "/dev/zero", "topic": "lines"})
    held.place.wait_polls()
    assert held.writes() == ["ConnectorState", "AlterConnectorOffsets"]
    held.go()
    held.offsets.wait_reason("Applied")
    held.place.wait_running()
    assert held.place.wait_connector()["config"]["file"] == "/dev/zero"
    assert held.writes() == ["ConnectorState", "AlterConnectorOffsets", "DeleteConnector", "CreateConnector"]
    assert held.offsets.now() == '[{"partition": {"filename": "/dev/null"}, "offset": {"position": 5}}]'


ABSENT = {"configFrom": [{"key": "x", "secretKeyRef": {"name": "absent", "key": "x"}}]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"config": BAD}, "ConfigInvalid"), (ABSENT, "ReferenceNotFound"), ({"suspend": True}, "Suspended")],
    ids=["a configuration that became invalid", "a Secret that went missing", "suspended"],
)
def test_it_is_finished_and_given_back_whatever_it_is_now(held: Held, change: dict[str, Any], reason: str) -> None:
    held.place.apply(**change)
    held.place.wait_polls()
    held.go()
    held.offsets.wait_reason("Applied")
    held.place.wait_connector(predicate=lambda found: found["state"] == "RUNNING")
    held.place.wait_reason(reason)
    assert held.writes() == ["ConnectorState", "AlterConnectorOffsets", "ConnectorState"]


def test_a_restart_is_refused(held: Held) -> None:
    annotations = {"connect.lenses.io/restart": "1"}
    held.place.kube.patch("lc", held.place.namespace, "orders", {"metadata": {"annotations": annotations}})
    assert "back" in held.place.wait_event("NotRestarted")
    held.go()
    held.offsets.wait_state("RUNNING")
    assert held.writes() == ["ConnectorState", "AlterConnectorOffsets", "ConnectorState"]


def test_drift_is_repaired_afterwards(held: Held) -> None:
    held.place.change(config_changes={"file": "/dev/drift"})
    held.place.wait_polls(4)
    assert held.writes() == ["ConnectorState", "AlterConnectorOffsets"]
    held.go()
    held.offsets.wait_reason("Applied")
    held.place.wait_connector(predicate=lambda found: found["config"]["file"] == "/dev/null")
    held.place.wait_running()


def test_the_offsets_resource_is_deleted(held: Held) -> None:
    held.offsets.delete()
    held.place.wait_connector(predicate=lambda found: found["state"] == "RUNNING")
    held.go()
    held.place.wait_running()
    held.place.wait_polls()
    assert held.writes() == ["ConnectorState", "AlterConnectorOffsets", "ConnectorState"]


def test_deletion_of_the_connector_wins(held: Held) -> None:
    held.place.delete_and_wait()
    held.place.wait_no_connector()
    held.go()
    held.offsets.wait_reason("ConnectorNotFound")
    assert held.writes() == ["ConnectorState", "AlterConnectorOffsets", "DeleteConnector"]


def test_one_after_the_other(held: Held) -> None:
    for number in (6, 7):
        held.offsets.apply_until("Pending", f"n{number}", offsets=at(number))
    held.go()
    for name in ("back", "n6", "n7"):
        held.offsets.wait_reason("Applied", name)
    held.offsets.wait_state("RUNNING")
    ages = {held.offsets.get(f"n{number}")["metadata"]["creationTimestamp"]: number for number in (7, 6)}
    asked = [json.loads(body)[0]["offset"]["position"] for body in held.offsets.bodies()]
    assert sorted(asked) == [5, 6, 7]
    assert asked[0] == 5
    assert len(ages) == 1 or asked == [5, 6, 7]  # of one second, either may be the older one
    assert held.writes() == ["ConnectorState", *["AlterConnectorOffsets"] * 3, "ConnectorState"]


def test_a_new_generation(held: Held) -> None:
    held.offsets.apply(offsets=at(9))
    held.go()
    found = held.offsets.wait_reason("Applied")
    held.offsets.wait_state("RUNNING")
    assert found["status"]["appliedGeneration"] == 2
    assert '"position": 9' in held.offsets.now()


def test_lenses_is_away(held: Held) -> None:
    fault = held.place.control.environment_down(held.place.environment)
    held.go()
    found = held.offsets.wait_reason("LensesUnavailable")
    assert found["status"]["phase"] == "Applying"
    assert set(conditions(found)) == {"Ready", "Reconciling"}
    held.place.wait_reason("LensesUnavailable")
    held.place.control.remove_fault(fault)
    found = held.offsets.wait_reason("Applied")
    held.offsets.wait_state("RUNNING")
    assert found["status"]["before"] == BEFORE
    assert '"position": 5' in held.offsets.now()


class TestWaits:
    def test_for_a_connector(self, offsets: Offsets) -> None:
        found = offsets.apply_until("ConnectorNotFound")
        assert found["status"]["phase"] == "Pending"
        assert set(conditions(found)) == {"Ready", "Reconciling"}
        offsets.place.apply()
        offsets.wait_reason("Applied")
        offsets.wait_state("RUNNING")

    def test_while_suspended(self, offsets: Offsets) -> None:
        offsets.runs()
        offsets.place.apply_until("Suspended", suspend=True)
        mark = offsets.place.mark()
        offsets.apply_until("ConnectorNotReady")
        offsets.place.wait_polls()
        assert offsets.place.writes(since=mark) == []
        offsets.place.apply()
        offsets.wait_reason("Applied")
        offsets.wait_state("RUNNING")

    def test_during_a_rebalance(self, offsets: Offsets) -> None:
        offsets.runs()
        fault = offsets.place.fault(operation=["ConnectorState", "AlterConnectorOffsets"], status=409, times=4)
        offsets.apply_until("Applied")
        offsets.wait_state("RUNNING")
        assert offsets.place.control.fault_hits(fault) > 4


@pytest.mark.parametrize("action", ["Alter", "Reset"])
def test_created_together_stopped(place: Place, action: str) -> None:
    """The connector runs for a moment, as creating carries no state; then it is stopped and has its offsets."""
    offsets = Offsets(place)
    place.control.set_offsets(place.environment, place.cluster, "orders", BEFORE)
    offsets.apply(action=action)
    place.apply(state="stopped")
    offsets.wait_reason("Applied")
    place.wait_reason("Stopped")
    place.wait_event("RanBriefly")
    asked = [one["operation"] for one in place.requests() if one["operation"] != "ListConnectors"]
    assert asked[asked.index("CreateConnector") + 1] == "ConnectorState"
    assert place.writes() == ["CreateConnector", "ConnectorState", f"{action}ConnectorOffsets"]


def test_an_operator_that_was_away_takes_it_up(own_place: Place, operators: Operators) -> None:
    offsets = Offsets(own_place)
    first = operators.start(own_place.namespace)
    offsets.runs()
    first.terminate()
    offsets.apply()
    operators.start(own_place.namespace)
    offsets.wait_reason("Applied")
    offsets.wait_state("RUNNING")
