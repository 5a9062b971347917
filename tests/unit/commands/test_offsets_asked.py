"""From options and files to the offsets that are asked for, to the letter; and offsets as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from lenses_operator.commands.offsets.asked import asked_text, of_file
from lenses_operator.commands.offsets.showing import printed
from lenses_operator.commands.offsets.table import compared, listed
from lenses_operator.domain.offsets_text import entry_texts, steps

SINK = (
    '[{"partition":{"kafka_topic":"orders","kafka_partition":10},"offset":{"kafka_offset":9007199254740993}},'
    '{"partition":{"kafka_partition":2,"kafka_topic":"orders"},"offset":{"kafka_offset":5}}]'
)
SOURCE = (
    '[{"partition": {"server": "shop"}, "offset": {"lsn": 123456789012345678901234567890, "ts": 1.7e12, "n": null}}]'
)


def test_a_sinks() -> None:
    found = asked_text("orders", ("0", "1"), "1000", drop=False)
    assert json.loads(found) == [
        {"partition": {"kafka_topic": "orders", "kafka_partition": number}, "offset": {"kafka_offset": 1000}}
        for number in (0, 1)
    ]
    assert json.loads(asked_text("o", ("3",), None, drop=True))[0]["offset"] is None


def test_a_sources_to_the_letter() -> None:
    found = asked_text(None, ('{"server": "shop"}',), '{"lsn": 1.0, "x": null}', drop=False)
    assert entry_texts(found) == ['{"partition": {"server": "shop"}, "offset": {"lsn": 1.0, "x": null}}']


@pytest.mark.parametrize(
    ("topic", "partitions", "offset", "drop", "words"),
    [
        (None, (), "1", False, "--partition"),
        ("t", ("0",), None, False, "exactly one of --offset and --drop"),
        ("t", ("0",), "1", True, "exactly one of --offset and --drop"),
        ("t", ("x",), "1", False, "--partition: with --topic"),
        ("t", ("0",), "-1", False, "--offset: with --topic"),
        (None, ("0",), "1", False, "--topic beside its number"),
        (None, ('{"a": 1}',), "1", False, "a number needs --topic"),
        ("t", ("0", "0"), "1", False, "the same partition"),
    ],
)
def test_what_cannot_be_asked(
    topic: str | None, partitions: tuple[str, ...], offset: str | None, drop: bool, words: str
) -> None:
    with pytest.raises(click.UsageError) as failure:
        asked_text(topic, partitions, offset, drop=drop)
    assert words in failure.value.message


@pytest.mark.parametrize("text", [SINK, SOURCE, f'{{"offsets": {SOURCE}}}'])
def test_a_file_is_taken_to_the_letter(text: str, tmp_path: Path) -> None:
    file = tmp_path / "offsets.json"
    file.write_text(text)
    assert of_file(file) in text


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"nothing", "--json"),
        (b"[]", "has no entry"),
        (b'[{"partition": {"a": 1}}]', '"offset": null'),
        (b"\xff", "not UTF-8"),
        (None, "No such file"),
    ],
)
def test_a_file_that_holds_no_offsets(raw: bytes | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "offsets.json"
    if raw is not None:
        file.write_bytes(raw)
    with pytest.raises(click.UsageError) as failure:
        of_file(file)
    assert words in failure.value.message
    assert "spec.offsetsJson" not in failure.value.message


@pytest.mark.parametrize("text", [SINK, SOURCE, "[]"])
def test_what_is_shown_as_json_is_the_same_to_the_letter(text: str, tmp_path: Path) -> None:
    assert entry_texts(printed(text)) == entry_texts(text)


def texts(found: Any) -> list[str]:
    return [line.text for line in found]


def test_a_sinks_table() -> None:
    assert texts(listed(SINK, 80)) == [
        "TOPIC   PARTITION            OFFSET",
        "orders          2                 5",
        "orders         10  9007199254740993",
        "2 partitions",
    ]


def test_a_sources_table_has_every_digit() -> None:
    wide, narrow = texts(listed(SOURCE, None)), texts(listed(SOURCE, 60))
    assert wide[1] == '{"server":"shop"}  {"lsn":123456789012345678901234567890,"ts":1.7e12,"n":null}'
    assert "123456789012345678901234567890" in "".join(line.strip() for line in narrow)
    assert max(map(len, narrow)) <= 60
    assert texts(listed("[]", 80)) == ["0 partitions"]


def test_before_and_after() -> None:
    asked = asked_text("orders", ("2", "10", "11"), "5", drop=False)
    found = steps(SINK, asked)
    assert texts(compared(found, 80)) == [
        "TOPIC   PARTITION               NOW  AFTER",
        "orders         10  9007199254740993      5",
        "orders         11                 -      5",
        "2 partitions to change, 1 as asked already",
    ]
    dropped = steps(SINK, None)
    assert [one.after for one in dropped] == [None, None]
    assert not any(one.same for one in dropped)
