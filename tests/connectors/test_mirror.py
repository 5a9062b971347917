"""MirrorMaker 2 as connectors: a topic copied, copied again after a reset, and one that finds nothing to do."""

from __future__ import annotations

from connectors.offsets import Offsets
from connectors.table import TRIED
from e2e.conftest import SLOW, Stage
from harness.kafka import Broker, KafkaAdmin
from harness.operator_fixtures import message

PACKAGE = "org.apache.kafka.connect.mirror"
PLUGIN = "MirrorMaker 2"


def test_a_topic_is_copied_and_copied_again(
    stage: Stage, broker: Broker, kafka_admin: KafkaAdmin, offsets: Offsets
) -> None:
    place = stage.place
    stage.apply_source()
    text = stage.write(range(5))
    place.wait_running(stage.source, SLOW)
    lines = text.splitlines()
    assert [record.value for record in kafka_admin.read(stage.topic, 5)] == lines
    clusters = {
        "source.cluster.alias": "here",
        "target.cluster.alias": "there",
        "source.cluster.bootstrap.servers": broker.bootstrap,
        "target.cluster.bootstrap.servers": broker.bootstrap,
        "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "replication.factor": 1,
        "offset-syncs.topic.replication.factor": 1,
        "checkpoints.topic.replication.factor": 1,
    }
    mirror = f"mirror-{stage.topic}"
    place.apply(mirror, class_name=f"{PACKAGE}.MirrorSourceConnector", config={**clusters, "topics": stage.topic})
    idle = f"checkpoint-{stage.topic}"
    nothing = {**clusters, "topics": stage.topic, "groups": f"nobody-{stage.topic}"}
    place.apply(idle, class_name=f"{PACKAGE}.MirrorCheckpointConnector", config=nothing, allowNoTasks=True)
    place.wait_running(mirror, SLOW)
    copy = f"here.{stage.topic}"
    assert [record.value for record in kafka_admin.read(copy, 5, SLOW)] == lines
    TRIED.saw(PLUGIN, "MirrorSource copies a topic")

    offsets.applied("again", mirror, action="Reset")
    assert [record.value for record in kafka_admin.read(copy, 10, SLOW)] == lines + lines
    TRIED.saw(PLUGIN, "`Reset`: every record again")

    found = place.wait_running(idle, SLOW)
    assert found["status"]["tasksSummary"] == "0/0"
    assert "allowNoTasks" in message(found)
    TRIED.saw(PLUGIN, "an idle MirrorCheckpoint with `allowNoTasks` is `Running` without tasks")
