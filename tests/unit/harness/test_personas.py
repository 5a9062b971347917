"""Each scenario has a persona of its own, and a run with `swapped` beside one without leaves none out."""

from collections import Counter

import pytest

from harness.personas import SEEN, SWAPPED, persona_of

NAMES = [f"tests/integration/operator/test_{number}.py::test_it[{number}]" for number in range(200)]


def test_both_are_met_in_one_run() -> None:
    met = Counter(map(persona_of, NAMES))
    assert set(met) == set(SEEN)
    assert min(met.values()) > 60


def test_the_same_each_time() -> None:
    """Choosing by `hash` would give each process of a run another answer, and each run."""
    assert persona_of("tests/integration/operator/test_running.py::test_a") == "documented"
    assert persona_of("tests/integration/operator/test_running.py::test_d") == "observed"


def test_a_run_and_a_swapped_one_are_all_of_both() -> None:
    for name in NAMES:
        assert {persona_of(name), persona_of(name, SWAPPED)} == set(SEEN)


@pytest.mark.parametrize("choice", ["connect", "documented", "observed"])
def test_one_for_all(choice: str) -> None:
    assert {persona_of(name, choice) for name in NAMES} == {choice}


def test_a_choice_that_is_none() -> None:
    with pytest.raises(ValueError, match="PERSONA is documentd: it is one of connect, documented, observed, swapped"):
        persona_of(NAMES[0], "documentd")
