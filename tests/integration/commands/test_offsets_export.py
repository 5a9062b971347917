"""`lenses-operator offsets export NAME --to OTHER | kubectl create -f -`: the same offsets elsewhere, to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.kubectl import Kubectl
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Place
from integration.commands.support import CommandLine
from integration.offsets.support import ANY, Offsets

EXACT = (
    '[{"partition": {"server": "s"}, "offset": {"transaction_id": null, "pos": 1e3, "x": 1.0, '
    '"huge": 123456789012345678901234567890, "words": "a\\u2028b \\u00e9 \\" : # \\\\n"}}]'
)


@pytest.fixture
def offsets(place: Place) -> Offsets:
    place.control.set_plugins(place.environment, place.cluster, [ANY])
    return Offsets(place)


@pytest.fixture
def line(kubectl: Kubectl, lenses: RunningLenses, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, lenses.url, lenses.token, kubectl.kubeconfig)


def test_from_one_connector_to_another(offsets: Offsets, line: CommandLine, kubectl: Kubectl) -> None:
    offsets.runs(class_name=ANY["class"], config={}, offsets=EXACT, state="stopped")
    offsets.runs("other", class_name=ANY["class"], config={}, offsets="[]")
    there = offsets.now()
    done = line.run("offsets", "export", "orders", "-n", offsets.place.namespace, "--to", "other")
    assert (done.code, done.err) == (0, "")
    [made] = [name.rpartition("/")[2] for name in kubectl("create", "-f", "-", "-o", "name", stdin=done.out).split()]
    assert made.startswith("orders-export-")
    offsets.wait_reason("Applied", made)
    assert offsets.now("other") == there == offsets.now()
    assert offsets.bodies("other") == [there]
    offsets.wait_state("RUNNING", "other")


def test_a_copy_that_is_old_already(offsets: Offsets, line: CommandLine) -> None:
    offsets.runs(class_name=ANY["class"], config={}, offsets=EXACT)
    done = line.run("offsets", "export", "orders", "-n", offsets.place.namespace)
    assert (done.code, "offsetsJson" in done.out) == (0, True)
    assert "orders is RUNNING, so its offsets move on" in done.err


def test_nothing_to_export(offsets: Offsets, line: CommandLine) -> None:
    offsets.runs(class_name=ANY["class"], config={}, offsets="[]")
    for name, words in (("orders", "has no offsets"), ("nobody", "there is no LensesConnector nobody")):
        done = line.run("offsets", "export", name, "-n", offsets.place.namespace)
        assert (done.code, done.out, len(done.err.splitlines())) == (1, "", 1)
        assert words in done.err


def test_lenses_refuses(offsets: Offsets, line: CommandLine) -> None:
    offsets.runs(class_name=ANY["class"], config={})
    offsets.place.fault(operation="GetConnectorOffsets", status=403)
    done = line.run("offsets", "export", "orders", "-n", offsets.place.namespace)
    assert (done.code, done.out) == (1, "")
    assert done.err == "lenses-operator: get offsets: Lenses answered 403 (Forbidden)\n"
