"""The given cases: offsets of well-known connectors, applied with kubectl, and the request each has to lead to."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.kubectl import Kubectl
from harness.lenses import exactjson
from harness.operator_fixtures import Place
from harness.paths import ROOT
from integration.offsets.support import ANY, Offsets

GIVEN = ROOT / "tests" / "data" / "cases" / "given"
CASES = sorted(file for file in GIVEN.glob("o*.yaml") if not file.name.endswith(".rejected.yaml"))
REJECTED = {
    "o17-alter-without-offsets": "for action Alter set exactly one of offsets and offsetsJson",
    "o19-reset-with-offsets": "offsets and offsetsJson belong to action Alter only",
}
SINK = {"class": "example.AnySink", "type": "sink"}


def manifest(file: Path, place: Place) -> str:
    """With the test's namespace and labels; reading YAML is kubectl's business here."""
    labels = json.dumps(dict(place.labels))
    text = re.sub(r"namespace: [\w-]+", f"namespace: {place.namespace}, labels: {labels}", file.read_text())
    assert place.namespace in text
    return text


def word(file: Path, key: str) -> str:
    found = re.search(rf"\b{key}: \{{name: ([\w.-]+)|\b{key}: ([\w.-]+)", file.read_text())
    assert found is not None, file
    return found[1] or found[2]


def test_there_are_eight_and_two_that_are_refused() -> None:
    assert len(CASES) == 8
    assert {f"{name}.rejected.yaml" for name in REJECTED} == {file.name for file in GIVEN.glob("o*.rejected.yaml")}


def test_every_case(offsets: Offsets, kubectl: Kubectl) -> None:
    place = offsets.place
    place.control.set_plugins(place.environment, place.cluster, [ANY, SINK])
    for file in CASES:
        sink = "kafka_topic" in file.read_text()
        kind, config = (SINK, {"topics": "orders,payments.v2"}) if sink else (ANY, {})
        if file.name.startswith("o15"):
            continue  # about the same connector as another one
        offsets.runs(word(file, "connectorRef"), class_name=kind["class"], config=config, offsets="[]")
    for file in CASES:
        kubectl("apply", "-f", "-", stdin=manifest(file, place))
    for file in CASES:
        offsets.wait_reason("Applied", word(file, "metadata"), 60)
        connector = word(file, "connectorRef")
        expected = exactjson.loads(file.with_suffix(".expected.json").read_text())
        if expected is None:
            assert len(place.requests("ResetConnectorOffsets", connector=connector)) == 1, file.name
            continue
        (request,) = place.requests("AlterConnectorOffsets", connector=connector)
        assert exactjson.dumps(request["body"], sort_keys=True) == exactjson.dumps(expected, sort_keys=True), file.name


@pytest.mark.parametrize(("name", "words"), REJECTED.items(), ids=REJECTED.keys())
def test_refused_by_the_api_server(place: Place, kubectl: Kubectl, name: str, words: str) -> None:
    text = manifest(GIVEN / f"{name}.rejected.yaml", place)
    assert "REJECTED by the API server" in text
    done = kubectl.run("apply", "-f", "-", stdin=text)
    assert done.returncode != 0
    assert words in done.stderr
    assert place.kube.list("lco", place.namespace) == []
