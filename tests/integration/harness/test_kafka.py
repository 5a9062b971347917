"""The Kafka broker and Kafka Connect."""

from pathlib import Path

import httpx
import pytest

from harness import http
from harness.kafka import Broker, ConnectWorker, KafkaAdmin, Record
from harness.process import ProcessFailedError

STRING = "org.apache.kafka.connect.storage.StringConverter"


def test_a_connector_moves_records(connect: ConnectWorker, kafka_admin: KafkaAdmin, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("one\ntwo\n")
    config = {"connector.class": "FileStreamSource", "file": str(lines), "topic": "lines", "value.converter": STRING}
    http.put(f"{connect.url}/connectors/lines/config", json=config).raise_for_status()
    assert kafka_admin.read("lines", 2) == [Record(None, "one"), Record(None, "two")]
    httpx.delete(f"{connect.url}/connectors/lines").raise_for_status()


def test_has_the_connectors_the_tests_use(connect: ConnectWorker) -> None:
    plugins = http.get(f"{connect.url}/connector-plugins").json()
    names = {plugin["class"].rpartition(".")[2] for plugin in plugins}
    assert {"FileStreamSourceConnector", "FileStreamSinkConnector", "MirrorSourceConnector"} <= names


def test_a_second_cluster_shares_the_broker(broker: Broker, connect: ConnectWorker, tmp_path: Path) -> None:
    with ConnectWorker.start(tmp_path, broker.bootstrap, name="second") as second:
        config = {"connector.class": "FileStreamSource", "file": str(tmp_path / "none"), "topic": "none"}
        http.put(f"{second.url}/connectors/of-second/config", json=config).raise_for_status()
        assert http.get(f"{second.url}/connectors").json() == ["of-second"]
        assert "of-second" not in http.get(f"{connect.url}/connectors").json()


def test_topics_are_created_and_reading_too_much_tells_what_was_there(kafka_admin: KafkaAdmin) -> None:
    kafka_admin.create_topic("empty", partitions=3)
    assert "empty" in kafka_admin.topics()
    with pytest.raises(TimeoutError, match="empty: 0 of 1 records within 1 s"):
        kafka_admin.read("empty", 1, timeout=1)


def test_a_failed_start_shows_why(broker: Broker, connect: ConnectWorker, tmp_path: Path) -> None:
    with pytest.raises(ProcessFailedError, match=r"(?s)worker taken .*Address already in use"):
        ConnectWorker.start(tmp_path, broker.bootstrap, name="taken", port=connect.port)
