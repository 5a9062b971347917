"""Connectors on real Kafka Connect, from kubectl to the records that come out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import SLOW, Stage, make_stage
from harness.kafka import Broker, ConnectWorker, KafkaAdmin, Record
from harness.kube import Kube, Object
from harness.kubectl import Kubectl
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import conditions, message, reason
from harness.operator_process import OperatorProcess
from harness.waiting import HANG

LINES = 1000


def test_records_flow_from_file_to_file(stage: Stage, kafka_admin: KafkaAdmin) -> None:
    stage.apply_source(tasksMax=1)
    stage.apply_sink()
    stage.wait_ready(stage.source, stage.sink)
    text = stage.write(range(LINES))
    stage.wait_sunk(text)
    assert kafka_admin.read(stage.topic, LINES) == [Record(None, line) for line in text.splitlines()]
    shown = stage.kubectl("get", "lc", "-n", stage.place.namespace, "-o", "wide")
    assert shown.count("1/1") == 2
    assert "Running" in shown


def test_status_shows_what_connect_says(flowing: Stage) -> None:
    def complete(found: Object) -> bool:
        return bool(found["status"].get("topics") == [flowing.topic])

    status = flowing.place.wait(flowing.source, complete)["status"]
    worker = f"127.0.0.1:{flowing.worker.port}"
    assert (status["state"], status["type"], status["workerId"]) == ("RUNNING", "source", worker)
    assert status["tasks"] == [{"id": 0, "state": "RUNNING", "workerId": worker}]
    assert status["ownership"]["state"] == "Owned"


def test_paused_and_stopped_and_running_again(flowing: Stage) -> None:
    place, sink = flowing.place, flowing.sink
    flowing.set_state(sink, "paused")
    place.wait_reason("Paused", sink)
    assert flowing.states(sink) == ("PAUSED", ["PAUSED"])
    flowing.set_state(sink, "stopped")
    place.wait_reason("Stopped", sink)
    assert flowing.states(sink) == ("STOPPED", [])
    text = flowing.write(range(100, 200))
    assert len(flowing.sunk()) < len(text)
    flowing.set_state(sink, "running")
    place.wait_running(sink, SLOW)
    flowing.wait_sunk(text)
    assert place.writes(sink).count("CreateConnector") == 1


def test_created_as_stopped(stage: Stage) -> None:
    stage.apply_source(state="stopped")
    stage.place.wait_reason("Stopped", stage.source)
    assert stage.states(stage.source) == ("STOPPED", [])
    stage.place.wait_event("RanBriefly", stage.source)


def test_a_new_configuration_keeps_the_offsets(flowing: Stage) -> None:
    flowing.apply_source(config={"batch.size": 5000})
    flowing.apply_sink(config={"errors.tolerance": "all"})
    flowing.place.wait_event("ConfigUpdated", flowing.source, about="batch.size")
    flowing.place.wait_event("ConfigUpdated", flowing.sink, about="errors.tolerance")
    flowing.wait_ready(flowing.source, flowing.sink)
    assert (flowing.config(flowing.source) or {})["batch.size"] == "5000"
    flowing.wait_sunk(flowing.write(range(100, 200)))
    for name in (flowing.source, flowing.sink):
        assert flowing.place.writes(name).count("CreateConnector") == 2


def test_a_configuration_changed_in_connect_is_put_back(flowing: Stage) -> None:
    before = flowing.config(flowing.source)
    assert before is not None
    flowing.rest("PUT", flowing.source, "/config", {**before, "batch.size": "7000"}).raise_for_status()
    flowing.place.wait_event("DriftRepaired", flowing.source, about="batch.size")
    flowing.wait_config(flowing.source, "batch.size", None)
    flowing.wait_ready(flowing.source)
    assert flowing.config(flowing.source) == before
    flowing.wait_sunk(flowing.write(range(100, 200)))


def test_a_state_changed_in_connect_is_put_back(flowing: Stage) -> None:
    flowing.rest("PUT", flowing.source, "/pause").raise_for_status()
    flowing.place.wait_event("DriftRepaired", flowing.source, about="PAUSED")
    flowing.wait_states(flowing.source, "RUNNING", "RUNNING")
    flowing.wait_sunk(flowing.write(range(100, 200)))


def test_deleted_in_connect_is_created_again(flowing: Stage) -> None:
    flowing.rest("DELETE", flowing.source).raise_for_status()
    flowing.place.wait_event("DriftRepaired", flowing.source, about="gone")
    flowing.wait_ready(flowing.source)
    flowing.wait_states(flowing.source, "RUNNING", "RUNNING")
    flowing.wait_sunk(flowing.write(range(100, 200)))


def test_deletion_removes_the_connector(flowing: Stage) -> None:
    flowing.kubectl("delete", "lc", flowing.source, "-n", flowing.place.namespace, f"--timeout={HANG:.0f}s")
    assert flowing.config(flowing.source) is None
    assert flowing.config(flowing.sink) is not None


def test_retain_leaves_the_connector(flowing: Stage) -> None:
    flowing.apply_source(deletionPolicy="Retain")
    flowing.wait_ready(flowing.source)
    flowing.kubectl("delete", "lc", flowing.source, "-n", flowing.place.namespace, f"--timeout={HANG:.0f}s")
    assert flowing.states(flowing.source) == ("RUNNING", ["RUNNING"])


def test_a_bad_configuration_says_what_connect_says(stage: Stage) -> None:
    stage.apply_source(config={"batch.size": "many"})
    found = stage.place.wait_reason("ConfigInvalid", stage.source)
    assert "Invalid value many for configuration batch.size: Not a number of type INT" in message(found)
    assert conditions(found)["Stalled"]["status"] == "True"
    assert stage.config(stage.source) is None
    stage.apply_source(config={"batch.size": "5000"})
    stage.wait_ready(stage.source)


def test_a_bad_change_leaves_the_connector_as_it_is(flowing: Stage) -> None:
    before = flowing.config(flowing.source)
    flowing.apply_source(config={"batch.size": "many"})
    flowing.place.wait_reason("ConfigInvalid", flowing.source)
    assert flowing.config(flowing.source) == before
    flowing.wait_sunk(flowing.write(range(100, 200)))


def test_a_class_that_is_not_installed(stage: Stage) -> None:
    stage.apply_source(class_name="FileStremSource")
    found = stage.place.wait_reason("PluginNotFound", stage.source)
    assert "FileStreamSource" in message(found)
    assert stage.config(stage.source) is None


def test_a_class_by_its_short_name(stage: Stage) -> None:
    stage.apply_source(class_name="FileStreamSource")
    stage.wait_ready(stage.source)
    stage.place.wait_checks(stage.source)
    assert stage.place.writes(stage.source) == ["CreateConnector"]


def test_a_name_with_an_arrow(stage: Stage) -> None:
    name = f"orders -> lake {stage.topic}"
    stage.apply_source(connector_name=name)
    stage.wait_ready(stage.source)
    stage.set_state(stage.source, "paused")
    stage.place.wait_reason("Paused", stage.source)
    assert stage.states(name) == ("PAUSED", ["PAUSED"])
    stage.kubectl("delete", "lc", stage.source, "-n", stage.place.namespace, f"--timeout={HANG:.0f}s")
    assert stage.config(name) is None


@pytest.fixture
def own_stage(
    shared_operator: OperatorProcess,
    operator_kube: Kube,
    kubectl: Kubectl,
    lenses: RunningLenses,
    broker: Broker,
    tmp_path: Path,
) -> Iterator[Stage]:
    """On a Connect cluster of its own, which the test may kill."""
    with ConnectWorker.start(tmp_path / "worker", broker.bootstrap, name="killed") as worker:
        stage = make_stage(operator_kube, kubectl, lenses, worker, tmp_path)
        yield stage
        stage.place.leave()


def test_a_worker_is_killed_and_comes_back(own_stage: Stage, broker: Broker) -> None:
    stage, place = own_stage, own_stage.place
    stage.apply_source()
    stage.apply_sink()
    stage.wait_ready(stage.source, stage.sink)
    stage.wait_sunk(stage.write(range(100)))
    stage.wait_offset(stage.source, len(stage.source_file.read_text()))  # what is not committed would come again
    writes = {name: place.writes(name) for name in (stage.source, stage.sink)}

    stage.worker.stop()
    place.wait(stage.source, lambda found: reason(found) == "LensesUnavailable", SLOW)
    place.delete(stage.sink)
    place.wait(stage.sink, lambda found: reason(found) == "DeletionBlocked", SLOW)
    text = stage.write(range(100, 200))
    with ConnectWorker.start(stage.files / "worker", broker.bootstrap, name="killed", port=stage.worker.port):
        place.wait_running(stage.source, SLOW)
        place.wait_gone(stage.sink, SLOW)
        assert stage.config(stage.sink) is None
        assert place.writes(stage.source) == writes[stage.source]
        assert "CreateConnector" not in place.writes(stage.sink)[len(writes[stage.sink]) :]
        # Nothing was lost on the way: another sink with other offsets gets all of it.
        stage.sink_file.unlink()
        stage.apply_sink(connector_name=f"second-{stage.sink}")
        stage.wait_sunk(text)
