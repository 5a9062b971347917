"""kstatus itself agrees with the harness's port of it, over what the operator can say and over what it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.kstatus import CURRENT, TERMINATING, Library, compute
from integration.gitops.support import documents
from unit.gitops.situations import API, CASES, SUSPENDED, UNOBSERVED

CONDITION = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["Ready", "Reconciling", "Stalled", "Other"]),
        "status": st.sampled_from(["True", "False", "Unknown"]),
    },
    optional={"message": st.sampled_from(["", "Why."]), "reason": st.just("Reason")},
)
STATUS = st.fixed_dictionaries(
    {}, optional={"observedGeneration": st.integers(-1, 2), "conditions": st.lists(CONDITION, max_size=3)}
)
METADATA = st.fixed_dictionaries(
    {"name": st.just("orders")},
    optional={"generation": st.integers(1, 2), "deletionTimestamp": st.just("2026-02-01T00:00:00Z")},
)
OBJECT = st.fixed_dictionaries(
    {"apiVersion": st.just(API), "kind": st.just("LensesConnector"), "metadata": METADATA}, optional={"status": STATUS}
)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def test_of_every_situation(library: Library) -> None:
    objects = [case.found for case in CASES + UNOBSERVED]
    answers = library.compute(objects)
    assert answers == [compute(found) for found in objects]
    assert [answer.status for answer in answers] == [case.kstatus for case in CASES + UNOBSERVED]


def expressions() -> dict[str, str]:
    """Of the Kustomization in the docs that has some."""
    found: dict[str, str]
    (found,) = [
        check
        for document in documents()
        if document["kind"] == "Kustomization"
        for check in document["spec"].get("healthCheckExprs", [])
    ]
    assert (found.pop("apiVersion"), found.pop("kind")) == (API, "LensesConnector")
    return found


def test_of_every_situation_by_the_expressions_in_the_docs(library: Library) -> None:
    """They say what kstatus says, but that suspended is good enough."""
    cases = [case for case in CASES + UNOBSERVED if case.kstatus != TERMINATING]
    answers = library.compute([case.found for case in cases], **expressions())
    for case, answer in zip(cases, answers, strict=True):
        assert answer.status == (CURRENT if case.health == SUSPENDED else case.kstatus), case.name


@settings(max_examples=5, phases=[Phase.generate], suppress_health_check=[HealthCheck.data_too_large], deadline=None)
@given(st.lists(OBJECT, min_size=100, max_size=200))
def test_of_any_object(library: Library, objects: list[dict[str, Any]]) -> None:
    assert library.compute(objects) == [compute(found) for found in objects]
