"""The life of two file connectors on one Connect cluster, step by step; what this version cannot do it has to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.offsets import Offsets
from e2e.conftest import SLOW, STRING, Stage
from harness.operator_fixtures import conditions, message
from harness.waiting import wait_until

YES, NOT_SUPPORTED = "yes", "`NotSupported`"
STOP, OFFSETS = (3, 5), (3, 6)
"""The versions that first stop a connector and show its offsets, and that first change them."""


@dataclass
class Life:
    stage: Stage
    version: tuple[int, ...]
    offsets: Offsets = field(init=False)

    def __post_init__(self) -> None:
        self.offsets = Offsets(self.stage)

    def live(self) -> dict[str, str]:
        """What came of each step."""
        seen = {}
        for title, carry_out in STEPS.items():
            try:
                seen[title] = carry_out(self)
            except (AssertionError, TimeoutError) as error:
                raise AssertionError(f"{title}: {error}") from error
        return seen

    def says(self, connector: str, wanted: str, about: str = "") -> str:
        """Once its Ready does; what it says then."""
        return message(self.stage.place.wait_reason(wanted, connector, SLOW, about=about))

    def set_state(self, connector: str, state: str) -> None:
        place = self.stage.place
        place.kube.patch("lc", place.namespace, connector, {"spec": {"state": state}})

    def sunk(self, *numbers: int) -> None:
        """The sink's file ends with these lines."""
        lines = [f"line {number}" for number in numbers]
        wait_until(f"{lines} in the sink's file", lambda: self.stage.sunk().splitlines()[-len(lines) :] == lines, SLOW)

    def not_supported(self, name: str, connector: str, since: str) -> str:
        """An operation that this Connect does not know: said at once, and the connector runs on."""
        found = self.offsets.wait(name, "NotSupported")
        assert f"takes Kafka Connect {since}" in message(found)
        assert conditions(found)["Stalled"]["status"] == "True"
        self.says(connector, "Running")
        return NOT_SUPPORTED


def create(life: Life) -> str:
    stage = life.stage
    stage.apply_source()
    stage.apply_sink()
    stage.write(range(10))
    for name in (stage.source, stage.sink):
        life.says(name, "Running")
    life.sunk(*range(10))
    return YES


def update(life: Life) -> str:
    stage = life.stage
    stage.apply_source(config={"batch.size": 500})
    stage.place.wait_event("ConfigUpdated", stage.source, about="batch.size", timeout=SLOW)
    life.says(stage.source, "Running")
    stage.write(range(10, 15))
    life.sunk(*range(9, 15))
    return YES


def drift(life: Life) -> str:
    stage = life.stage
    config = stage.config(stage.source)
    assert config is not None
    stage.rest("PUT", stage.source, "/config", {**config, "batch.size": "7000"}).raise_for_status()
    stage.place.wait_event("DriftRepaired", stage.source, about="batch.size", timeout=SLOW)
    wait_until("the configuration to be back", lambda: stage.config(stage.source) == config, SLOW)
    life.says(stage.source, "Running")
    return YES


def pause(life: Life) -> str:
    life.set_state(life.stage.sink, "paused")
    life.says(life.stage.sink, "Paused")
    life.set_state(life.stage.sink, "running")
    life.says(life.stage.sink, "Running")
    return YES


def stop(life: Life) -> str:
    stage = life.stage
    life.set_state(stage.sink, "stopped")
    if life.version >= STOP:
        life.says(stage.sink, "Stopped")
        assert stage.states(stage.sink) == ("STOPPED", [])
        seen = YES
    else:
        life.says(stage.sink, "NotSupported", "takes Kafka Connect 3.5 or later")
        assert "Stopped" not in [why for why, _ in stage.place.events(stage.sink)]
        assert stage.states(stage.sink) == ("RUNNING", ["RUNNING"])
        seen = NOT_SUPPORTED
    life.set_state(stage.sink, "running")
    life.says(stage.sink, "Running")
    return seen


def observe(life: Life) -> str:
    stage = life.stage
    if life.version < STOP:
        life.offsets.apply("look", stage.source, action="Observe")
        seen = life.not_supported("look", stage.source, "3.5")
        stage.place.kube.delete("lco", stage.place.namespace, "look")
        return seen
    stage.wait_offset(stage.source, len(stage.source_file.read_text()))
    assert life.offsets.observed(stage.source) == life.offsets.of_connect(stage.source)
    return YES


