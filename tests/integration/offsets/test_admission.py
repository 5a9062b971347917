"""What the API server itself refuses, and how kubectl shows the resource. No operator is needed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.paths import ROOT

P = {"kafka_topic": "t", "kafka_partition": 0}
ONE = [{"partition": P, "offset": {"kafka_offset": 1}}]
TEXT = json.dumps(ONE)
EITHER = "exactly one of offset and drop"
BOTH = "for action Alter set exactly one of offsets and offsetsJson"
ALONE = "offsets and offsetsJson belong to action Alter only"
EXAMPLES = sorted((ROOT / "examples" / "offsets").glob("*.yaml"))


def manifest(namespace: str, name: str = "back", **spec: Any) -> str:
    return json.dumps(
        {
            "apiVersion": "connect.lenses.io/v1alpha1",
            "kind": "LensesConnectorOffsets",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"connectorRef": {"name": "orders"}, **spec},
        }
    )


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"action": "Observe", "refreshInterval": "10s"},
        {"action": "Observe", "refreshInterval": "1h30m"},
        {"action": "Reset"},
        {"action": "Alter", "offsets": ONE},
        {"action": "Alter", "offsetsJson": TEXT},
        {"action": "Alter", "offsets": [{"partition": P, "drop": True}]},
        {"action": "Alter", "offsets": [{"partition": P, "offset": {}}]},
    ],
)
def test_admitted(operator_kube: Kube, namespace: str, kubectl: Kubectl, spec: dict[str, Any]) -> None:
    kubectl("apply", "-f", "-", stdin=manifest(namespace, **spec))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"action": "Rewind"}, 'Unsupported value: "Rewind"'),
        ({"action": "Alter"}, BOTH),
        ({"action": "Alter", "offsets": []}, "spec.offsets"),
        ({"action": "Alter", "offsets": ONE, "offsetsJson": TEXT}, BOTH),
        ({"action": "Reset", "offsets": ONE}, ALONE),
        ({"action": "Reset", "offsetsJson": TEXT}, ALONE),
        ({"offsets": ONE}, ALONE),
        ({"action": "Alter", "offsets": [{"partition": P}]}, EITHER),
        ({"action": "Alter", "offsets": [{"partition": P, "offset": {}, "drop": True}]}, EITHER),
        ({"action": "Alter", "offsets": [{"partition": P, "drop": False}]}, "drop"),
        ({"action": "Alter", "offsets": [{"offset": {}}]}, "partition: Required value"),
        ({"action": "Alter", "offsets": [{"partition": P, "offset": 5}]}, "offset"),
        ({"action": "Alter", "offsets": [{"partition": "p", "offset": {}}]}, "partition"),
        ({"refreshInterval": "9s"}, "at least 10s"),
        ({"refreshInterval": "1m30"}, "spec.refreshInterval"),
        ({"refreshInterval": "-1m"}, "spec.refreshInterval"),
        ({"refreshInterval": "soon"}, "spec.refreshInterval"),
        ({"connectorRef": {"name": ""}}, "spec.connectorRef.name"),
        ({"connectorRef": {}}, "name: Required value"),
    ],
)
def test_refused(operator_kube: Kube, namespace: str, kubectl: Kubectl, spec: dict[str, Any], words: str) -> None:
    done = kubectl.run("apply", "-f", "-", stdin=manifest(namespace, **spec))
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize("way", [("apply",), ("apply", "--server-side"), ("create",)], ids=" ".join)
def test_a_null_offset_never_means_drop(
    operator_kube: Kube, namespace: str, kubectl: Kubectl, way: tuple[str, ...]
) -> None:
    """Clients take nulls out on the way, also inside lists, so it must be refused in every way."""
    text = manifest(namespace, action="Alter", offsets=[{"partition": P, "offset": None}])
    done = kubectl.run(*way, "-f", "-", stdin=text)
    assert done.returncode != 0
    assert EITHER in done.stderr or "offset" in done.stderr
    assert operator_kube.list("lco", namespace) == []


@pytest.mark.parametrize("way", [("apply",), ("apply", "--server-side")], ids=" ".join)
def test_a_number_that_becomes_null_is_refused(
    operator_kube: Kube, namespace: str, kubectl: Kubectl, way: tuple[str, ...]
) -> None:
    kubectl(*way, "-f", "-", stdin=manifest(namespace, action="Alter", offsets=ONE))
    text = manifest(namespace, action="Alter", offsets=[{"partition": P, "offset": None}])
    assert kubectl.run(*way, "-f", "-", stdin=text).returncode != 0
    (found,) = operator_kube.list("lco", namespace)
    assert found["spec"]["offsets"] == ONE


def test_the_connector_cannot_be_changed_and_the_action_can(
    operator_kube: Kube, namespace: str, kubectl: Kubectl
) -> None:
    kubectl("apply", "-f", "-", stdin=manifest(namespace))
    done = kubectl.run("apply", "-f", "-", stdin=manifest(namespace, connectorRef={"name": "other"}))
    assert "cannot be changed" in done.stderr
    kubectl("apply", "-f", "-", stdin=manifest(namespace, action="Reset"))


def test_columns(operator_kube: Kube, namespace: str, kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=manifest(namespace, action="Reset"))
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Applied",
        "message": "done",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {"phase": "Applied", "partitions": 3, "conditions": [condition]}
    operator_kube.patch("lco", namespace, "back", {"status": status}, subresource="status")
    header, row = kubectl("get", "lco", "-n", namespace).splitlines()
    assert header.split() == ["NAME", "CONNECTOR", "ACTION", "PHASE", "PARTITIONS", "READY", "AGE"]
    assert row.split()[:-1] == ["back", "orders", "Reset", "Applied", "3", "True"]
    header = kubectl("get", "lco", "-n", namespace, "-o", "wide").splitlines()[0]
    assert header.split()[6:8] == ["REASON", "MESSAGE"]
    assert "lensesconnectoroffsets" in kubectl("get", "lenses", "-n", namespace, "-o", "name")


def test_every_field_is_explained(operator_kube: Kube, kubectl: Kubectl) -> None:
    """A field's description stands indented below its name."""
    for path in ("spec", "spec.connectorRef", "spec.offsets", "status"):
        text = kubectl("explain", f"lensesconnectoroffsets.{path}")
        assert "<no description>" not in text, path
    text = kubectl("explain", "lco.spec")
    for field in ("action", "connectorRef", "offsets", "offsetsJson", "refreshInterval"):
        assert f"  {field}\t" in text, field


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_are_valid(operator_kube: Kube, namespace: str, kubectl: Kubectl, file: Any) -> None:
    kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", str(file))
    kinds = {document["kind"] for document in yaml.safe_load_all(file.read_text())}
    assert "LensesConnectorOffsets" in kinds


def test_what_the_documentation_shows_is_valid(operator_kube: Kube, namespace: str, kubectl: Kubectl) -> None:
    text = (ROOT / "docs" / "offsets.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    way = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-n", namespace, "-f", "-")
    kubectl(*way, stdin="---\n".join(blocks))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4
