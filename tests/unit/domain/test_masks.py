"""Masks of any notation hide a value; values do not."""

from __future__ import annotations

import base64
import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.drift import Difference, compare, hides, unreadable_keys
from lenses_operator.domain.masks import is_masked, may_be_masked

MASKS = (
    *(
        "***",
        "*" * 30,
        "•••",
        "●●●●●●●●",
        "········",
        "░░░░░",
        "xxxxx",
        "XXXXXXXX",
        "#####",
        "........",
        "-----",
        "______",
    ),
    *("[hidden]", "[REDACTED]", "<hidden>", "<redacted>", "(hidden)", "{masked}", "**REDACTED**", "[sensitive value]"),
    *(
        "<sensitive>",
        "(sensitive value)",
        "[Value hidden]",
        "__MASKED__",
        "[[hidden]]",
        "<value not shown>",
        "[removed]",
    ),
)
"""Whatever the key."""
OF_PASSWORDS = (
    *("REDACTED", "hidden", "Masked", "secret", "xxx", "###", "[8 characters]", "ab*****yz", "••••1234"),
    *("****1234", "pa…", "abc.....", "•*•*"),
)
VALUES = (
    *(
        "",
        "*",
        "**",
        "***a",
        ".*",
        "[hidden]s",
        "* * *",
        "a,b",
        "---",
        "|||",
        "...",
        "xx",
        "orders",
        "[a-z]+",
        "<html>",
    ),
    *(
        "(a|b)",
        "{}",
        "[]",
        "x" * 3 + "y",
        "${vault:secret/pg:password}",
        "insert into a select * from b",
        "*.*",
        ",,,,,,",
    ),
)


@pytest.mark.parametrize("value", MASKS)
def test_masks(value: str) -> None:
    assert is_masked(value)
    assert may_be_masked(value)


@pytest.mark.parametrize("value", VALUES)
def test_values_that_are_no_masks(value: str) -> None:
    assert not is_masked(value)


@pytest.mark.parametrize("value", OF_PASSWORDS)
def test_masks_of_keys_that_are_known_for_secrets(value: str) -> None:
    assert hides("db.password", value)
    assert not hides("topic", value)


@given(st.integers(5, 40), st.sampled_from("*•●∙·◦■█░▒—＊✱∗xX#_.?"))
def test_one_sign_again_and_again(length: int, sign: str) -> None:
    assert is_masked(sign * length)


@given(st.sampled_from(["hex", "url", "base64", "alphabet"]), st.integers(8, 40))
def test_a_password_made_by_a_machine_is_none(kind: str, length: int) -> None:
    raw = secrets.token_bytes(length)
    made = {
        "hex": raw.hex(),
        "url": secrets.token_urlsafe(length),
        "base64": base64.b64encode(raw).decode(),
        "alphabet": "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length)),
    }
    assert not may_be_masked(made[kind])


@pytest.mark.parametrize("mask", MASKS)
def test_a_masked_value_is_neither_a_difference_nor_readable(mask: str) -> None:
    assert not compare({"db.password": "planted", "a": "planted"}, {"db.password": mask, "a": mask}, None)
    assert unreadable_keys({"db.password": "planted"}, {"db.password": mask}, None) == ["db.password"]


@pytest.mark.parametrize(
    ("shown", "differs"),
    [
        ("${vault:secret/new:pw}", False),
        ("${vault:secret/old:pw}", True),
        ("prefix-${env:A}", True),
        ("resolved", False),
        ("", False),
    ],
)
def test_a_reference_that_is_shown_as_one_is_compared(shown: str, differs: bool) -> None:
    """Where Lenses shows `${…}` nothing has been resolved."""
    found = compare({"a": "${vault:secret/new:pw}"}, {"a": shown}, None)
    assert found == (Difference(changed=("a",)) if differs else Difference())
