"""Going back with one line: `lenses-operator offsets restore NAME -n NS | kubectl create -f -`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from harness.kubectl import Kubectl
from harness.waiting import HANG
from integration.offsets.support import ANY, BEFORE, Offsets, at

EXACT = (
    '[{"partition": {"server": "s"}, "offset": {"transaction_id": null, "pos": 1e3, "x": 1.0, "t": 1.7412e12, '
    '"huge": 123456789012345678901234567890, "words": "a\\u2028b \\ud83d\\ude00 \\u00e9 \\" : # \\\\n"}}]'
)


def restore(kubectl: Kubectl, name: str, namespace: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lenses_operator", "offsets", "restore", name, "-n", namespace],
        capture_output=True,
        text=True,
        timeout=HANG,
        env={**os.environ, "KUBECONFIG": str(kubectl.kubeconfig)},
        check=False,
    )


def back(offsets: Offsets, kubectl: Kubectl, name: str = "back") -> list[str]:
    """Runs the one line, and returns the names it made once they are applied."""
    printed = restore(kubectl, name, offsets.place.namespace)
    assert printed.returncode == 0, printed.stderr
    made = kubectl("create", "-f", "-", "-o", "name", stdin=printed.stdout).split()
    names = [one.rpartition("/")[2] for one in made]
    for one in names:
        offsets.wait_reason("Applied", one, 60)
    return names


def positions(text: str) -> dict[int, int]:
    """Partition to offset; a map of any order, each partition once."""
    entries = [(entry["partition"]["p"], entry["offset"]["o"]) for entry in json.loads(text)]
    assert len(entries) == len(dict(entries))
    return dict(entries)


def test_writes_what_there_was_to_the_letter(offsets: Offsets, kubectl: Kubectl) -> None:
    place = offsets.place
    place.control.set_plugins(place.environment, place.cluster, [ANY])
    offsets.runs(class_name=ANY["class"], config={}, offsets=EXACT)
    there = offsets.now()
    offsets.apply_until("Applied", action="Reset")
    assert offsets.now() == "[]"
    names = back(offsets, kubectl)
    assert [name.startswith("back-restore-") for name in names] == [True]
    assert offsets.now() == there
    assert offsets.bodies() == [there]
    offsets.wait_state("RUNNING")


def test_from_the_compressed_form_and_in_pieces(offsets: Offsets, kubectl: Kubectl) -> None:
    place = offsets.place
    place.control.set_plugins(place.environment, place.cluster, [ANY])
    text = json.dumps([{"partition": {"p": number}, "offset": {"o": number}} for number in range(20_000)])
    offsets.runs(class_name=ANY["class"], config={}, offsets=text)
    offsets.apply(action="Reset")
    assert offsets.wait_reason("Applied")["status"]["beforeCompressed"]
    assert len(back(offsets, kubectl)) > 1
    assert positions(offsets.now()) == positions(text)  # the pieces may be applied in any order
    offsets.wait_state("RUNNING")


def test_forgets_what_was_added(offsets: Offsets, kubectl: Kubectl) -> None:
    offsets.runs()
    offsets.apply(offsets=[*at(5), {"partition": {"filename": "/dev/zero"}, "offset": {"position": 7}}])
    offsets.wait_reason("Applied")
    assert len(json.loads(offsets.now())) == 2
    back(offsets, kubectl)
    assert offsets.now() == BEFORE


def test_back_to_nothing(offsets: Offsets, kubectl: Kubectl) -> None:
    offsets.runs(offsets="[]")
    offsets.apply_until("Applied")
    back(offsets, kubectl)
    assert offsets.now() == "[]"


def test_before_pasted_by_hand(offsets: Offsets, kubectl: Kubectl) -> None:
    """As the documentation says: status.before is the offsetsJson of another one."""
    offsets.runs()
    offsets.apply_until("Applied")
    before = kubectl("get", "lco", "back", "-n", offsets.place.namespace, "-o", "jsonpath={.status.before}")
    assert before == BEFORE
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(offsets.manifest("again", offsetsJson=before)))
    offsets.wait_reason("Applied", "again")
    assert offsets.now() == BEFORE


@pytest.mark.parametrize("there", [False, True])
def test_nothing_to_go_back_to(offsets: Offsets, kubectl: Kubectl, there: bool) -> None:
    if there:
        offsets.apply_until("ConnectorNotFound")
    done = restore(kubectl, "back", offsets.place.namespace)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lenses-operator: ")
    assert ("keeps no earlier offsets" if there else "no such LensesConnectorOffsets") in done.stderr
    assert "Traceback" not in done.stderr
