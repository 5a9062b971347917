"""Lenses is away for a while: everybody is told, nobody is touched, few requests are made, and it passes by itself."""

from __future__ import annotations

from typing import Any

import pytest

from harness.kubectl import Kubectl
from harness.lenses.operations import CHANGING
from harness.operator_fixtures import (
    FOR_EVER,
    KIND,
    POLL_INTERVAL,
    TIMEOUT,
    Operators,
    Place,
    conditions,
    message,
    reason,
)
from harness.waiting import wait_until

MANY = [f"c{number}" for number in range(50)]
TRIES = 3
"""Of one list, where its failure looks like a blip."""
SHORTEST = 0.9
"""Of the poll interval, which is jittered."""


def wait_all(place: Place, wanted: str, names: list[str]) -> None:
    def check() -> bool:
        found = {each["metadata"]["name"]: each for each in place.kube.list(KIND, place.namespace)}
        return all(reason(found[name]) == wanted for name in names)

    wait_until(f"{wanted} everywhere", check, TIMEOUT, interval=0.2)


@pytest.mark.parametrize("drop", [False, True], ids=["page", "dropped"])
def test_fifty_connectors(own_place: Place, operators: Operators, kubectl: Kubectl, drop: bool) -> None:
    place = own_place
    place.apply_many(MANY)
    operators.start(place.namespace, DRIFT_INTERVAL=5)
    wait_all(place, "Running", MANY)
    finalized = {
        found["metadata"]["name"]: found["metadata"]["uid"] for found in place.kube.list(KIND, place.namespace)
    }

    mark = place.mark()
    fault = place.control.environment_down(place.environment, drop=drop)
    wait_all(place, "LensesUnavailable", MANY)
    for found in place.kube.list(KIND, place.namespace):
        assert set(conditions(found)) == {"Ready", "Reconciling"}
        assert (found["status"]["state"], found["status"]["tasksSummary"]) == ("RUNNING", "1/1")

    place.delete("c7")
    blocked = place.wait_reason("DeletionBlocked", "c7", about="LensesUnavailable")
    assert (
        f"kubectl patch lensesconnector c7 -n {place.namespace} --type=merge "
        """-p '{"spec":{"deletionPolicy":"Retain"}}'"""
    ) in message(blocked)

    def lists_alone() -> list[dict[str, Any]]:
        settled = place.mark()
        place.wait_polls(3 * TRIES)
        asked = [request for request in place.requests(since=settled) if request["connector"] != "c7"]
        return asked if {request["operation"] for request in asked} == {"ListConnectors", "GetClusterInfo"} else []

    # Of a list that takes its time, connectors may say it first, by requests of their own.
    asked = wait_until("lists alone to be asked for", lists_alone, TIMEOUT)
    polls = (asked[-1]["monotonic"] - asked[0]["monotonic"]) / (SHORTEST * POLL_INTERVAL)
    assert len(asked) <= 2 * TRIES * (polls + 1)
    assert {request["connector"] for request in place.requests(*CHANGING, since=mark)} <= {"c7"}

    back = place.mark()
    place.control.remove_fault(fault)
    place.wait_gone("c7")
    wait_all(place, "Running", [name for name in MANY if name != "c7"])
    place.wait_polls()
    assert place.writes(since=back) == ["DeleteConnector"]
    uids = {found["metadata"]["name"]: found["metadata"]["uid"] for found in place.kube.list(KIND, place.namespace)}
    assert uids == {name: uid for name, uid in finalized.items() if name != "c7"}


def test_one_call_that_fails_is_no_outage(place: Place) -> None:
    """A list that fails once is asked for again before anybody is told."""
    before = place.runs()
    fault = place.fault(operation="ListConnectors", status=500, times=1)
    wait_until("the failing list", lambda: place.control.fault_hits(fault) > 2, TIMEOUT)
    after = place.wait_running()
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_one_environment_does_not_hold_up_another(own_place: Place, operators: Operators) -> None:
    """Requests that hang in one environment leave the others their turn."""
    place = own_place
    place.control.add_environment(f"{place.environment}-b", {place.cluster: {"backend": "memory"}})
    fault = place.fault(operation=["ValidateConnector", "GetConnector"], latency=FOR_EVER)
    operators.start(place.namespace)
    place.apply_many([f"slow{number}" for number in range(30)])
    place.wait_request_started("GetConnector")
    place.runs("quick", environment=f"{place.environment}-b")
    place.control.remove_fault(fault)
    place.control.remove_environment(f"{place.environment}-b")


def test_a_validate_that_hangs_holds_up_nobody(own_place: Place, operators: Operators) -> None:
    """Half of an environment's places are kept free of slow calls."""
    place = own_place
    operators.start(place.namespace)
    place.apply_many([f"well{number}" for number in range(5)])
    for number in range(5):
        place.wait_running(f"well{number}")
    place.fault(operation="ValidateConnector", connector="slow*", latency=FOR_EVER)
    place.apply_many([f"slow{number}" for number in range(4)])
    place.wait_request_started("ValidateConnector", 4)
    for number in range(5):
        place.apply(f"well{number}", config={"file": "/dev/zero", "topic": "lines"})
    for number in range(5):
        place.wait_running(f"well{number}")
    assert reason(place.wait("slow0")) != "Running"


def test_the_token_is_read_again(own_place: Place, operators: Operators) -> None:
    """A token that Lenses refuses is told; a good one in the file is taken without a restart."""
    place = own_place
    operator = operators.start(place.namespace)
    place.runs()
    place.fault(status=401)
    place.wait_reason("Unauthorized")
    place.control.clear_faults(place.environment)
    place.wait_running()
    token_file = operator.log.parent / "token"
    place.control.add_token("second-token", name="second")
    token_file.write_text("second-token")
    mark = place.mark()
    wait_until(
        "the second token in use",
        lambda: any(request["token"] == "second" for request in place.requests(since=mark)),
        TIMEOUT,
    )
    place.wait_running()
