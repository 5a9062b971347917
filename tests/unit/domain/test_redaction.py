"""What is cut out of a server's words, and that no value and no word keeps the operator busy over it."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lenses_operator.controllers.redaction import Confidential
from lenses_operator.domain import secret_parts, sensitive
from lenses_operator.domain.policy import Rule
from lenses_operator.domain.redaction import HIDDEN, LIMIT, TOO_MUCH, Budget, Redactor, passwords_in_urls
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.unescaping import layers
from lenses_operator.domain.value_masking import ValueMasker
from lenses_operator.lenses import answers
from lenses_operator.lenses.wording import means_not_stopped
from lenses_operator.lenses_state.sessions import Session

TEXT = st.text(alphabet="ab1 ://@=\"'.,;-\n", max_size=40)


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("hunter2", "login with hunter2 refused", f"login with {HIDDEN} refused"),
        ("jdbc://app:s3cret@db", "s3cret is wrong", f"{HIDDEN} is wrong"),
        ("user=u;password=s3cret", "not s3cret", f"not {HIDDEN}"),
        ("1", "1 of 10", f"{HIDDEN} of 10"),
        ("redacted", "it is redacted", f"it is {HIDDEN}"),
        ("line one long\nline two long", "at line two long:", f"at {HIDDEN}:"),
        ('a"b/c', r"\"a\\\"b\/c\"", rf"\"{HIDDEN}\""),
        ('a"bcd', r"{\"k\": \"a\\\"bcd\"}", rf"{{\"k\": \"{HIDDEN}\"}}"),
    ],
)
def test_values_their_parts_and_forms(value: str, text: str, shown: str) -> None:
    assert Redactor([value])(text) == shown


def test_a_whole_value_goes_before_its_parts() -> None:
    value = "jdbc://app:s3cret@db"
    assert Redactor([value])(f"cannot open {value}!") == f"cannot open {HIDDEN}!"


@given(TEXT)
def test_parts_are_those_of_the_plain_patterns(text: str) -> None:
    """The patterns that run in linear time find what their readable forms find."""
    plain = re.compile(r"//[^/@\s:]*:([^@\s]+)@")
    assert [text[start:end] for start, end in passwords_in_urls(text)] == plain.findall(text)
    pair = re.compile(r"""[\w.-]+\s*[=:]\s*("[^"]*"|'[^']*'|[^\s;&,"']+)""")
    assert [found[1] for found in secret_parts._PAIR.findall(text)] == pair.findall(text)


@given(st.text(alphabet="ab*.", max_size=8), st.text(alphabet="ab.", max_size=8))
def test_globs_match_as_the_plain_pattern_does(glob: str, text: str) -> None:
    plain = ".*".join(map(re.escape, glob.split("*")))
    assert Rule(connectors=(glob,)).allows("n", "e", "c", text) == bool(re.fullmatch(plain, text))


@given(
    st.lists(st.text(alphabet="ab1.", min_size=1, max_size=3), min_size=1, max_size=4),
    st.text(alphabet="ab1. \n", max_size=30),
)
@example(["1", "."], "1.")
def test_short_values_go_where_they_stand_alone(values: list[str], text: str) -> None:
    """As the plain pattern has it where none overlaps another; and none is left in any case."""
    redactor = Redactor(values)
    words = [word for word in redactor._words if len(word) < 4]
    longer = [word for word in redactor._words if len(word) >= 4]
    shown = redactor(text)
    plain = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words))
    assert not plain.search(shown.replace(HIDDEN, "x"))  # beside a value that was cut out nothing stood alone
    if all(word.isalnum() for word in words) and not any(word in text for word in longer):
        assert shown == plain.sub(HIDDEN, text)


def test_more_values_than_can_be_looked_for_withhold_everything() -> None:
    redactor = Redactor(["x" * (LIMIT // 2), "y" * (LIMIT // 2 + 1)])
    assert redactor.overfull
    assert redactor("anything") == TOO_MUCH
    assert redactor("") == ""


def test_a_text_too_long_for_so_many_values_is_withheld() -> None:
    values = [f"value-{number:05}" for number in range(5000)]
    assert Redactor(values)("x" * 1_000_000) == TOO_MUCH
    assert Redactor(values)("value-00042 " * 100_000, Budget(10**12)) == f"{HIDDEN} " * 100_000
    assert Redactor(values)("value-00042 " * 10) == f"{HIDDEN} " * 10


SESSION = cast("Session", SimpleNamespace(secrets=frozenset()))


def test_rotated_values_are_not_kept_without_end() -> None:
    confidential = Confidential()
    for number in range(10):
        given = Rendered({}, given=frozenset({f"{number}" * (LIMIT // 4)}))
        redactor = confidential.redactor(given, SESSION)
    assert redactor("anything") == TOO_MUCH
    assert not confidential._values


BIG = 400_000
PUMPED = [
    "a" * BIG + "\n=",
    "//a:" * (BIG // 4),
    "//" * (BIG // 2),
    "password" * (BIG // 8),
    "passw." * (BIG // 6) + "\n:",
    "a=" * (BIG // 2),
    'a="' * (BIG // 3),
    "a " * (BIG // 2) + "=",
    " " * BIG + "=",
    "<" * BIG,
    "<title>" * (BIG // 7),
    "<title " * (BIG // 7),
    "-----BEGIN " * (BIG // 11),
    "task " * (BIG // 5),
    "password =" * (BIG // 10),
    "${" * (BIG // 2),
    "%25" * (BIG // 3),
    "&#38;" * (BIG // 5),
    "\\\\" * (BIG // 2),
    "basic " * (BIG // 6),
    "a@" * (BIG // 2),
    "[" * BIG,
    '{"a":' * (BIG // 5),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", PUMPED, ids=lambda text: text[:12].strip())
def test_no_pattern_is_quadratic(text: str) -> None:
    """Each takes well under a second; a pattern that looks again from each letter would take minutes, and time out."""
    secret_parts.parts(text)
    list(layers(text))
    ValueMasker((), str).text(text)
    sensitive.is_sensitive("key", text)
    means_not_stopped(text)
    answers.from_answer("get_connector", 404, text.encode())


@pytest.mark.timeout(60)
def test_no_glob_is_exponential() -> None:
    assert not Rule(connectors=("*a" * 30 + "*b",)).allows("n", "e", "c", "a" * 249)
