"""Offsets of real connectors: what is altered shows in the records that come out."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from e2e.conftest import SLOW, Stage
from harness.kafka import KafkaAdmin
from harness.kube import Object
from harness.operator_fixtures import message, reason
from harness.waiting import wait_until


def apply(stage: Stage, name: str, connector: str, **spec: Any) -> None:
    """As users do it."""
    manifest = {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": "LensesConnectorOffsets",
        "metadata": {"name": name, "namespace": stage.place.namespace, "labels": dict(stage.place.labels)},
        "spec": {"connectorRef": {"name": connector}, **spec},
    }
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))


def wait(stage: Stage, name: str, wanted: str, timeout: float = SLOW) -> Object:
    return stage.place.kube.wait_for("lco", stage.place.namespace, name, lambda found: reason(found) == wanted, timeout)


def applied(stage: Stage, name: str, connector: str, **spec: Any) -> Object:
    """And the connector goes on."""
    apply(stage, name, connector, **spec)
    found = wait(stage, name, "Applied")
    stage.place.wait_running(connector, SLOW)
    return found


def rewound(stage: Stage, position: int) -> list[dict[str, Any]]:
    return [{"partition": {"filename": str(stage.source_file)}, "offset": {"position": position}}]


def sunk_to(stage: Stage, offset: Any, partition: Any = 0) -> list[dict[str, Any]]:
    return [
        {"partition": {"kafka_topic": stage.topic, "kafka_partition": partition}, "offset": {"kafka_offset": offset}}
    ]


@pytest.fixture
def committed(flowing: Stage) -> Stage:
    """The source has committed where it is."""
    flowing.wait_offset(flowing.source, flowing.source_file.stat().st_size)
    return flowing


def test_a_source_is_rewound_to_a_line(committed: Stage, kafka_admin: KafkaAdmin) -> None:
    text = committed.source_file.read_text()
    position = text.index("line 60\n")
    found = applied(committed, "rewind", committed.source, action="Alter", offsets=rewound(committed, position))
    assert json.loads(found["status"]["before"]) == rewound(committed, len(text))
    committed.wait_sunk(text + text[position:])
    lines = (text + text[position:]).splitlines()
    assert [record.value for record in kafka_admin.read(committed.topic, len(lines))] == lines
    committed.wait_sunk(text + text[position:] + committed.write(range(100, 110))[len(text) :])


def test_a_source_that_is_reset_reads_everything_again(committed: Stage) -> None:
    text = committed.source_file.read_text()
    found = applied(committed, "reset", committed.source, action="Reset")
    assert found["status"]["message"] == "The offsets for this connector have been reset successfully"
    committed.wait_sunk(text + text)


def test_a_sink_is_moved_back(committed: Stage) -> None:
    text = committed.source_file.read_text()
    applied(committed, "back", committed.sink, action="Alter", offsets=sunk_to(committed, 90))
    committed.wait_sunk(text + "".join(f"line {number}\n" for number in range(90, 100)))


def test_a_sink_skips_what_it_must_not_read(committed: Stage) -> None:
    """As the text of a GET with strings for numbers, which Connect reads back as numbers."""
    text = committed.source_file.read_text()
    committed.set_state(committed.sink, "stopped")
    committed.place.wait_reason("Stopped", committed.sink)
    whole = committed.write(range(100, 110))
    committed.wait_offset(committed.source, len(whole))
    apply(committed, "skip", committed.sink, action="Alter", offsetsJson=json.dumps(sunk_to(committed, "105", "0")))
    assert "differs" not in message(wait(committed, "skip", "Applied"))
    assert committed.states(committed.sink) == ("STOPPED", [])
    committed.set_state(committed.sink, "running")
    committed.wait_sunk(text + "".join(f"line {number}\n" for number in range(105, 110)))


def test_a_sink_that_is_reset_delivers_everything_again(committed: Stage) -> None:
    text = committed.source_file.read_text()
    applied(committed, "reset", committed.sink, action="Reset")
    committed.wait_sunk(text + text)


def test_there_and_back_again(committed: Stage) -> None:
    text = committed.source_file.read_text()
    found = applied(committed, "rewind", committed.source, action="Alter", offsets=rewound(committed, 0))
    committed.wait_sunk(text + text)
    applied(committed, "again", committed.source, action="Alter", offsetsJson=found["status"]["before"])
    committed.wait_sunk(text + text + committed.write(range(100, 110))[len(text) :])


def test_what_connect_refuses(committed: Stage) -> None:
    """With 500 each time, believed after a minute; only the wording differs from a connector that has not quite
    stopped."""
    wrong: dict[str, tuple[str, list[dict[str, Any]], str]] = {
        "key": (committed.source, [{"partition": {"file": "x"}, "offset": {"position": 0}}], "the key 'filename'"),
        "type": (committed.source, [{**rewound(committed, 0)[0], "offset": {"position": "0"}}], "position"),
        "negative": (committed.sink, sunk_to(committed, -1), "Failed to modify offsets"),
    }
    for name, (connector, offsets, _) in wrong.items():
        apply(committed, name, connector, action="Alter", offsets=offsets)
    for name, (_, _, words) in wrong.items():
        found = wait(committed, name, "OffsetsRejected", timeout=200)
        assert words in message(found)
        assert found["status"]["phase"] == "Failed"
    committed.wait_ready(committed.source, committed.sink)
    text = committed.source_file.read_text()
    committed.wait_sunk(text + committed.write(range(100, 110))[len(text) :])


def test_created_with_its_offsets(stage: Stage) -> None:
    """A connector that takes over in the middle of a file: set before it is to run for good."""
    text = stage.write(range(100))
    position = text.index("line 60\n")
    stage.apply_sink()
    stage.apply_source(state="stopped")
    apply(stage, "start", stage.source, action="Alter", offsets=rewound(stage, position))
    wait(stage, "start", "Applied")
    stage.place.wait_reason("Stopped", stage.source)
    stage.place.wait_event("RanBriefly", stage.source)
    stage.wait_offset(stage.source, position)
    stage.set_state(stage.source, "running")
    stage.wait_ready(stage.source, stage.sink)
    more = stage.write(range(100, 110))[len(text) :]
    wait_until("the last of it in the sink's file", lambda: stage.sunk().endswith(more), SLOW)
    counts = Counter(stage.sunk().splitlines())
    briefly = counts["line 0"]
    assert briefly in (0, 1)
    assert [counts[line] for line in text[position:].splitlines()] == [briefly + 1] * 40
    assert [counts[line] for line in text[:position].splitlines()] == [briefly] * 60


def test_observed_as_connect_has_them(committed: Stage) -> None:
    apply(committed, "look", committed.source, refreshInterval="10s")
    found = wait(committed, "look", "Observed")
    assert found["status"]["offsets"] == rewound(committed, committed.source_file.stat().st_size)
    shown = committed.kubectl("get", "lco", "look", "-n", committed.place.namespace)
    assert shown.splitlines()[1].split()[:4] == ["look", committed.source, "1", "True"]
