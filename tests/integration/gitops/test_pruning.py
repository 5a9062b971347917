"""What is no longer in Git goes, and its connector as the deletion policy says."""

from __future__ import annotations

import pytest
import yaml

from harness.kube import Object
from harness.kubectl import Kubectl
from harness.operator_fixtures import Place
from integration.offsets.support import Offsets


def test_pruning_an_apply_set(place: Place, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL_APPLYSET", "true")

    def sync(*objects: Object) -> str:
        where = ("-n", place.namespace, "--prune", "--applyset=connectors")
        return kubectl("apply", "--server-side", *where, "-f", "-", stdin=yaml.safe_dump_all(objects))

    stays, goes = place.manifest("stays"), place.manifest("goes")
    retained = place.manifest("retained", deletionPolicy="Retain")
    look = Offsets(place).manifest("look", connector="stays", action="Observe")
    sync(stays, goes, retained, look)
    for name in ("stays", "goes", "retained"):
        place.wait_running(name)
    Offsets(place).wait_reason("Observed", "look")
    said = sync(stays)
    assert {line for line in said.splitlines() if line.endswith(" pruned")} == {
        "lensesconnector.connect.lenses.io/goes pruned",
        "lensesconnector.connect.lenses.io/retained pruned",
        "lensesconnectoroffsets.connect.lenses.io/look pruned",
    }
    place.wait_gone("goes")
    place.wait_gone("retained")
    assert place.connector("goes") is None
    assert place.connector("retained") is not None
    place.wait_running("stays")
    assert place.writes("retained") == ["CreateConnector"]


def test_moving_to_another_object_leaves_the_connector_alone(place: Place) -> None:
    """Retain, gone, and taken over under a new name, as a move to another repository or Application is."""
    place.runs("old", name="orders", deletionPolicy="Retain")
    place.delete_and_wait("old")
    place.runs("new", name="orders")
    assert place.writes() == ["CreateConnector"]
