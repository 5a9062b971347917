"""What the bench counts with."""

import json
from pathlib import Path

from bench.audit import Audit
from bench.figures import (
    API_SERVER,
    Create,
    Latency,
    Result,
    Start,
    Steady,
    compared,
    percentile,
)
from bench.holds import Turns
from bench.table import shown
from harness.metrics import Metrics


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([4, 1, 3, 2], share) for share in (0.01, 0.5, 0.51, 0.99, 1)] == [1, 2, 3, 4, 4]
    assert Latency.of([5.0]) == Latency(count=1, p50=5, p99=5)


def event(verb: str, stage: str = "ResponseComplete", **about: str) -> str:
    return json.dumps({"verb": verb, "stage": stage, "objectRef": about, "requestURI": "/x"}) + "\n"


def test_the_audit_log_is_counted_once_each_and_read_on(tmp_path: Path) -> None:
    audit, log = Audit(tmp_path, "somebody"), tmp_path / "audit.log"
    watch = {"resource": "lensesconnectors"}
    log.write_text(
        event("watch", "ResponseStarted", **watch)
        + event("watch", **watch)
        + event("patch", subresource="status", **watch)
        + event("create", resource="events")
        + event("get", **watch)
    )
    taken = audit.take()
    assert (taken.writes, taken.reads, taken.total) == (2, 2, 4)
    assert taken.by_kind["patch lensesconnectors/status"] == 1
    with log.open("a") as more:
        more.write(event("delete", **watch) + event("get", **watch).rstrip("\n"))
    assert audit.take().by_kind == {"delete lensesconnectors": 1}, "half a line is left for the next time"


def test_the_table_shows_what_was_measured_and_leaves_out_the_rest() -> None:
    start = Start(seconds=1.25, writes=0, lenses=3, cpu=0.5, peak=150.4, rss=149, control_plane=2)
    text = shown(
        compared([Result(operator="one", connectors=10, start=start), Result(operator="other", connectors=10)])
    )
    assert "restart: all looked at after, s" in text
    assert "1.2" in text
    assert "0.25" in text, "of the CPU of API server and etcd"
    assert "mass create" not in text


def metrics(at_most: dict[str, int], longest: float) -> Metrics:
    """Half of each turn was work."""
    lines = []
    for name, part in (("hold", 1.0), ("busy", 0.5)):
        of = f"lenses_operator_event_loop_{name}_seconds_bucket"
        lines += [f'{of}{{le="{float(le) * part}"}} {count}' for le, count in at_most.items()]
        lines.append(f"lenses_operator_event_loop_longest_{name}_seconds {longest * part}")
    return Metrics.parse("\n".join(lines))


FIRST = Turns.of(1, metrics({"0.01": 900, "0.05": 990, "0.25": 1000, "+Inf": 1000}, 0.2))


def test_a_start_has_been_held_for_as_long_as_the_operator_says() -> None:
    held = FIRST.since(Turns())
    assert held is not None
    assert (held.turns, held.longest, held.rare, held.over_aim) == (1000, 0.2, 0.2, 10)


def test_a_hold_from_before_counts_no_more() -> None:
    later = Turns.of(1, metrics({"0.01": 2900, "0.05": 2991, "0.25": 3001, "+Inf": 3001}, 0.2))
    held = later.since(FIRST)
    assert held is not None
    assert (held.turns, held.longest, held.rare, held.over_aim) == (2001, 0.05, 0.01, 0)
    assert (held.busiest, held.busy_rare) == (0.025, 0.005)


def test_another_process_begins_at_nothing() -> None:
    restarted = Turns.of(2, metrics({"0.01": 5, "0.05": 5, "0.25": 5, "+Inf": 5}, 0.007))
    held = restarted.since(FIRST)
    assert held is not None
    assert (held.turns, held.longest) == (5, 0.007)
    assert FIRST.since(FIRST) is None


def made(operator: str, connectors: int, cpu: float) -> Result:
    create = Create(
        seconds=1,
        per_second=1,
        applied_in=1,
        writes_each=1,
        lenses_each=1,
        ready=Latency.of([1]),
        cpu=cpu,
        peak=1,
        parts={API_SERVER: 20.0},
    )
    steady = Steady(
        seconds=1,
        lenses_per_minute=60 / cpu,
        kube_per_minute=0,
        writes=0,
        cpu=cpu,
        per_request=cpu,
        lenses_cpu=0.5,
        rss=1,
        growth=0,
    )
    return Result(operator=operator, connectors=connectors, create=create, steady=steady)


def test_ratios_are_those_of_one_run_and_one_number_of_connectors() -> None:
    ours, alone, plain = compared([made("ours", 100, 1.5), made("ours", 200, 1.0), made("plain kopf", 100, 3.0)])
    assert ours.ratios.create_api_server == 15 / 20
    assert ours.ratios.steady_lenses == 1.5 / 0.5
    assert (ours.ratios.create_plain, ours.ratios.steady_plain, ours.ratios.request_plain) == (0.5, 0.5, 0.5)
    assert ours.ratios.requests_plain == 2
    assert (alone.ratios.create_api_server, alone.ratios.create_plain) == (5 / 20, None)
    assert plain.ratios.create_plain is None
    text = shown([ours, plain])
    assert "against plain kopf" in text
    assert "same run" in text
