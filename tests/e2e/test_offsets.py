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
def flowing(stage: Stage) -> Stage:
    """Both connectors run, the first hundred lines have come out, and the source has committed where it is."""
    stage.apply_source()
    stage.apply_sink()
    stage.wait_ready(stage.source, stage.sink)
    stage.wait_sunk(stage.write(range(100)))
    stage.wait_offset(stage.source, stage.source_file.stat().st_size)
    return stage


def test_a_source_is_rewound_to_a_line(flowing: Stage, kafka_admin: KafkaAdmin) -> None:
    text = flowing.source_file.read_text()
    position = text.index("line 60\n")
    found = applied(flowing, "rewind", flowing.source, action="Alter", offsets=rewound(flowing, position))
    assert json.loads(found["status"]["before"]) == rewound(flowing, len(text))
    flowing.wait_sunk(text + text[position:])
    lines = (text + text[position:]).splitlines()
    assert [record.value for record in kafka_admin.read(flowing.topic, len(lines))] == lines
    flowing.wait_sunk(text + text[position:] + flowing.write(range(100, 110))[len(text) :])


def test_a_source_that_is_reset_reads_everything_again(flowing: Stage) -> None:
    text = flowing.source_file.read_text()
    found = applied(flowing, "reset", flowing.source, action="Reset")
    assert found["status"]["message"] == "The offsets for this connector have been reset successfully"
    flowing.wait_sunk(text + text)


def test_a_sink_is_moved_back(flowing: Stage) -> None:
    text = flowing.source_file.read_text()
    applied(flowing, "back", flowing.sink, action="Alter", offsets=sunk_to(flowing, 90))
    flowing.wait_sunk(text + "".join(f"line {number}\n" for number in range(90, 100)))


def test_a_sink_skips_what_it_must_not_read(flowing: Stage) -> None:
    """As the text of a GET with strings for numbers, which Connect reads back as numbers."""
    text = flowing.source_file.read_text()
    flowing.set_state(flowing.sink, "stopped")
    flowing.place.wait_reason("Stopped", flowing.sink)
    whole = flowing.write(range(100, 110))
    flowing.wait_offset(flowing.source, len(whole))
    apply(flowing, "skip", flowing.sink, action="Alter", offsetsJson=json.dumps(sunk_to(flowing, "105", "0")))
    assert "differs" not in message(wait(flowing, "skip", "Applied"))
    assert flowing.states(flowing.sink) == ("STOPPED", [])
    flowing.set_state(flowing.sink, "running")
    flowing.wait_sunk(text + "".join(f"line {number}\n" for number in range(105, 110)))


def test_a_sink_that_is_reset_delivers_everything_again(flowing: Stage) -> None:
    text = flowing.source_file.read_text()
    applied(flowing, "reset", flowing.sink, action="Reset")
    flowing.wait_sunk(text + text)


def test_there_and_back_again(flowing: Stage) -> None:
    text = flowing.source_file.read_text()
    found = applied(flowing, "rewind", flowing.source, action="Alter", offsets=rewound(flowing, 0))
    flowing.wait_sunk(text + text)
    applied(flowing, "again", flowing.source, action="Alter", offsetsJson=found["status"]["before"])
    flowing.wait_sunk(text + text + flowing.write(range(100, 110))[len(text) :])


def test_what_connect_refuses(flowing: Stage) -> None:
    """With 500 each time, believed after a minute; only the wording differs from a connector that has not quite
    stopped."""
    wrong: dict[str, tuple[str, list[dict[str, Any]], str]] = {
        "key": (flowing.source, [{"partition": {"file": "x"}, "offset": {"position": 0}}], "the key 'filename'"),
        "type": (flowing.source, [{**rewound(flowing, 0)[0], "offset": {"position": "0"}}], "position"),
        "negative": (flowing.sink, sunk_to(flowing, -1), "Failed to modify offsets"),
    }
    for name, (connector, offsets, _) in wrong.items():
        apply(flowing, name, connector, action="Alter", offsets=offsets)
    for name, (_, _, words) in wrong.items():
        found = wait(flowing, name, "OffsetsRejected", timeout=200)
        assert words in message(found)
        assert found["status"]["phase"] == "Failed"
    flowing.wait_ready(flowing.source, flowing.sink)
    text = flowing.source_file.read_text()
    flowing.wait_sunk(text + flowing.write(range(100, 110))[len(text) :])


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


def test_observed_as_connect_has_them(flowing: Stage) -> None:
    apply(flowing, "look", flowing.source, refreshInterval="10s")
    found = wait(flowing, "look", "Observed")
    assert found["status"]["offsets"] == rewound(flowing, flowing.source_file.stat().st_size)
    shown = flowing.kubectl("get", "lco", "look", "-n", flowing.place.namespace)
    assert shown.splitlines()[1].split()[:4] == ["look", flowing.source, "1", "True"]
