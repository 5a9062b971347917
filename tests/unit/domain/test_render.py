"""The spec's config as the exact strings that are sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.render import ConfigInvalid, Rendered, render
from unit.resources.make import CLASS, SENT, resource


def rendered(**spec: Any) -> dict[str, str]:
    return dict(render(resource(**spec).spec).config)


def test_class_and_config_are_all_that_is_sent() -> None:
    assert rendered() == SENT


def test_tasks_max_is_sent_where_it_is_set() -> None:
    assert rendered(tasksMax=3) == SENT | {"tasks.max": "3"}


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_integer_is_sent_in_plain_decimal(value: int) -> None:
    sent = rendered(config={"n": value})["n"]
    assert int(sent) == value
    assert sent.removeprefix("-").isdigit()
    assert sent.isascii()


@given(st.text())
def test_strings_are_sent_to_the_letter(value: str) -> None:
    assert rendered(config={"s": value})["s"] == value


@pytest.mark.parametrize(("value", "sent"), [(True, "true"), (False, "false"), ("True", "True"), (0, "0"), (1, "1")])
def test_booleans_are_words_and_no_numbers(value: object, sent: str) -> None:
    assert rendered(config={"b": value})["b"] == sent


def test_a_key_without_a_value_is_not_sent() -> None:
    assert rendered(config={"empty": None, "blank": ""}) == {"connector.class": CLASS, "blank": ""}


@pytest.mark.parametrize(
    ("key", "owner"),
    [("name", "metadata.name or spec.name"), ("connector.class", "spec.class"), ("tasks.max", "spec.tasksMax")],
)
@pytest.mark.parametrize("value", ["x", 1, None])
def test_a_reserved_key_is_refused_by_name_with_the_field_to_use(key: str, owner: str, value: object) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        rendered(config={key: value})
    assert repr(key) in str(refusal.value)
    assert owner in str(refusal.value)


@pytest.mark.parametrize("key", ["name.format", "names", "tasks.max.lag", "connector.class.loader", "Name", "tasks"])
def test_a_key_that_only_begins_with_a_reserved_word_is_fine(key: str) -> None:
    assert rendered(config={key: "x"})[key] == "x"


@pytest.mark.parametrize("value", [1.5, 1.0, 2**63, -(2**63) - 1, [], {}, ["a"], {"a": 1}])
def test_what_no_configuration_can_hold_is_refused_by_key_without_its_value(value: object) -> None:
    with pytest.raises(ConfigInvalid, match=r"'planted\.key'") as refusal:
        rendered(config={"planted.key": value})
    assert str(value) not in str(refusal.value) or value in ([], {})


def test_the_hash_is_of_keys_and_values_and_not_of_their_order() -> None:
    one = Rendered({"a": "1", "b": "2"}).hash
    assert one == Rendered({"b": "2", "a": "1"}).hash
    others = [
        {"a": "2", "b": "1"},
        {"a": "1"},
        {"a": "1", "b": "2", "c": ""},
        {"a": "12", "b": ""},
        {"a1": "", "b": "2"},
    ]
    assert len({one, *(Rendered(other).hash for other in others)}) == 6


def test_no_value_shows_in_a_repr() -> None:
    assert "planted" not in repr(Rendered({"key": "planted"}))
