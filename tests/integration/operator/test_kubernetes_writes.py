"""What the operator writes to the API server, by the API server's own count; Events apart."""

from __future__ import annotations

from dataclasses import dataclass

from harness.kube import Kube
from harness.operator_fixtures import Operators, Place, in_parallel

MANY = [f"c{number}" for number in range(20)]


@dataclass(frozen=True)
class Writes:
    """Requests of any outcome to our kind that change something."""

    status: float
    objects: float

    @classmethod
    def now(cls, kube: Kube) -> Writes:
        figures = kube.metrics()
        verbs = ("PATCH", "PUT", "APPLY")

        def total(subresource: str) -> float:
            return sum(
                figures.requests(resource="lensesconnectors", subresource=subresource, verb=verb) for verb in verbs
            )

        return cls(total("status"), total(""))

    def since(self, before: Writes) -> tuple[float, float]:
        return self.status - before.status, self.objects - before.objects


def test_from_create_to_ready(own_place: Place, operators: Operators) -> None:
    """One patch for the finalizer and two of the status: the claim, and the end."""
    operators.start(own_place.namespace)
    own_place.kube.create(own_place.manifest("first"))
    own_place.wait_running("first")
    own_place.wait_polls()
    before = Writes.now(own_place.kube)
    own_place.kube.create(own_place.manifest())
    own_place.wait_running()
    own_place.wait_polls(3)
    status, objects = Writes.now(own_place.kube).since(before)
    assert objects == 1
    assert status <= 2


def test_twenty_at_once(own_place: Place, operators: Operators) -> None:
    before = Writes.now(own_place.kube)
    in_parallel(lambda name: own_place.kube.create(own_place.manifest(name)), MANY)
    operators.start(own_place.namespace)
    for name in MANY:
        own_place.wait_running(name)
    own_place.wait_polls(3)
    status, objects = Writes.now(own_place.kube).since(before)
    assert objects == len(MANY)
    assert status <= 2 * len(MANY)


def test_nothing_in_steady_state_nor_after_a_restart(own_place: Place, operators: Operators) -> None:
    first = operators.start(own_place.namespace)
    own_place.apply_many(MANY)
    for name in MANY:
        own_place.wait_running(name)
    own_place.wait_polls(3)
    before, mark = Writes.now(own_place.kube), own_place.mark()
    own_place.wait_checks(MANY[-1], 3)
    own_place.wait_polls()
    assert Writes.now(own_place.kube).since(before) == (0, 0)
    assert first.terminate() == 0
    operators.start(own_place.namespace)
    own_place.wait_checks(MANY[-1], 2)
    own_place.wait_polls()
    assert Writes.now(own_place.kube).since(before) == (0, 0)
    assert own_place.writes(since=mark) == []


def test_own_writes_wake_nobody(own_place: Place, operators: Operators) -> None:
    """What a status write of anybody's causes is no request to Lenses beyond the polls."""
    operators.start(own_place.namespace, DRIFT_INTERVAL=3600)
    own_place.runs()
    own_place.wait_polls(2)
    mark = own_place.mark()
    own_place.kube.patch("lc", own_place.namespace, "orders", {"metadata": {"labels": {"a": "b"}}})
    own_place.wait_polls(3)
    assert {request["operation"] for request in own_place.requests(since=mark)} == {"ListConnectors"}


def test_a_transition_time_moves_with_the_status_alone(place: Place) -> None:
    """Failing once and well again within a poll leaves no trace; a new message of the same status moves no time."""
    before = place.runs(
        tasksMax=2, class_name="io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector", config=SINK
    )
    looks = [place.control.add_breakpoint(place.environment, one) for one in ("ListConnectors", "GetConnector")]
    place.control.wait_breakpoint(looks[0])
    place.change(tasks=[{"id": 0, "state": "FAILED", "trace": "a"}, {"id": 1}])
    place.change(tasks=[{"id": 0}, {"id": 1}])
    for look in looks:
        place.control.release_breakpoint(look)
    place.wait_polls(3)
    after = place.wait_running()
    assert after["status"]["conditions"] == before["status"]["conditions"]
    place.change(tasks=[{"id": 0, "state": "FAILED", "trace": "a"}, {"id": 1}])
    failed = place.wait_reason("TaskFailed", about="1 of 2")
    place.change(tasks=[{"id": 0, "state": "FAILED", "trace": "a"}, {"id": 1, "state": "FAILED", "trace": "b"}])
    worse = place.wait_reason("TaskFailed", about="2 of 2")
    times = [[c["lastTransitionTime"] for c in found["status"]["conditions"]] for found in (failed, worse)]
    assert times[0] == times[1]


SINK = {"topics": "lines", "connect.s3.kcql": "insert into a select * from lines"}
