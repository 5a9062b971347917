"""The text that goes out, what counts as the same on the way back, and what is kept for going back."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenses_operator.domain.offsets_before import (
    BEFORE_COMPRESSED,
    BEFORE_PLAIN,
    OBJECT_BYTES,
    Before,
    before_of,
    text_of,
)
from lenses_operator.domain.offsets_status import seen_exactly
from lenses_operator.domain.offsets_text import (
    SHOWN_BYTES,
    SHOWN_ENTRIES,
    OffsetsInvalid,
    differences,
    entry_texts,
    gone_on,
    request_text,
    shown,
    steps,
    unknown_before,
)
from lenses_operator.lenses.models import parse_offsets
from lenses_operator.lenses.wording import means_not_stopped
from unit.offsets.make import spec

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTITIONS = st.dictionaries(
    st.text(min_size=1, max_size=8), st.integers() | st.text(max_size=8), min_size=1, max_size=3
)
OFFSETS = st.dictionaries(st.text(max_size=8), VALUES, max_size=4)
ENTRIES = st.lists(
    st.fixed_dictionaries({"partition": PARTITIONS, "offset": OFFSETS}),
    min_size=1,
    max_size=5,
    unique_by=lambda found: _name_of(found),
)
NUMBERS = ("1.0", "1e3", "1E+3", "-0.0", "0.1", "18446744073709551616", "1.7412e12", "123456789012345678901234567890.5")


def _name_of(found: Any) -> str:
    """Zero and its string are one partition."""
    return json.dumps({key: str(value) for key, value in found["partition"].items()}, sort_keys=True)


def entry(partition: str, offset: str) -> str:
    return f'[{{"partition": {partition}, "offset": {offset}}}]'


class TestRequest:
    @given(ENTRIES)
    def test_entries_arrive_as_they_were_written(self, entries: list[dict[str, Any]]) -> None:
        text = request_text(spec(offsets=entries))
        assert text is not None
        assert json.loads(text) == entries

    @given(ENTRIES, st.sampled_from([None, 1, "\t"]))
    def test_json_text_is_sent_to_the_letter(self, entries: list[dict[str, Any]], indent: int | str | None) -> None:
        text = json.dumps(entries, indent=indent)
        assert request_text(spec(offsetsJson=text)) == text
        assert request_text(spec(offsetsJson=f"\n{text}\n")) == text
        assert request_text(spec(offsetsJson=f'{{"offsets" : {text} , "x": 1}}')) == text

    @pytest.mark.parametrize("number", NUMBERS)
    def test_numbers_of_json_text_keep_their_notation(self, number: str) -> None:
        text = entry('{"server": "s"}', f'{{"pos": {number}, "transaction_id": null, "deep": [{{"a": {number}}}]}}')
        assert request_text(spec(offsetsJson=text)) == text

    @pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 9007199254740993])
    def test_integers_of_64_bits_are_exact(self, number: int) -> None:
        text = request_text(spec(offsets=[{"partition": {"p": number}, "offset": {"o": number}}]))
        assert text == f'[{{"partition": {{"p": {number}}}, "offset": {{"o": {number}}}}}]'

    def test_drop_is_an_explicit_null(self) -> None:
        text = request_text(spec(offsets=[{"partition": {"p": 1}, "drop": True}]))
        assert text == '[{"partition": {"p": 1}, "offset": null}]'

    def test_reset_and_observe_send_nothing(self) -> None:
        assert request_text(spec(action="Reset")) is None
        assert request_text(spec(action="Observe")) is None

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("nonsense", "not JSON"),
            ("[", "not JSON"),
            ('[{"partition": {"a": NaN}, "offset": {}}]', "not JSON"),
            ("[]", "no entry"),
            ('{"offsets": []}', "no entry"),
            ("{}", "no entry"),
            ('{"offsets": 1}', "not a JSON array"),
            ('"text"', "not a JSON array"),
            ("[1]", "offsets[0]"),
            ('[{"offset": {}}]', "offsets[0]"),
            ('[{"partition": {}, "offset": {}}]', "[0].partition"),
            ('[{"partition": [1], "offset": {}}]', "[0].partition"),
            ('[{"partition": {"a": 1}}]', '"offset": null'),
            ('[{"partition": {"a": 1}, "offset": 5}]', "[0].offset must be"),
            ("[" * 100_000, "nested too deeply"),
        ],
    )
    def test_what_cannot_be_sent_is_told(self, text: str, words: str) -> None:
        with pytest.raises(OffsetsInvalid) as caught:
            request_text(spec(offsetsJson=text))
        assert words in str(caught.value)
        assert "spec.offsetsJson" in str(caught.value)

    @pytest.mark.parametrize("field", ["partition", "offset"])
    @pytest.mark.parametrize("depth", [100, 300, 600, 900, 5000])
    def test_deep_values_are_sent_or_told(self, field: str, depth: int) -> None:
        """What is sent can be compared when it is read back, by every Python; else the connector would stay stopped."""
        deep = f'{{"x": {"[" * depth}{"]" * depth}}}'
        parts = {"partition": '{"a": 1}', "offset": "{}"} | {field: deep}
        told = ""
        try:
            text = request_text(spec(offsetsJson=entry(parts["partition"], parts["offset"])))
            assert text is not None
            assert differences(text, text) == []
            assert not gone_on(text, text, text)
        except OffsetsInvalid as error:
            told = str(error)
        assert ("nested too deeply" in told) is (depth > 100)

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ('{"a": 0}', '{"a": 0}'),
            ('{"a": 0}', '{"a": "0"}'),
            ('{"a": 1.0}', '{"a": 1}'),
            ('{"a": 1e2}', '{"a": "100"}'),
            ('{"a": 1, "b": "x"}', '{"b": "x", "a": "1"}'),
            ('{"a": 1, "b": null}', '{"a": 1}'),
            ('{"a": 18446744073709551616}', '{"a": "18446744073709551616"}'),
        ],
    )
    def test_the_same_partition_twice(self, first: str, second: str) -> None:
        text = f'[{{"partition": {first}, "offset": {{}}}}, {{"partition": {second}, "offset": null}}]'
        with pytest.raises(OffsetsInvalid, match=r"\[1\] names the same partition as spec.offsetsJson\[0\]"):
            request_text(spec(offsetsJson=text))

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ('{"a": "007"}', '{"a": "7"}'),
            ('{"a": "1_0"}', '{"a": "10"}'),
            ('{"a": "1.0"}', '{"a": "1"}'),
            ('{"a": " 1"}', '{"a": "1"}'),
            ('{"a": "1e3"}', '{"a": "1000"}'),
            ('{"a": true}', '{"a": "true"}'),
            ('{"a": true}', '{"a": 1}'),
            ('{"a": "\\u0661"}', '{"a": "1"}'),
            ('{"a": 12345678901234567890123456789012345}', '{"a": 12345678901234567890123456789012346}'),
            ('{"a": 0.1000000000000000000000000000000000001}', '{"a": 0.1}'),
            ('{"a": 1e999999999}', '{"a": 1e999999998}'),
        ],
    )
    def test_partitions_that_only_look_alike(self, first: str, second: str) -> None:
        text = f'[{{"partition": {first}, "offset": {{}}}}, {{"partition": {second}, "offset": {{}}}}]'
        assert request_text(spec(offsetsJson=text)) == text


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


class TestShown:
    def test_at_most_so_many_entries(self) -> None:
        text = json.dumps([{"partition": {"p": number}, "offset": {"o": number}} for number in range(20_000)])
        found = shown(text)
        assert (found.partitions, len(found.offsets), found.truncated) == (20_000, SHOWN_ENTRIES, True)
        assert found.offsets[7] == {"partition": {"p": 7}, "offset": {"o": 7}}

    def test_at_most_so_many_bytes(self) -> None:
        text = json.dumps([{"partition": {"p": number}, "offset": {"o": "é" * 2000}} for number in range(400)])
        found = shown(text)
        assert found.partitions == 400
        assert found.truncated
        assert 0.9 * SHOWN_BYTES < len(json.dumps(found.offsets)) <= SHOWN_BYTES * 1.01

    def test_no_more_than_there_is_room_for(self) -> None:
        text = json.dumps([{"partition": {"p": number}, "offset": {}} for number in range(10)])
        assert (shown(text, 100).truncated, shown(text, -5).offsets) == (True, ())
        assert shown(text, 10_000).truncated is False

    def test_what_kubernetes_cannot_hold_is_text(self) -> None:
        text = entry('{"p": 18446744073709551616}', '{"a": 1.0, "b": null, "c": 9223372036854775807, "d": "\\ud800"}')
        [found] = shown(text).offsets
        assert found["partition"] == {"p": "18446744073709551616"}
        assert found["offset"] == {"a": "1.0", "b": None, "c": 2**63 - 1, "d": "?"}

    @given(ENTRIES)
    def test_always_json_that_reads_back_the_same(self, entries: list[dict[str, Any]]) -> None:
        found = shown(json.dumps(entries))
        assert json.loads(json.dumps(found.offsets)) == list(found.offsets)
        assert found.partitions == len(entries)

    def test_the_text_beside_what_is_shown(self) -> None:
        """Whole or not at all, and both within the room there is."""
        text = json.dumps([{"partition": {"p": number}, "offset": {"o": number}} for number in range(20_000)])
        for room in (OBJECT_BYTES, 300_000, 120_000, 10_000, 0):
            found = seen_exactly(text, room)
            kept = [found["offsets_json"], found["offsets_json_compressed"]]
            assert found["partitions"] == 20_000
            assert sum(len(one or "") for one in kept) + len(
                json.dumps(found["offsets"], separators=(",", ":"))
            ) <= max(room, 2)
            assert text_of(*kept) in (text, None)
        assert seen_exactly("[]", OBJECT_BYTES)["offsets_json"] == "[]"


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


class TestBefore:
    @given(ENTRIES, st.integers(0, 3))
    def test_comes_back_to_the_letter(self, entries: list[dict[str, Any]], indent: int) -> None:
        text = json.dumps(entries, indent=indent, ensure_ascii=False)
        kept = before_of(text)
        assert kept == Before(plain=text)
        assert text_of(kept.plain, kept.compressed) == text

    @settings(max_examples=5, deadline=None)
    @given(st.integers(BEFORE_PLAIN - 2, BEFORE_PLAIN + 2))
    def test_plain_up_to_the_bound_and_compressed_beyond(self, size: int) -> None:
        text = "[" + " " * (size - 2) + "]"
        kept = before_of(text)
        assert (kept.plain is None) == (size > BEFORE_PLAIN)
        assert text_of(kept.plain, kept.compressed) == text

    def test_bytes_count_and_not_characters(self) -> None:
        assert before_of('["' + "é" * (BEFORE_PLAIN // 2) + '"]').plain is None

    def test_what_cannot_be_kept_is_refused(self) -> None:
        noise = random.Random(1).randbytes(BEFORE_COMPRESSED).hex()
        with pytest.raises(OffsetsInvalid, match="no way back"):
            before_of(entry('{"p": 1}', f'{{"o": "{noise}"}}'))

    def test_a_big_request_leaves_less_room(self) -> None:
        noise = random.Random(1).randbytes(100_000).hex()
        text = entry('{"p": 1}', f'{{"o": "{noise}"}}')
        assert before_of(text, room=300_000).plain == text
        assert before_of(text, room=200_000).compressed is not None
        with pytest.raises(OffsetsInvalid, match="no way back"):
            before_of(text, room=50_000)


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


@pytest.mark.parametrize(
    "words",
    [
        "Failed to alter consumer group offsets for connector x either because its tasks haven't stopped completely",
        "Connectors must be in the STOPPED state before their offsets can be modified.",
        "get rid of the zombie sink tasks",
        "Failed to perform zombie fencing for source connector prior to modifying offsets",
        "the connector was not stopped",
    ],
)
def test_words_for_not_stopped_yet(words: str) -> None:
    assert means_not_stopped(words)


@pytest.mark.parametrize(
    "words",
    [
        "Partition objects should contain the key 'filename'",
        "Requested offset is negative",
        "This server does not host this topic-partition.",
        "Source partition {} has an invalid value 0 for the 'partition' key, which must be an integer",
    ],
)
def test_words_for_a_refusal(words: str) -> None:
    assert not means_not_stopped(words)


def test_decimals_never_become_floats() -> None:
    [found] = parse_offsets(entry('{"a": 1}', '{"o": 0.1}'))
    assert found.offset == {"o": Decimal("0.1")}
