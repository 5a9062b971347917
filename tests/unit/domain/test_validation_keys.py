"""What stands in the place of a key in a validation error: a name, or words that quote a value."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from lenses_operator.domain.redaction import HIDDEN, Redactor
from lenses_operator.domain.validation import NO_KEY, WITHHELD, is_name, resolves, validation_message


@pytest.mark.parametrize("form", [str, html.escape, json.dumps, quote, lambda text: text.replace("&", "\\u0026")])
def test_what_stands_for_a_key_may_quote_a_value(form: Callable[[str], str]) -> None:
    """As Connect does where `&` cuts a JDBC URL (seen)."""
    secret = "pw&()^%{}\\x "
    said = {form(f"jdbc:x?password={secret}"): ["is unknown"], "topics": ["is missing"]}
    message = validation_message(said, {"a"}, Redactor([secret]))
    assert f"password={HIDDEN}" in message.replace("%3D", "=")
    assert "is unknown" in message
    assert "topics: is missing" in message
    assert not any(piece in message for piece in ("pw", "()", "^"))
    assert [key for key in said if is_name(key, Redactor([secret]))] == ["topics"]


def test_a_key_that_is_the_value_itself_is_cut_out_and_one_of_the_configuration_stays() -> None:
    redact = Redactor(["topics", "hunter2"])
    message = validation_message({"hunter2": ["is unknown"], "topics": ["too long"]}, {"topics"}, redact)
    assert f"{HIDDEN}: is unknown" in message
    assert f"topics: {WITHHELD}" in message


@pytest.mark.parametrize("private", [{"url"}, {"url", "jdbc:x?password=resolved"}])
def test_what_is_no_key_is_withheld_where_a_worker_resolves_values_that_nobody_here_knows(private: set[str]) -> None:
    """Also where it reads like the name of a secret's key."""
    said = {"jdbc:x?password=resolved": ["resolved is unknown"], "topics": ["is missing"]}
    message = validation_message(said, private, str, resolved=resolves({"url": "jdbc:x?password=${env:P}"}))
    assert "resolved is" not in message
    assert "=resolved" not in message
    assert f"{NO_KEY}: {WITHHELD}" in message
    assert "topics: is missing" in message
    assert "or what the reference stands for" in message
