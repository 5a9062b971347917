"""What each verb writes, and how it tells what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.commands.verbs.verb import GRACE, VERBS, Asked, Outcome
from lenses_operator.resources.base import RECONCILE, RESTART
from lenses_operator.resources.connector import LensesConnector
from unit.commands.shown import condition, connector, failing

ASKED = Asked("now", 2)


def annotated(key: str, handled: str | None, base: LensesConnector) -> LensesConnector:
    name = "last_handled_restart" if key == RESTART else "last_handled_reconcile"
    return base.model_copy(
        update={
            "metadata": base.metadata.model_copy(update={"annotations": {key: "now"}}),
            "status": base.status.model_copy(update={name: handled}),
        }
    )


def spec(ready: dict[str, Any], *, generation: int = 2, **fields: Any) -> LensesConnector:
    found = {**ready, "observedGeneration": ready.get("observedGeneration", 2)}
    return connector(generation=generation, ready={**found, "observedGeneration": 2}, **fields)


@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("restart", {"metadata": {"annotations": {RESTART: "v"}}}),
        ("reconcile", {"metadata": {"annotations": {RECONCILE: "v"}}}),
        ("pause", {"spec": {"state": "paused"}}),
        ("resume", {"spec": {"state": "running"}}),
        ("stop", {"spec": {"state": "stopped"}}),
        ("suspend", {"spec": {"suspend": True}}),
        ("unsuspend", {"spec": {"suspend": False}}),
    ],
)
def test_it_writes_one_field(name: str, patch: dict[str, Any]) -> None:
    assert VERBS[name].patch("v") == patch


def test_a_restart_is_over_when_it_was_handled_and_all_is_well() -> None:
    verb = VERBS["restart"]
    assert verb.outcome(annotated(RESTART, None, connector()), ASKED) is None
    assert verb.outcome(annotated(RESTART, "now", connector()), ASKED) == Outcome(True, "Running")


def test_a_failure_after_a_restart_counts_once_the_old_one_must_be_gone() -> None:
    verb, found = VERBS["restart"], annotated(RESTART, "now", failing())
    assert verb.outcome(found, ASKED) is None
    late = verb.outcome(found, Asked("now", 1, GRACE))
    assert late is not None
    assert (late.well, late.words) == (
        False,
        "TaskFailed: task 0: java.net.ConnectException: connection to db.example.com refused",
    )


@pytest.mark.parametrize(("fields", "word"), [({"state": "paused"}, "paused"), ({"suspend": True}, "spec.suspend")])
def test_what_would_restart_nothing_says_so(fields: dict[str, Any], word: str) -> None:
    verb = VERBS["restart"]
    assert word in str(verb.superfluous(connector(**fields)))  # type: ignore[union-attr]
    assert verb.superfluous(connector()) is None  # type: ignore[union-attr]
    assert VERBS["reconcile"].superfluous(connector(**fields)) is None  # type: ignore[union-attr]


def test_a_look_is_over_as_soon_as_it_was_taken() -> None:
    verb = VERBS["reconcile"]
    assert verb.outcome(annotated(RECONCILE, "earlier", connector()), ASKED) is None
    assert verb.outcome(annotated(RECONCILE, "now", connector()), ASKED) == Outcome(True, "Running")
    found = verb.outcome(annotated(RECONCILE, "now", failing()), ASKED)
    assert found is not None
    assert not found.well


def test_a_field_is_done_when_the_operator_says_so_of_this_generation() -> None:
    verb = VERBS["pause"]
    paused = condition("True", "Paused")
    assert verb.outcome(connector(), ASKED) is None, "as it was before the write"
    assert verb.outcome(connector(state="paused", generation=2), ASKED) is None, "not looked at since"
    assert verb.outcome(spec(paused, state="paused"), ASKED) == Outcome(True, "Paused")
    assert verb.outcome(spec(condition("Unknown", "LensesUnavailable"), state="paused"), ASKED) is None


def test_a_field_that_was_put_back_is_no_success() -> None:
    """As Flux does with what Git says."""
    found = VERBS["pause"].outcome(spec(condition(), generation=3, state="running"), ASKED)
    assert found == Outcome(False, "spec.state has been set to running since")


def test_suspension() -> None:
    suspended = condition("Unknown", "Suspended")
    assert VERBS["suspend"].outcome(spec(suspended, suspend=True), ASKED) == Outcome(True, "Suspended")
    assert VERBS["suspend"].outcome(spec(condition(), suspend=True), ASKED) is None
    assert VERBS["unsuspend"].outcome(spec(condition()), ASKED) == Outcome(True, "Running")
    assert VERBS["pause"].outcome(spec(suspended, suspend=True, state="paused"), ASKED) == Outcome(True, "Suspended")
