"""What kstatus, and so Flux, `helm --wait` and others, make of every situation."""

from __future__ import annotations

import pytest

from harness.kstatus import IN_PROGRESS, compute
from unit.gitops.situations import CASES, KINDS, UNOBSERVED, Case, connector, failed


@pytest.mark.parametrize("kind", KINDS)
def test_every_reason_is_among_the_situations(kind: str) -> None:
    assert {case.ready["reason"] for case in CASES if case.found["kind"] == kind} >= KINDS[kind]


@pytest.mark.parametrize("case", CASES + UNOBSERVED, ids=lambda case: case.name)
def test_kstatus_is_what_a_user_needs(case: Case) -> None:
    assert compute(case.found).status == case.kstatus


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_its_message_is_ours_unless_all_is_well(case: Case) -> None:
    if case.kstatus in {"InProgress", "Failed"}:
        assert compute(case.found).message == case.ready["message"]


def test_a_failure_of_an_older_generation_is_no_failure() -> None:
    """A corrected spec must not fail a roll-out before anybody has looked at it."""
    found = connector(failed(None))
    assert compute(found).status == "Failed"
    found["metadata"]["generation"] += 1
    assert compute(found).status == IN_PROGRESS
