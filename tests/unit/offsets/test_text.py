"""What counts as the same on the way back, and what is cut out of a text, to the letter."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.offsets_text import added_partitions, differences, entry_texts, steps, unknown_before
from lenses_operator.lenses.models import parse_offsets
from unit.offsets.generated import ENTRIES, entry


class TestReadBack:
    @given(ENTRIES)
    def test_what_was_asked_for_is_as_asked(self, entries: list[dict[str, Any]]) -> None:
        text = json.dumps(entries)
        assert differences(text, text) == []
        assert differences(text, json.dumps(entries[::-1], indent=2)) == []

    @given(ENTRIES)
    def test_strings_of_numbers_are_the_numbers(self, entries: list[dict[str, Any]]) -> None:
        assert differences(json.dumps(_texts(entries)), json.dumps(entries)) == []

    @given(ENTRIES, st.data())
    def test_every_other_position_is_told(self, entries: list[dict[str, Any]], data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(entries) - 1))
        moved = [dict(found) for found in entries]
        moved[at] = {**moved[at], "offset": {**moved[at]["offset"], "moved": 1}}
        [row] = differences(json.dumps(entries), json.dumps(moved))
        assert "instead of" in row

    def test_a_partition_that_is_not_there(self) -> None:
        [row] = differences(entry('{"a": 1}', '{"o": 1}'), "[]")
        assert row == '{"a": 1} is at no offset instead of {"o": 1}'

    def test_dropped_and_gone(self) -> None:
        asked = entry('{"a": 1}', "null")
        assert differences(asked, "[]") == []
        assert differences(asked, asked) == []
        assert len(differences(asked, entry('{"a": 1}', '{"o": 1}'))) == 1

    def test_reset(self) -> None:
        assert differences(None, "[]") == []
        assert differences(None, entry('{"a": 1}', "null")) == []
        assert differences(None, entry('{"a": 1}', '{"o": 1}')) == ["1 partitions still have an offset"]

    @pytest.mark.parametrize("number", ["1e999999999", "-1e-999999999", "9" * 4000])
    def test_numbers_of_any_size_cost_nothing(self, number: str) -> None:
        asked = entry('{"a": 1}', f'{{"o": {number}}}')
        assert differences(asked, asked) == []
        assert len(differences(asked, entry('{"a": 1}', '{"o": 7}'))) == 1


def _texts(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case int():
            return str(value)
        case list():
            return [_texts(item) for item in value]
        case dict():
            return {key: _texts(item) for key, item in value.items()}
        case _:
            return value


class TestSteps:
    @given(ENTRIES, ENTRIES)
    def test_each_partition_asked_for_once(self, now: list[Any], asked: list[Any]) -> None:
        found = steps(json.dumps(now), json.dumps(asked))
        assert [json.loads(one.partition) for one in found] == [one["partition"] for one in asked]
        assert [one.same for one in steps(json.dumps(now), json.dumps(now))] == [True] * len(now)

    def test_texts_are_to_the_letter(self) -> None:
        [found] = steps(entry('{"a": 1}', '{"x": 1.0}'), entry('{"a": "1"}', '{"x": 1e3}'))
        assert (found.partition, found.before, found.after, found.same) == (
            '{"a": "1"}',
            '{"x": 1.0}',
            '{"x": 1e3}',
            False,
        )

    def test_what_is_forgotten(self) -> None:
        now = entry('{"a": 1}', '{"x": 1}')
        assert [(one.before, one.after) for one in steps(now, None)] == [('{"x": 1}', None)]
        [found] = steps(now, entry('{"a": 2}', "null"))
        assert (found.before, found.after, found.same) == (None, None, True)


class TestEntries:
    @given(ENTRIES, st.integers(0, 3))
    def test_cut_out_to_the_letter(self, entries: list[dict[str, Any]], indent: int) -> None:
        text = json.dumps(entries, indent=indent)
        found = entry_texts(text)
        assert [json.loads(one) for one in found] == entries
        assert all(one in text for one in found)

    def test_of_none(self) -> None:
        assert entry_texts(" [ ] ") == []

    def test_numbers_keep_their_notation(self) -> None:
        assert entry_texts('[ {"offset": 1.0e1}, 2 ]') == ['{"offset": 1.0e1}', "2"]

    def test_partitions_that_had_no_offset(self) -> None:
        asked = '[{"partition": {"a": 1.0}, "offset": {}}, {"partition": {"a": 2}, "offset": {}}]'
        assert unknown_before(asked, entry('{"a": "2"}', "{}")) == ['{"partition":{"a": 1.0},"offset":null}']
        assert unknown_before(entry('{"a": 3}', "null"), "[]") == []


def test_decimals_never_become_floats() -> None:
    [found] = parse_offsets(entry('{"a": 1}', '{"o": 0.1}'))
    assert found.offset == {"o": Decimal("0.1")}


def test_a_sinks_partitions_are_its_topics() -> None:
    sink = '[{"partition": {"kafka_topic": "t", "kafka_partition": 3}, "offset": {"kafka_offset": 1}}]'
    source = '[{"partition": {"server": "x"}, "offset": {"lsn": 1}}, {"partition": {"server": "y"}, "offset": null}]'
    assert added_partitions(sink, "[]") == []
    assert added_partitions(source, "[]") == ['{"server": "x"}']
    assert added_partitions(source, source) == []
    assert added_partitions(None, "[]") == added_partitions(source, None) == []
