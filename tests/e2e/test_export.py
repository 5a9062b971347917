"""Connectors of real Kafka Connect, exported with the command and applied with kubectl."""

from __future__ import annotations

import subprocess
from pathlib import Path

from e2e.conftest import SLOW, STRING, Stage
from harness.kafka import Broker
from harness.lenses.running import RunningLenses
from harness.paths import ROOT
from harness.waiting import HANG

TOOL = ROOT / ".venv" / "bin" / "lenses-operator"
MIRROR = "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector"


def export(stage: Stage, lenses: RunningLenses, out: Path) -> str:
    """What it told."""
    token = stage.files / "token"
    token.write_text(lenses.token)
    access = ["--lenses-url", lenses.url, "--token-file", str(token)]
    where = ["--environment", stage.place.environment, "--namespace", stage.place.namespace]
    labels = [f"--label={key}={value}" for key, value in stage.place.labels.items()]
    word = stage.topic.removeprefix("topic-")
    argv = [str(TOOL), "export", *access, *where, *labels, "--name", f"*{word}*", "--out", str(out)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr


def test_it_is_adopted_and_nothing_changes(stage: Stage, lenses: RunningLenses, broker: Broker, tmp_path: Path) -> None:
    arrow = f"{stage.source}->Heart Beats"
    configs = {
        stage.source: {
            "connector.class": "FileStreamSource",
            "tasks.max": "1",
            "file": str(stage.source_file),
            "topic": stage.topic,
            "batch.size": "500",
            "value.converter": STRING,
            "transforms": "note",
            "transforms.note.type": "org.apache.kafka.connect.transforms.InsertHeader",
            "transforms.note.header": "note",
            "transforms.note.value.literal": "0644: a 'b' \"c\" #d\n  e\n",
        },
        stage.sink: {
            "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "file": str(stage.sink_file),
            "topics": stage.topic,
            "value.converter": STRING,
        },
        arrow: {
            "connector.class": MIRROR,
            "source.cluster.alias": "a",
            "target.cluster.alias": "b",
            "source.cluster.bootstrap.servers": broker.bootstrap,
            "target.cluster.bootstrap.servers": broker.bootstrap,
            "ssl.truststore.certificates": "planted",
        },
    }
    for name, config in configs.items():
        stage.rest("PUT", name, "/config", config).raise_for_status()
    stage.rest("PUT", arrow, "/stop").raise_for_status()
    stage.wait_states(stage.source, "RUNNING", "RUNNING")
    stage.wait_states(stage.sink, "RUNNING", "RUNNING")
    stage.wait_states(arrow, "STOPPED")
    text = stage.write(range(100))
    stage.wait_sunk(text)

    out = tmp_path / "out"
    told = export(stage, lenses, out)
    before = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert [name for name, raw in before.items() if b"planted" in raw] == [
        f"{stage.source}-heart-beats-connector-secrets.yaml"
    ]
    assert "planted" not in told

    stage.kubectl("apply", "-f", str(out / "secrets"), "-f", str(out))  # as the command's help says
    stage.wait_ready(stage.source, stage.sink)
    stage.place.wait_reason("Stopped", f"{stage.source}-heart-beats", SLOW)
    mark = stage.place.mark()
    for name in configs:
        stage.place.wait_request("GetConnector", name, since=mark, count=2)
    assert stage.place.writes() == []
    assert {name: stage.config(name) for name in configs} == {
        name: config | {"name": name} for name, config in configs.items()
    }
    stage.wait_sunk(stage.write(range(100, 200)))

    export(stage, lenses, out)
    assert {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
