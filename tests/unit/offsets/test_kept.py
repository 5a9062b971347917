"""What status keeps of offsets: what is shown, the whole text beside it, and the way back."""

from __future__ import annotations

import json
import random
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
from lenses_operator.domain.offsets_text import SHOWN_BYTES, SHOWN_ENTRIES, OffsetsInvalid, shown
from unit.offsets.generated import ENTRIES, entry


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