def alter_source(life: Life) -> str:
    stage = life.stage
    position = stage.source_file.read_text().index("line 12\n")
    entry = {"partition": {"filename": str(stage.source_file)}, "offset": {"position": position}}
    life.offsets.apply("alter-source", stage.source, action="Alter", offsets=[entry])
    if life.version < OFFSETS:
        return life.not_supported("alter-source", stage.source, "3.6")
    life.offsets.wait("alter-source", "Applied")
    life.says(stage.source, "Running")
    life.sunk(14, 12, 13, 14)
    return YES


def alter_sink(life: Life) -> str:
    stage = life.stage
    entry = {"partition": {"kafka_topic": stage.topic, "kafka_partition": 0}, "offset": {"kafka_offset": 5}}
    life.offsets.apply("alter-sink", stage.sink, action="Alter", offsets=[entry])
    if life.version < OFFSETS:
        return life.not_supported("alter-sink", stage.sink, "3.6")
    life.offsets.wait("alter-sink", "Applied")
    life.says(stage.sink, "Running")
    life.sunk(14, *range(5, 15), 12, 13, 14)
    return YES


def reset(life: Life) -> str:
    stage = life.stage
    life.offsets.apply("reset", stage.source, action="Reset")
    if life.version < OFFSETS:
        return life.not_supported("reset", stage.source, "3.6")
    life.offsets.wait("reset", "Applied")
    life.says(stage.source, "Running")
    life.sunk(14, *range(15))
    return YES


def refused(life: Life) -> str:
    stage = life.stage
    config = {"file": str(stage.source_file), "topic": "t", "batch.size": "many"}
    stage.place.apply("refused", config=config)
    stage.place.apply("missing", class_name="FileStremSource", config={"topic": "t"})
    assert "batch.size" in life.says("refused", "ConfigInvalid")
    assert "FileStreamSource" in life.says("missing", "PluginNotFound")
    assert stage.config("refused") is stage.config("missing") is None
    for name in ("refused", "missing"):
        stage.place.delete(name)
    return YES


def restart(life: Life) -> str:
    stage, late = life.stage, life.stage.files / "late"
    name = f"fails-{stage.sink}"
    config = {"file": str(late / "out.txt"), "topics": stage.topic, "value.converter": STRING}
    stage.place.apply(name, class_name="FileStreamSink", config=config)
    life.says(name, "TaskFailed", "out.txt")
    late.mkdir()
    annotation = {"metadata": {"annotations": {"connect.lenses.io/restart": "1"}}}
    stage.place.kube.patch("lc", stage.place.namespace, name, annotation)
    life.says(name, "Running")
    stage.place.delete(name)
    stage.place.wait_gone(name, SLOW)
    return YES


def delete(life: Life) -> str:
    stage = life.stage
    stage.place.delete(stage.source)
    stage.place.wait_gone(stage.source, SLOW)
    assert stage.config(stage.source) is None
    return YES


def delete_with_offsets(life: Life) -> str:
    stage, place = life.stage, life.stage.place
    place.kube.patch("lc", place.namespace, stage.sink, {"spec": {"deletionPolicy": "DeleteWithOffsets"}})
    place.delete(stage.sink)
    if life.version >= OFFSETS:
        place.wait_gone(stage.sink, SLOW)
        place.wait_event("OffsetsReset", stage.sink)
        assert stage.config(stage.sink) is None
        return YES
    said = life.says(stage.sink, "DeletionBlocked", "3.6")
    assert '"deletionPolicy":"Delete"' in said
    state, tasks = stage.states(stage.sink)
    shown = place.wait(stage.sink, lambda found: found["status"]["state"] == state, SLOW)
    assert len(shown["status"].get("tasks", [])) == len(tasks)
    place.kube.patch("lc", place.namespace, stage.sink, {"spec": {"deletionPolicy": "Delete"}})
    place.wait_gone(stage.sink, SLOW)
    assert stage.config(stage.sink) is None
    return "`DeletionBlocked`"


STEPS: dict[str, Callable[[Life], str]] = {
    "create, records flow": create,
    "new configuration, offsets kept": update,
    "drift put back": drift,
    "`state: paused`": pause,
    "`state: stopped`": stop,
    "offsets: `Observe`": observe,
    "offsets: `Alter` of a source": alter_source,
    "offsets: `Alter` of a sink": alter_sink,
    "offsets: `Reset`": reset,
    "refused configuration, missing class": refused,
    "failed task, restart annotation": restart,
    "deletion": delete,
    "deletion with `DeleteWithOffsets`": delete_with_offsets,
}
"""In this order; each returns what came of it, as the table of the docs has it."""
