"""Connectors of other operators and of Connect's own files, converted; what has no equivalent is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenses_operator.cli import main
from lenses_operator.domain.render import render
from lenses_operator.resources.connector import ConnectorSpec

WHERE = ("--environment", "prod")
CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector"
STRIMZI = f"""\
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata:
  name: my-source
  labels:
    strimzi.io/cluster: connect-eu
spec:
  class: {CLASS}
"""
CONFLUENT = f"""\
apiVersion: platform.confluent.io/v1beta1
kind: Connector
metadata:
  name: my-source
spec:
  class: {CLASS}
  taskMax: 3
  connectClusterRef:
    name: connect-cfk
  restartPolicy:
    type: Never
"""


def migrate(kind: str, text: str | bytes, *options: str) -> Result:
    given = text.encode() if isinstance(text, str) else text
    return CliRunner().invoke(main, ["migrate", kind, *WHERE, "-f", "-", *options], input=given)


def converted(kind: str, text: str | bytes, *options: str) -> tuple[dict[str, Any], list[str]]:
    """The one resource, and what was told without the name of the file."""
    done = migrate(kind, text, *options)
    assert done.exit_code == 0, done.stderr
    (body,) = yaml.safe_load_all(done.stdout)
    return body, [line.removeprefix("standard input:").strip() for line in done.stderr.splitlines()]


def sent(body: dict[str, Any]) -> dict[str, str]:
    return dict(render(ConnectorSpec.model_validate(body["spec"])).config)


def refused(kind: str, text: str | bytes, *options: str) -> str:
    done = migrate(kind, text, *options)
    assert done.exit_code == 1
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.endswith("(not converted)")]
    return line


# Strimzi
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


# Confluent
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


# Connect's own files
def test_properties() -> None:
    text = rb"""
# comment
! comment
name=My Orders
connector.class = org.example.Sink
tasks.max: 2
topics   a,\
         b
path=c:\\x\ty
uni=\u00e9\uD83D\uDE00
key\ with\:this=1
empty=
database.password=planted
database.password=${file:/x:y}
"""
    body, told = converted("properties", text, "--cluster", "eu")
    assert body["metadata"]["name"] == "my-orders"
    assert body["spec"]["name"] == "My Orders"
    assert (body["spec"]["class"], body["spec"]["tasksMax"]) == ("org.example.Sink", 2)
    assert body["spec"]["config"] == {
        "topics": "a,b",
        "path": "c:\\x\ty",
        "uni": "é😀",
        "key with:this": 1,
        "empty": "",
        "database.password": "${file:/x:y}",
    }
    assert told == ["14: database.password is given twice: the last one counts, as in Kafka Connect"]


def test_properties_beyond_ascii() -> None:
    base = "name=a\nconnector.class=B\nx=é\n"
    body, told = converted("properties", base, "--cluster", "eu")
    assert body["spec"]["config"]["x"] == "é"
    assert "ISO-8859-1" in told[0]
    body, told = converted("properties", base.encode("iso-8859-1"), "--cluster", "eu")
    assert body["spec"]["config"]["x"] == "é"
    assert told == []


def test_json_in_every_form() -> None:
    config = {"connector.class": "B", "tasks.max": "1", "a": "1.0"}
    expected = {"environment": "prod", "cluster": "eu", "class": "B", "tasksMax": 1, "config": {"a": "1.0"}}
    whole = {"name": "orders", "config": config}
    info = {"orders": {"info": whole | {"tasks": [], "type": "sink"}, "status": {"connector": {"state": "PAUSED"}}}}
    for text, more in (
        (whole, {}),
        ([whole], {}),
        (config | {"name": "orders"}, {}),
        (whole | {"tasks": [{"connector": "orders", "task": 0}], "type": "sink"}, {}),
        (whole | {"initial_state": "STOPPED"}, {"state": "stopped"}),
        (info, {"state": "paused"}),
    ):
        body, told = converted("json", json.dumps(text), "--cluster", "eu")
        assert body["metadata"]["name"] == "orders"
        assert body["spec"] == expected | more
        assert told == []


def test_json_numbers_are_texts_as_they_are_written() -> None:
    text = (
        '{"name": "a", "config": {"connector.class": "B", "f": 1.50, "e": 1e3, "i": 12345678901234567890, "b": true}}'
    )
    body, _ = converted("json", text, "--cluster", "eu")
    assert sent(body) == {"connector.class": "B", "f": "1.50", "e": "1e3", "i": "12345678901234567890", "b": "true"}


def test_a_name_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    file.write_text('{"connector.class": "B"}')
    done = CliRunner().invoke(main, ["migrate", "json", *WHERE, "--cluster", "eu", str(file)])
    assert yaml.safe_load(done.stdout)["metadata"]["name"] == "orders"
    assert "taken from the file's" in done.stderr


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("json", "{", "1: not JSON"),
        ("json", "3", "neither a connector"),
        ("json", '{"a": 1, "a": 2}', "a is given twice"),
        ("json", '{"name": "a", "config": {"connector.class": "B", "x": ["planted"]}}', "x is neither a text"),
        ("json", '{"name": "a", "config": {"connector.class": "B", "x": "\\ud800"}}', "not valid Unicode"),
        ("json", '{"name": "a/b", "config": {"connector.class": "B"}}', "the name 'a/b' cannot be used"),
        ("json", '{"name": "a", "config": {"connector.class": "B"}, "initial_state": "X"}', "initial_state"),
        ("properties", "name=a\n", "connector.class is missing"),
        ("properties", "name=a\nx=\\u12\n", "2: \\u without four"),
        ("properties", "name=a\nconnector.class=B\ntasks.max=x\n", "3: tasks.max is not a positive integer"),
    ],
)
def test_files_that_cannot_be_converted(kind: str, text: str, words: str) -> None:
    line = refused(kind, text, "--cluster", "eu")
    assert words in line
    assert "planted" not in line


CONFIGS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
        lambda key: key not in ("name", "connector.class", "tasks.max")
    ),
    st.text(st.characters(exclude_categories=["Cs"])),
    max_size=5,
)


@given(CONFIGS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_configuration_comes_through(config: dict[str, str]) -> None:
    whole = {"name": "orders", "config": {"connector.class": "B", **config}}
    done = migrate("json", json.dumps(whole), "--cluster", "eu")
    assert done.exit_code == 0, done.stderr
    assert sent(yaml.safe_load(done.stdout)) == whole["config"]
    resource = yaml.safe_load(STRIMZI)
    resource["spec"]["config"] = config
    # In quotes: PyYAML leaves words such as `y` bare, which Kubernetes takes for true.
    done = migrate("strimzi", yaml.safe_dump(resource, default_style='"'))
    assert sent(yaml.safe_load(done.stdout)) == {"connector.class": CLASS, **config}


# files and directories
def test_a_directory_into_a_directory(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "b.yaml").write_text(STRIMZI)
    (source / "a.yml").write_text(STRIMZI.replace("my-source", "other"))
    (source / "readme.md").write_text("no YAML: [")
    command = ["migrate", "strimzi", *WHERE, "-f", str(source), "--out", str(out)]
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, done.output) == (0, "")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert sorted(before) == ["my-source.yaml", "other.yaml"]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["-f", "no-such-file"], 1), (["-f", "{tmp}"], 2)])
def test_files_that_are_not_there(tmp_path: Path, arguments: list[str], code: int) -> None:
    given = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    done = CliRunner().invoke(main, ["migrate", "strimzi", *WHERE, *given])
    assert done.exit_code == code
    assert "Traceback" not in done.output
