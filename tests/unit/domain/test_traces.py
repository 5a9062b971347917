"""Java traces, cut for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.traces import CAUSE_LIMIT, TRACE_LIMIT, abridged, excerpt, root_cause
from lenses_operator.resources.text import plain

TRACE = """\
org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask
\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliver(WorkerSinkTask.java:624)
Caused by: java.lang.RuntimeException: while writing
\tat io.lenses.S3.write(S3.java:1)
\tCaused by: software.amazon.S3Exception: Access Denied
\tat software.amazon.S3.put(S3.java:2)
"""
LINES = st.lists(
    st.one_of(st.text(max_size=80), st.just("Caused by: x: ä…"), st.text(max_size=900).map("Caused by: ".__add__))
)


@pytest.mark.parametrize(
    ("trace", "cause"),
    [
        (TRACE, "software.amazon.S3Exception: Access Denied"),
        ("just one line", "just one line"),
        ("first\nsecond", "first"),
        ("", ""),
        (None, ""),
        ("Caused by: it", "it"),
    ],
)
def test_the_root_cause_is_the_innermost(trace: str | None, cause: str) -> None:
    assert root_cause(trace) == cause


def test_a_root_cause_is_short_and_one_line() -> None:
    cause = root_cause("x" * 5000 + "\nmore")
    assert set(cause) == {"x", " ", "…"}
    assert CAUSE_LIMIT - 3 <= len(cause) <= CAUSE_LIMIT


@pytest.mark.parametrize("before", ["", "org.apache.kafka.connect.errors.ConnectException: no\n\tat a.B\nCaused by: "])
def test_a_long_cause_keeps_what_helps_at_its_end(before: str) -> None:
    """As Debezium says it: what failed, the whole offset, then what to do."""
    offset = ", ".join(f"lsn_{number}=LSN{{0/{number}}}" for number in range(200))
    cause = (
        f"io.debezium.DebeziumException: The connector is trying to read change stream starting at [{offset}], but "
        "this is no longer available on the server. Reconfigure the connector to use a snapshot mode when needed."
    )
    trace = f"{before}{cause}\n\tat io.debezium.X(X.java:1)\n" + "\tat java.base/x(Y.java:1)\n" * 90
    kept = excerpt(abridged(trace))
    for told in (root_cause(trace), root_cause(abridged(trace)), excerpt(trace), kept, root_cause(kept)):
        assert "io.debezium.DebeziumException: The connector is trying to read change stream starting at" in told
        assert told.endswith("use a snapshot mode when needed.")


@given(LINES, st.sampled_from(["\n", "\r\n", "\n\t", ""]), st.integers(0, 1100))
def test_an_excerpt_is_never_over_its_bytes_and_never_ends_in_half_a_character(
    lines: list[str], joint: str, limit: int
) -> None:
    given = joint.join(lines)
    trace, short = plain(given), excerpt(given, limit)
    assert len(short.encode()) <= limit
    assert "�" not in short or "�" in trace
    if len(trace.strip().encode()) <= limit:
        assert short == trace.strip()


def test_a_long_trace_keeps_its_first_line_and_its_root_cause() -> None:
    long = TRACE.replace("\tat io.lenses", "\tat java.base/x(Y.java:1) € \n" * 400 + "\tat io.lenses")
    short = excerpt(long)
    assert len(short.encode()) <= TRACE_LIMIT
    assert short.startswith("org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask\n")
    assert short.endswith("\n…\nCaused by: software.amazon.S3Exception: Access Denied")
    assert len(short.encode()) > TRACE_LIMIT * 0.9


def test_a_cause_that_is_still_to_be_read_is_not_repeated() -> None:
    short = excerpt("Caused by: near\n" + "\tat somewhere\n" * 200)
    assert short.count("Caused by: near") == 1


_LINES = st.sampled_from(
    [
        "",
        " ",
        "java.lang.X: no",
        "\tat a.b.C(C.java:1)",
        "Caused by: Y: inner",
        "  Caused by: Z: é\x1b[31m",
        "long " * 300,
        "Caused by: " + "far " * 300,
        "very" * 1500,
    ]
)


@given(st.lists(_LINES, max_size=12), st.sampled_from([1, 3, 90]))
def test_an_abridged_trace_says_what_the_whole_says(lines: list[str], times: int) -> None:
    trace = "\n".join(lines * times)
    short = abridged(trace)
    assert excerpt(short) == excerpt(trace)
    assert root_cause(plain(short).strip()) == root_cause(plain(trace).strip())
    assert len(short) <= 4 * TRACE_LIMIT
