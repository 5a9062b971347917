"""Each scenario has a persona of its own, and with `both` it has each."""

from collections import Counter

import pytest

from harness.personas import SEEN, persona_of

NAMES = [f"tests/integration/operator/test_{number}.py::test_it[{number}]" for number in range(200)]


def test_both_are_met_in_one_run() -> None:
    met = Counter(map(persona_of, NAMES))
    assert set(met) == set(SEEN)
    assert min(met.values()) > 60


def test_the_same_each_time() -> None:
    """Choosing by `hash` would give each process of a run another answer, and each run."""
    assert persona_of("tests/integration/operator/test_running.py::test_a") == "documented"
    assert persona_of("tests/integration/operator/test_running.py::test_d") == "observed"


def test_both_for_all_but_those_that_name_theirs(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA", "both")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makeconftest("from harness.personas import persona, pytest_generate_tests")
    pytester.makepyfile("""
        import pytest
        def test_any(): pass
        @pytest.mark.persona("connect", "why")
        def test_pinned(): pass
    """)
    found = pytester.inline_genitems("-p", "no:cacheprovider")[0]
    assert [item.name for item in found] == ["test_any[documented]", "test_any[observed]", "test_pinned"]


@pytest.mark.parametrize("choice", ["connect", "documented", "observed"])
def test_one_for_all(choice: str) -> None:
    assert {persona_of(name, choice) for name in NAMES} == {choice}


def test_a_choice_that_is_none() -> None:
    with pytest.raises(ValueError, match="PERSONA is documentd: it is one of connect, documented, observed, both"):
        persona_of(NAMES[0], "documentd")
