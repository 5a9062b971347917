"""The names that alerts are built on, and what counts as an outcome."""

from __future__ import annotations

import pytest
from prometheus_client.exposition import generate_latest

from lenses_operator.observability.metrics import Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"lenses_operator_{name}", labels)


def test_every_name() -> None:
    metrics = Metrics()
    names = {family.name for family in metrics.registry.collect()}
    assert names == {
        "lenses_operator_lenses_request_seconds",
        "lenses_operator_passes",
        "lenses_operator_queue_length",
        "lenses_operator_resources",
        "lenses_operator_leader",
    }


def test_queue_and_resources_are_read_when_asked_for() -> None:
    metrics = Metrics()
    lengths = [3, 7]
    metrics.watch(lambda: lengths[0], lambda: lengths[1])
    assert (value(metrics, "queue_length"), value(metrics, "resources")) == (3, 7)
    lengths[0] = 0
    assert value(metrics, "queue_length") == 0


@pytest.mark.parametrize(("outcome", "word"), [(200, "200"), (503, "503"), ("connect_timeout", "connect_timeout")])
def test_requests_by_operation_and_outcome_and_never_by_environment(outcome: object, word: str) -> None:
    metrics = Metrics()
    metrics.answered("get_connector", "planted", outcome, 0.25)
    labels = {"operation": "get_connector", "outcome": word}
    assert value(metrics, "lenses_request_seconds_count", **labels) == 1
    assert value(metrics, "lenses_request_seconds_sum", **labels) == 0.25
    assert b"planted" not in generate_latest(metrics.registry)


def test_two_operators_in_one_process_do_not_meet() -> None:
    one, two = Metrics(), Metrics()
    one.passes.labels("ok").inc()
    assert value(one, "passes_total", outcome="ok") == 1
    assert value(two, "passes_total", outcome="ok") is None
