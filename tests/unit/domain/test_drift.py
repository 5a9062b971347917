"""Wanted against seen, where Lenses masks, hides, resolves, rewrites and adds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.drift import (
    Baseline,
    Difference,
    baseline_of,
    changed_keys,
    compare,
    is_masked,
    unreadable_keys,
)

WANTED = {"a": "1", "b": "2", "ref": "${vault:s:k}"}
CONFIGS = st.dictionaries(st.sampled_from("abcdefg"), st.sampled_from(["1", "2", "****", "[hidden]", "${x:y}", ""]))


def seen(without: tuple[str, ...] = (), **changes: str) -> dict[str, str]:
    return {key: value for key, value in (WANTED | changes).items() if key not in without}


@pytest.mark.parametrize(
    ("shown", "baseline", "hidden", "expected"),
    [
        pytest.param(seen(), Baseline(), (), Difference(), id="the same"),
        pytest.param(seen(name="orders"), Baseline(), (), Difference(), id="Connect's own name is no drift"),
        pytest.param(seen(b="3"), Baseline(), (), Difference(changed=("b",)), id="changed"),
        pytest.param(seen(("a",)), Baseline(), (), Difference(missing=("a",)), id="missing"),
        pytest.param(seen(c="x"), Baseline(), (), Difference(extra=("c",)), id="added by hand"),
        pytest.param(seen(c="x"), Baseline(added=frozenset("c")), (), Difference(), id="added by the server"),
        pytest.param(seen(b="****"), Baseline(), (), Difference(), id="masked"),
        pytest.param(seen(b="[hidden]"), None, (), Difference(), id="masked by a word"),
        pytest.param(seen(("b",)), Baseline(), ("b",), Difference(), id="hidden"),
        pytest.param(seen(b="2.0E0"), Baseline(frozenset("b")), (), Difference(), id="another notation of ours"),
        pytest.param(
            seen(a="9", b="x"), Baseline(frozenset("b")), (), Difference(changed=("a",)), id="beside notation"
        ),
        pytest.param(seen(ref="s3cret"), None, (), Difference(), id="resolved, and no baseline to tell"),
        pytest.param(seen(ref="x"), Baseline(), (), Difference(changed=("ref",)), id="reference changed by hand"),
        pytest.param(seen(("ref",)), None, (), Difference(missing=("ref",)), id="reference gone"),
        pytest.param(
            seen(("a",), b="3", z="1", c="1"),
            Baseline(),
            (),
            Difference(("b",), ("a",), ("c", "z")),
            id="all at once, sorted",
        ),
    ],
)
def test_what_is_to_be_repaired(
    shown: dict[str, str], baseline: Baseline | None, hidden: tuple[str, ...], expected: Difference
) -> None:
    assert compare(WANTED, shown, baseline, hidden) == expected


@given(CONFIGS, CONFIGS, st.sets(st.sampled_from("abcdefg")))
def test_what_lenses_shows_right_after_our_own_write_is_never_drift(
    wanted: dict[str, str], shown: dict[str, str], hidden: set[str]
) -> None:
    assert not compare(wanted, shown, baseline_of(wanted, shown, hidden), hidden)


@given(CONFIGS, CONFIGS)
def test_a_baseline_hides_no_key_that_showed_as_written(wanted: dict[str, str], shown: dict[str, str]) -> None:
    baseline = baseline_of(wanted, shown)
    plain = {key for key in wanted if shown.get(key) == wanted[key]}
    assert not plain & baseline.not_compared
    for key in plain:
        assert compare(wanted, shown | {key: "by hand"}, baseline) == Difference(changed=(key,))


def test_names_of_keys_but_no_values_are_told() -> None:
    difference = compare({"a": "planted", "b": "planted"}, {"a": "planted2", "c": "planted3"}, Baseline())
    assert difference.describe() == "changed a; missing b; unwanted c"
    assert Difference().describe() == ""
    assert "planted" not in repr(difference)


@pytest.mark.parametrize("value", ["***", "*" * 30, "[hidden]", "[REDACTED]", "<hidden>"])
def test_masks(value: str) -> None:
    assert is_masked(value)


@pytest.mark.parametrize("value", ["", "*", "**", "hidden", "***a", ".*", "[hidden]s", "* * *"])
def test_values_that_are_no_masks(value: str) -> None:
    assert not is_masked(value)


def test_unreadable_are_wanted_keys_that_are_hidden_masked_or_may_be_resolved() -> None:
    shown = {"a": "****", "b": "2", "ref": "s3cret", "extra": "****"}
    assert unreadable_keys(WANTED | {"h": "x"}, shown, None, ("h", "not-wanted")) == ["a", "h", "ref"]
    assert unreadable_keys(WANTED, WANTED, None) == []
    assert unreadable_keys({"stars": "***"}, {"stars": "***"}, None) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"a": "1", "b": "2", "name": "n"}, {"a": "2", "c": "3"}, "changed a, c; removed b"),
        ({"a": "1"}, {"a": "1"}, ""),
        ({"a": "1", "b": "1"}, {"a": "1"}, "removed b"),
        (None, {"a": "1"}, ""),
    ],
)
def test_an_update_is_told_by_its_keys(before: dict[str, str] | None, after: dict[str, str], said: str) -> None:
    assert changed_keys(before, after) == said
