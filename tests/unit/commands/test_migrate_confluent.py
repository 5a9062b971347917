"""Connectors of Confluent for Kubernetes, converted; what has no equivalent is told."""

from __future__ import annotations

from typing import Any

import pytest

from unit.commands.migrated import CLASS, CONFLUENT, converted, refused


def test_confluent() -> None:
    text = CONFLUENT.replace("Never", "OnFailure\n    maxRetry: 4").replace("spec:", "spec:\n  name: My Source")
    body, told = converted("confluent", text + "  configs:\n    topics: a\n    port: '5432'\n")
    assert told == []
    assert body["metadata"] == {"name": "my-source"}
    assert body["spec"] == {
        "environment": "prod",
        "cluster": "connect-cfk",
        "name": "My Source",
        "class": CLASS,
        "tasksMax": 3,
        "config": {"topics": "a", "port": 5432},
        "autoRestart": {"enabled": True, "maxRestarts": 4},
    }


@pytest.mark.parametrize(
    ("change", "words", "spec"),
    [
        (("  restartPolicy:\n    type: Never\n", ""), "without a restartPolicy.type", {"maxRestarts": 10}),
        (("    name: connect-cfk", "    name: connect-cfk\n    namespace: x"), "connectClusterRef.namespace", None),
        (("  restartPolicy:", "  connectRest: {endpoint: x}\n  restartPolicy:"), "spec.connectRest is left out", None),
        (("  restartPolicy:", "  novel: x\n  restartPolicy:"), "spec.novel has no equivalent", None),
        (
            ("  name: my-source", '  name: my-source\n  annotations: {platform.confluent.io/pause-connector: "x"}'),
            "set spec.state to paused instead",
            None,
        ),
    ],
)
def test_confluent_tells(change: tuple[str, str], words: str, spec: dict[str, Any] | None) -> None:
    body, told = converted("confluent", CONFLUENT.replace(*change))
    assert len(told) == 1
    assert words in told[0]
    assert told[0].split(":")[0].isdigit()
    assert body["spec"].get("autoRestart") == (spec and {"enabled": True, **spec})


def test_a_blocked_reconciliation_is_suspended() -> None:
    annotation = '  name: my-source\n  annotations: {platform.confluent.io/block-reconcile: "true"}'
    body, _ = converted("confluent", CONFLUENT.replace("  name: my-source", annotation))
    assert body["spec"]["suspend"] is True


def test_confluent_without_a_cluster() -> None:
    text = CONFLUENT.replace("  connectClusterRef:\n    name: connect-cfk\n", "")
    assert "--cluster" in refused("confluent", text)
    assert converted("confluent", text, "--cluster", "x")[0]["spec"]["cluster"] == "x"
