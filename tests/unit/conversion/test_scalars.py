"""YAML text comes back as the very string that was written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lenses_operator.conversion.scalars import config_entry, entry, text
from lenses_operator.conversion.yaml_source import as_text, documents
from unit.conversion.traps import TRAPS

WORDS = st.text(st.sampled_from("ab \n\t:#'\"\\-{}[],&*!|>%@`~1.é\x85\u2028")) | st.text()


def parsed(lines: list[str]) -> object:
    return yaml.safe_load("root:\n" + "\n".join(lines) + "\n  next: 1\n")


@settings(deadline=None)
@given(WORDS)
def test_one_line(value: str) -> None:
    written = text(value)
    assert "\n" not in written
    assert yaml.safe_load(f"a: {written}\n") == {"a": value}


@settings(deadline=None)
@given(
    st.text(min_size=1) | st.sampled_from(TRAPS[1:]), WORDS | st.sampled_from(TRAPS) | st.text("ab  \n", min_size=100)
)
@example("a", "select a, b from c where d = 'x: \"y\" # no comment'\n")
def test_an_entry(key: str, value: str) -> None:
    assert parsed(entry(key, value, 2)) == {"root": {key: value, "next": 1}} or key == "next"


@settings(deadline=None)
@given(WORDS | st.sampled_from(TRAPS) | st.integers().map(str))
def test_our_own_reader_agrees(value: str) -> None:
    (found,) = documents("root:\n" + "\n".join(config_entry("a", value, 2)) + "\n")
    assert as_text(found["root"]["a"]) == value


@pytest.mark.parametrize("value", TRAPS)
def test_traps(value: str) -> None:
    assert parsed(entry("a", value, 2)) == {"root": {"a": value, "next": 1}}
    assert parsed(config_entry("a", value, 2)) == {"root": {"a": value, "next": 1}}


@settings(deadline=None)
@given(st.integers() | st.booleans())
def test_numbers_and_booleans_are_unquoted_only_where_they_come_back(value: int) -> None:
    word = str(value).lower()
    found = parsed(config_entry("a", word, 2))
    assert isinstance(found, dict)
    back = found["root"]["a"]
    assert str(back).lower() == word if not isinstance(back, str) else back == word
    assert isinstance(back, str) or isinstance(value, bool) or abs(value) < 2**53


@pytest.mark.parametrize("value", ["true", "false", "0", "-1", "100", "999999999999999"])
def test_these_are_unquoted(value: str) -> None:
    assert config_entry("a", value, 0) == [f"a: {value}"]


@pytest.mark.parametrize(
    "value", ["orders", "io.lenses.S3Sink", "/data/x", "a,b,c", "prim->sec.Mirror", "host:9092,other:9092"]
)
def test_these_are_plain(value: str) -> None:
    assert text(value) == value


def test_a_query_is_a_block() -> None:
    lines = entry("query", "SELECT a\nFROM b\n", 2)
    assert lines == ["  query: |", "    SELECT a", "    FROM b"]


def test_a_long_statement_is_folded() -> None:
    value = "insert into lake select * from orders PARTITIONBY _key.customer, _value.country STOREAS `PARQUET` " * 2
    lines = entry("kcql", value.strip(), 2)
    assert lines[0] == "  kcql: >-"
    assert len(lines) > 2
    assert max(map(len, lines)) <= 104
