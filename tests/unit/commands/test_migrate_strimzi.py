"""Connectors of Strimzi, converted; what has no equivalent is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from unit.commands.migrated import CLASS, STRIMZI, converted, migrate, refused


def test_strimzi_in_full() -> None:
    text = """\
# a comment
apiVersion: kafka.strimzi.io/v1
kind: KafkaConnector
metadata:
  name: my-source
  namespace: kafka
  uid: 0b1c
  labels: {strimzi.io/cluster: connect-eu, team: shop}
  annotations:
    strimzi.io/restart: "true"
    note: kept
spec:
  class: org.example.Source
  tasksMax: 2
  autoRestart:
    maxRestarts: 7
  state: stopped
  pause: true
  version: "[1.2,2.0)"
  alterOffsets:
    fromConfigMap: {name: x}
  config:
    topics: a,b
    port: 5432
    ratio: 0.5
    flag: false
    perm: 0644
    empty:
    password: ${secrets:kafka/db:password}
    user: ${env:DB_USER}
    query: |
      select *
status: {}
"""
    body, told = converted("strimzi", text)
    assert body == {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": "LensesConnector",
        "metadata": {
            "name": "my-source",
            "namespace": "kafka",
            "labels": {"team": "shop"},
            "annotations": {"note": "kept"},
        },
        "spec": {
            "environment": "prod",
            "cluster": "connect-eu",
            "class": "org.example.Source",
            "tasksMax": 2,
            "config": {
                "topics": "a,b",
                "connector.plugin.version": "[1.2,2.0)",
                "port": 5432,
                "ratio": "0.5",
                "flag": False,
                "perm": 420,
                "password": "${secrets:kafka/db:password}",
                "user": "${env:DB_USER}",
                "query": "select *\n",
            },
            "state": "stopped",
            "autoRestart": {"enabled": True, "maxRestarts": 7},
        },
    }
    assert [line.split(" ", 2)[:2] for line in told] == [
        ["10:", "annotation"],
        ["18:", "spec.pause"],
        ["19:", "spec.version"],
        ["20:", "spec.alterOffsets"],
        ["27:", "spec.config.perm"],
        ["28:", "spec.config.empty"],
    ]


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("pause: true", {"state": "paused"}),
        ("pause: false", {}),
        ("state: paused", {"state": "paused"}),
        ("state: running", {}),
        ("autoRestart: {}", {"autoRestart": {"enabled": True}}),
        ("autoRestart: {enabled: false}", {"autoRestart": {"enabled": False}}),
        ("config: {tasks.max: 4}", {"tasksMax": 4}),
        ("tasksMax: 2", {"tasksMax": 2}),
        ("config: {name: other, connector.class: Other}", {}),
    ],
)
def test_strimzi_fields(field: str, spec: dict[str, Any]) -> None:
    body, _ = converted("strimzi", f"{STRIMZI}  {field}\n")
    assert body["spec"] == {"environment": "prod", "cluster": "connect-eu", "class": CLASS, **spec}


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("listOffsets: {}", "9: spec.listOffsets is left out: a LensesConnectorOffsets"),
        ("novel: 1", "9: spec.novel has no equivalent and is left out"),
        ("autoRestart: {novel: 1, maxRestarts: 1}", "9: spec.autoRestart.novel has no equivalent"),
        ("autoRestart: {}", "9: spec.autoRestart without maxRestarts"),
        ("config: {name: other}", "9: the configuration's name is left out"),
        ("config: {db.password: planted}", "9: db.password holds what looks like a secret"),
        ("config: {a: yes}", "9: spec.config.a is not quoted"),
        ("config: {connector.class: Other}", "9: connector.class in the configuration is left out"),
        ("config: {tasks.max: 4}\n  tasksMax: 2", "9: tasks.max in the configuration is left out"),
    ],
)
def test_strimzi_tells(field: str, words: str) -> None:
    _, told = converted("strimzi", f"{STRIMZI}  {field}\n")
    assert any(line.startswith(words) for line in told), told
    assert "planted" not in str(told)


def test_a_paused_reconciliation_is_suspended() -> None:
    text = STRIMZI.replace("  labels:", '  annotations: {strimzi.io/pause-reconciliation: "true"}\n  labels:')
    body, told = converted("strimzi", text)
    assert body["spec"]["suspend"] is True
    assert told == ["5: annotation strimzi.io/pause-reconciliation becomes spec.suspend"]


def test_options_go_before_what_the_file_says() -> None:
    body, _ = converted("strimzi", STRIMZI, "--cluster", "other", "--namespace", "mine")
    assert (body["spec"]["cluster"], body["metadata"]["namespace"]) == ("other", "mine")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (STRIMZI.replace("strimzi.io/cluster: connect-eu", "a: b"), "1: it names no Kafka Connect cluster: say which"),
        (STRIMZI.replace("  class:", "  klass:"), "connector.class is missing"),
        (STRIMZI.replace("  name: my-source\n", ""), "metadata.name is missing"),
        (STRIMZI + "  config: {a: [1]}\n", "9: spec.config.a is neither a text"),
        (STRIMZI + "  config: [a]\n", "9: config is not a mapping"),
        (STRIMZI + "  config: {a: .inf}\n", "9: .inf is no number"),
        (STRIMZI + "  config: {tasks.max: many}\n", "9: tasks.max is not a positive integer"),
        (STRIMZI + "  tasksMax: 0\n", "9: spec.tasksMax is not a positive integer"),
        (STRIMZI + "  state: off\n", "9: spec.state is not a text"),
        (STRIMZI + "  state: idle\n", "9: spec.state is none of running"),
        (STRIMZI + "  config: {a: 1, a: 2}\n", "9: spec.config.a is given twice"),
        (STRIMZI + "  config: {a: {{ .Values.a }}}\n", "9: "),
        (STRIMZI + "  config: {a: '\n", "not YAML"),
        ("- a\n", "1: a document is not a mapping"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_strimzi_that_cannot_be_converted(text: str | bytes, words: str) -> None:
    assert words in refused("strimzi", text)


def test_a_part_does_not_keep_the_others_back() -> None:
    bad = STRIMZI.replace("my-source", "bad") + "  state: idle\n"
    topic = "kind: KafkaTopic\napiVersion: kafka.strimzi.io/v1\n"
    done = migrate("strimzi", "---\n".join([STRIMZI, bad, topic, STRIMZI.replace("my-source", "other"), STRIMZI, ""]))
    assert done.exit_code == 1
    assert [body["metadata"]["name"] for body in yaml.safe_load_all(done.stdout)] == ["my-source", "other"]
    lines = done.stderr.splitlines()
    assert "KafkaTopic is skipped" in lines[0]
    assert "spec.state is none of" in lines[1]
    assert "my-source on connect-eu has been described before" in lines[2]


def test_lists_as_kubectl_prints_them() -> None:
    items = [yaml.safe_load(STRIMZI), yaml.safe_load(STRIMZI.replace("my-source", "other"))]
    done = migrate("strimzi", json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    assert done.exit_code == 0
    assert len(list(yaml.safe_load_all(done.stdout))) == 2


def test_anchors_and_merges() -> None:
    text = STRIMZI + "  config:\n    <<: {a: 1, b: 2}\n    b: &x three\n    c: *x\n"
    body, _ = converted("strimzi", text)
    assert body["spec"]["config"] == {"a": 1, "b": "three", "c": "three"}
