"""What the bench counts with."""

import json
from pathlib import Path

from bench.audit import Audit
from bench.figures import Latency, Result, Start, percentile
from bench.table import shown


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
    start = Start(seconds=1.25, writes=0, lenses=3, cpu=0.5, peak=150.4, rss=149)
    text = shown([Result(operator="one", connectors=10, start=start), Result(operator="other", connectors=10)])
    assert "restart: all looked at after, s" in text
    assert "1.2" in text
    assert "mass create" not in text
