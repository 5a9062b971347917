"""The text that goes out: to the letter, or refused with words that tell why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.offsets_text import OffsetsInvalid, differences, gone_on, request_text
from lenses_operator.lenses.wording import means_not_stopped
from unit.offsets.generated import ENTRIES, entry
from unit.offsets.make import spec

NUMBERS = ("1.0", "1e3", "1E+3", "-0.0", "0.1", "18446744073709551616", "1.7412e12", "123456789012345678901234567890.5")


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
