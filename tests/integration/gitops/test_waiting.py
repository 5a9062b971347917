"""`kubectl wait`, and kstatus of objects as the API server shows them."""

from __future__ import annotations

import pytest
import yaml

from harness.kstatus import compute
from harness.kube import is_condition
from harness.kubectl import Kubectl, KubectlError
from harness.operator_fixtures import Place
from integration.offsets.support import Offsets


def wait(kubectl: Kubectl, place: Place, condition: str, *names: str, timeout: str = "20s") -> str:
    flags = ("-n", place.namespace, f"--timeout={timeout}")
    return kubectl("wait", f"--for=condition={condition}", *flags, *names)


def test_wait_for_ready_and_for_stalled(place: Place, kubectl: Kubectl) -> None:
    bad = place.manifest("bad", config={"file": "/dev/null", "topic": "lines", "batch.size": "many"})
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([place.manifest("good"), bad]))
    assert wait(kubectl, place, "Ready", "lc/good") == "lensesconnector.connect.lenses.io/good condition met\n"
    assert wait(kubectl, place, "Stalled", "lc/bad") == "lensesconnector.connect.lenses.io/bad condition met\n"
    with pytest.raises(KubectlError, match="timed out"):
        wait(kubectl, place, "Ready", "lc/bad", timeout="1s")
    statuses = {name: compute(place.wait(name)).status for name in ("good", "bad")}
    assert statuses == {"good": "Current", "bad": "Failed"}


def test_wait_for_an_operation(place: Place, kubectl: Kubectl) -> None:
    offsets = Offsets(place)
    offsets.runs()
    offsets.apply("back")
    wait(kubectl, place, "Ready", "lco/back")
    found = offsets.get("back")
    assert (compute(found).status, found["status"]["phase"]) == ("Current", "Applied")


def test_ready_of_an_older_generation_does_not_count(own_place: Place, kubectl: Kubectl) -> None:
    """Nobody looks at this one, so that what it shows stays."""
    found = own_place.apply()
    assert compute(found).status == "InProgress"
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Running",
        "message": "1 of 1 tasks running.",
        "lastTransitionTime": "2026-03-01T12:00:00Z",
        "observedGeneration": 1,
    }
    status = {"observedGeneration": 1, "conditions": [ready]}
    patched = own_place.kube.patch("lc", own_place.namespace, "orders", {"status": status}, subresource="status")
    assert is_condition("Ready")(patched)
    assert compute(patched).status == "Current"
    wait(kubectl, own_place, "Ready", "lc/orders")
    assert compute(own_place.apply(state="paused")).status == "InProgress"
    with pytest.raises(KubectlError, match="timed out"):
        wait(kubectl, own_place, "Ready", "lc/orders", timeout="1s")


def test_terminating(place: Place) -> None:
    place.runs()
    place.fault(operation="DeleteConnector", status=503)
    place.delete()
    found = place.wait(predicate=lambda found: found["metadata"].get("deletionTimestamp"))
    assert compute(found).status == "Terminating"
