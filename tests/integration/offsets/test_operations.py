"""Alter, Reset and Observe against real API servers: what goes over the wire, and what the objects say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.kubectl import Kubectl
from harness.operator_fixtures import FOR_EVER, TIMEOUT, Place, conditions, message, reason
from integration.offsets.support import ANY, BEFORE, FILE, S3, S3_CONFIG, Offsets, at

ALTERED = "The offsets for this connector have been altered successfully"
WORDS = "has an invalid value 0 for the 'partition' key, which must be an integer"


def test_alter(offsets: Offsets) -> None:
    place = offsets.place
    offsets.runs()
    mark = place.mark()
    found = offsets.apply_until("Applied")
    offsets.wait_state("RUNNING")
    assert offsets.order(since=mark) == [
        "stop",
        "GetConnectorOffsets",
        "AlterConnectorOffsets",
        "GetConnectorOffsets",
        "resume",
    ]
    status = found["status"]
    assert status["before"] == BEFORE
    assert (status["beforeGeneration"], status["appliedGeneration"], status["phase"]) == (1, 1, "Applied")
    assert (status["message"], status["partitions"], status["offsets"]) == (ALTERED, 1, at(5))
    assert set(conditions(found)) == {"Ready"}
    assert "truncated" not in status
    for why in ("Stopping", "Applying", "OffsetsApplied"):
        place.wait_event(why, "back")
    assert "back" in place.wait_event("Stopped")
    place.wait_event("Resumed")


def test_reset_of_a_connector_that_is_slow_to_stop(offsets: Offsets) -> None:
    place = offsets.place
    offsets.runs(class_name=S3, config=S3_CONFIG, tasksMax=2, offsets="[]")
    place.control.set_delays(place.environment, place.cluster, state_delay=0.05, task_delay=FOR_EVER)
    fault = place.fault(
        operation="ResetConnectorOffsets", status=400, message="its tasks haven't stopped completely", times=2
    )
    mark = place.mark()
    offsets.apply_until("Stopping", action="Reset")
    meanwhile = place.wait_reason("OffsetsOperation")
    assert {kind: found["status"] for kind, found in conditions(meanwhile).items()} == {
        "Ready": "Unknown",
        "Reconciling": "True",
    }
    place.end_delays()
    found = offsets.wait_reason("Applied")
    assert place.control.fault_hits(fault) == 3
    offsets.wait_state("RUNNING")
    asked = [one["operation"] for one in place.requests("ResetConnectorOffsets", "AlterConnectorOffsets", since=mark)]
    assert asked == ["ResetConnectorOffsets"] * 3
    assert found["status"]["before"] == "[]"
    assert "its own index" in message(found)


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_back_to_the_state_of_the_spec(offsets: Offsets, state: str) -> None:
    offsets.runs(state=state)
    mark = offsets.place.mark()
    offsets.apply_until("Applied")
    offsets.wait_state(state.upper())
    offsets.place.wait_polls()
    asked = [one for one in offsets.order(since=mark) if not one.endswith("Offsets")]
    assert asked == (["stop", "pause"] if state == "paused" else [])


def test_numbers_as_kubectl_sends_them(offsets: Offsets, kubectl: Kubectl) -> None:
    place = offsets.place
    place.control.set_plugins(place.environment, place.cluster, [ANY])
    offsets.runs(class_name=ANY["class"], config={})
    manifest = offsets.manifest()
    del manifest["spec"]["offsets"]
    text = json.dumps(manifest).removesuffix("}}") + (
        ', "offsets": [{"partition": {"n": 9223372036854775807, "s": "0"}, "offset": {"big": -9223372036854775808,'
        ' "text": "1.0", "deep": {"list": [1, "2", true, {"a": []}]}, "half": 1.5, "empty": ""}}]}}'
    )
    kubectl("apply", "-f", "-", stdin=text)
    offsets.wait_reason("Applied")
    assert json.loads(offsets.bodies()[0]) == json.loads(text)["spec"]["offsets"]
    assert "9223372036854775807" in offsets.bodies()[0]
    assert '"text": "1.0"' in offsets.bodies()[0]


EXACT = (
    '[{"partition": {"server": "s", "n": 1.0}, "offset": {"transaction_id": null, "pos": 1e3, "x": 1.0, '
    '"t": 1.7412e12, "huge": 123456789012345678901234567890, "s": "1.0", "deep": {"a": [null, 2.50]}}}]'
)


def test_json_text_keeps_every_character(offsets: Offsets, kubectl: Kubectl) -> None:
    place = offsets.place
    place.control.set_plugins(place.environment, place.cluster, [ANY])
    offsets.runs(class_name=ANY["class"], config={}, offsets="[]")
    kubectl("apply", "-f", "-", stdin=json.dumps(offsets.manifest(offsetsJson=EXACT)))
    found = offsets.wait_reason("Applied")
    assert "differs" not in message(found)
    assert offsets.bodies() == [EXACT]
    assert offsets.now() == EXACT


def test_drop_is_an_explicit_null(offsets: Offsets) -> None:
    offsets.runs()
    offsets.apply_until("Applied", offsets=[{"partition": dict(FILE), "drop": True}])
    assert offsets.bodies() == ['[{"partition": {"filename": "/dev/null"}, "offset": null}]']
    assert offsets.now() == "[]"


def test_sinks_read_strings_back_as_numbers(offsets: Offsets) -> None:
    offsets.runs(class_name=S3, config=S3_CONFIG, offsets="[]")
    wanted = {"partition": {"kafka_topic": "orders", "kafka_partition": "0"}, "offset": {"kafka_offset": "1"}}
    found = offsets.apply_until("Applied", offsets=[wanted])
    assert "differs" not in message(found)
    assert found["status"]["offsets"] == [
        {"partition": {"kafka_topic": "orders", "kafka_partition": 0}, "offset": {"kafka_offset": 1}}
    ]


class TestRefusals:
    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 405},
            {"status": 501},
            {"status": 409, "shape": "hq", "type": "missing_agent_capabilities"},
        ],
        ids=["405", "501", "capabilities"],
    )
    def test_unknown_to_this_lenses(self, offsets: Offsets, fault: dict[str, Any]) -> None:
        """Believed at once, and the connector goes on."""
        place = offsets.place
        offsets.runs()
        place.fault(operation="AlterConnectorOffsets", **fault)
        found = offsets.apply_until("NotSupported")
        assert set(conditions(found)) == {"Ready", "Stalled"}
        assert found["status"]["phase"] == "Failed"
        offsets.wait_state("RUNNING")
        assert offsets.now() == BEFORE
        place.wait_event("NotSupported", "back")
        place.wait_polls()
        assert len(place.requests("AlterConnectorOffsets")) == 1

    def test_what_is_said_for_a_minute(self, offsets: Offsets) -> None:
        """Then the connectors go on. Four of them wait for it side by side: one refuses by itself with 500, as real
        ones do, and one is refused in words that quote its Secret."""
        place = offsets.place
        data = {"password": "planted-offsets-secret"}
        head = {"name": "s", "namespace": place.namespace}
        place.kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": head, "stringData": data})
        token = [{"key": "token", "secretKeyRef": {"name": "s", "key": "password"}}]
        mirror = "org.apache.kafka.connect.mirror.MirrorSourceConnector"
        offsets.runs("bad")
        offsets.runs("denied")
        offsets.runs("mirror", class_name=mirror, config={"source.cluster.alias": "prim"}, offsets="[]")
        offsets.runs("secretive", configFrom=token)
        quoting = "cannot log in with planted-offsets-secret: no"
        faults: dict[str, dict[str, Any]] = {
            "bad": {"status": 400, "message": "no such key"},
            "denied": {"status": 404},
            "secretive": {"status": 400, "message": quoting},
        }
        for name, fault in faults.items():
            place.fault(operation="AlterConnectorOffsets", connector=name, **fault)
        entry = {"partition": {"cluster": "prim", "topic": "t", "partition": "0"}, "offset": {"offset": 1}}
        said = {
            "bad": ("OffsetsRejected", "no such key"),
            "denied": ("NotSupported", ""),
            "mirror": ("OffsetsRejected", WORDS),
            "secretive": ("OffsetsRejected", "cannot log in with"),
        }
        for name in said:
            wanted = {"offsets": [entry]} if name == "mirror" else {}
            offsets.apply(f"{name}-back", connector=name, **wanted)
        for name, (why, words) in said.items():
            found = offsets.wait_reason(why, f"{name}-back", timeout=150)
            assert words in message(found)
            assert set(conditions(found)) == {"Ready", "Stalled"}
            assert found["status"]["phase"] == "Failed"
            place.wait_event(why, f"{name}-back")
            assert "planted" not in json.dumps([found, place.events(f"{name}-back"), place.events(name)])
        for name in said:
            offsets.wait_state("RUNNING", name)
            assert "planted" not in json.dumps(place.get(name))
            tries = place.requests("AlterConnectorOffsets", connector=name)
            assert 3 <= len(tries) <= 20
            assert tries[-1]["monotonic"] - tries[0]["monotonic"] >= 60
            assert offsets.now(name) == ("[]" if name == "mirror" else BEFORE)
        mark = place.mark()
        place.wait_polls()
        assert place.writes(since=mark) == []

    def test_entries_that_cannot_be_sent(self, offsets: Offsets) -> None:
        place = offsets.place
        offsets.runs()
        mark = place.mark()
        twice = [{"partition": {"p": 0}, "offset": {}}, {"partition": {"p": "0"}, "drop": True}]
        wrong: dict[str, dict[str, Any]] = {
            "twice": {"offsets": twice},
            "json": {"offsetsJson": "nonsense"},
            "empty": {"offsetsJson": "[]"},
            "lacking": {"offsetsJson": '[{"partition": {"p": 0}}]'},
        }
        for name, spec in wrong.items():
            offsets.apply(name, **spec)
        for name in wrong:
            found = offsets.wait_reason("OffsetsInvalid", name)
            assert set(conditions(found)) == {"Ready", "Stalled"}
        place.wait_polls()
        assert place.writes(since=mark) == []


class TestObserve:
    def test_follows(self, offsets: Offsets) -> None:
        place = offsets.place
        offsets.runs(offsets="[]")
        found = offsets.apply_until("Observed", action="Observe", refreshInterval="10s")
        assert (found["status"]["partitions"], found["status"]["offsets"]) == (0, [])
        assert "phase" not in found["status"]
        place.control.set_offsets(place.environment, place.cluster, "orders", BEFORE)
        found = offsets.wait(predicate=lambda one: one["status"]["partitions"] == 1)
        assert found["status"]["offsets"] == json.loads(BEFORE)
        mark, version = place.mark(), found["metadata"]["resourceVersion"]
        place.control.wait_requests(place.environment, "GetConnectorOffsets", since=mark, count=1, timeout=TIMEOUT)
        place.wait_polls()
        assert offsets.get()["metadata"]["resourceVersion"] == version

    @pytest.mark.parametrize("adoption", ["Never", "IfIdentical"])
    def test_nothing_is_shown_of_a_stranger(self, offsets: Offsets, adoption: str) -> None:
        place = offsets.place
        place.change(config={"file": "/dev/other", "topic": "x"})
        place.control.set_offsets(place.environment, place.cluster, "orders", BEFORE)
        offsets.apply("look", action="Observe")
        offsets.apply("back")
        place.apply_until("NotAdopted", adoptionPolicy=adoption)
        for name in ("look", "back"):
            status = offsets.wait_reason("ConnectorNotReady", name)["status"]
            assert not {"offsets", "partitions", "before"} & set(status)
        assert place.requests("GetConnectorOffsets") == []
        assert place.writes() == []

    def test_nothing_is_shown_of_another_owners(self, offsets: Offsets) -> None:
        place = offsets.place
        offsets.runs()
        place.apply_until("Conflict", "second", name="orders")
        mark = place.mark()
        offsets.apply("look", action="Observe", connector="second")
        offsets.apply("back", connector="second")
        for name in ("look", "back"):
            status = offsets.wait_reason("ConnectorNotReady", name)["status"]
            assert not {"offsets", "partitions", "before"} & set(status)
        place.wait_polls()
        assert place.requests("GetConnectorOffsets", since=mark) == []
        assert place.writes(since=mark) == []


def rows(count: int, padding: int = 0) -> str:
    return json.dumps(
        [{"partition": {"p": number}, "offset": {"o": number, "x": "x" * padding}} for number in range(count)]
    )


def test_a_map_of_20000_partitions(offsets: Offsets) -> None:
    place = offsets.place
    place.control.set_plugins(place.environment, place.cluster, [ANY])
    text = rows(20_000)
    offsets.runs(class_name=ANY["class"], config={}, offsets=text)
    offsets.apply("look", action="Observe")
    status = offsets.wait_reason("Observed", "look")["status"]
    assert (status["partitions"], len(status["offsets"]), status["truncated"]) == (20_000, 500, True)
    offsets.apply(action="Reset")
    status = offsets.wait_reason("Applied")["status"]
    assert "before" not in status
    assert status["beforeCompressed"]
    offsets.wait_state("RUNNING")
    assert offsets.now() == "[]"


def test_big_offsets_asked_for_beside_big_offsets_there(offsets: Offsets) -> None:
    """Together they must fit into what etcd takes, or no status could be written ever again."""
    import random

    place = offsets.place
    place.control.set_plugins(place.environment, place.cluster, [ANY])
    noise = random.Random(7).randbytes(500_000).hex()
    there = f'[{{"partition": {{"p": 1}}, "offset": {{"o": "{noise}"}}}}]'
    offsets.runs(class_name=ANY["class"], config={}, offsets=there)
    found = offsets.apply_until("OffsetsInvalid", offsetsJson=rows(4000, 150))
    assert "no way back" in message(found)
    offsets.wait_state("RUNNING")
    assert offsets.now() == there
    found = offsets.apply_until("Applied", "small")
    assert found["status"]["beforeCompressed"]


def test_reason_is_of_the_present_generation(place: Place) -> None:
    """What the other tests lean on."""
    assert reason({"metadata": {"generation": 2}, "status": {}}) == ""
