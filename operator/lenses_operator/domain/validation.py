"""What Connect said against a configuration, as a message for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from lenses_operator.resources.conditions import shorten

LISTED = 20
"""Keys that are told of; a person mends them a few at a time."""
WITHHELD = "refused; the words are withheld because the value is a secret or a reference that the worker resolves"
NO_KEY = "(a key that is none, and may quote a value)"
SHOWN = 200
"""Characters of what stands for a key."""
KEY = re.compile(r"[\w.$-]{1,200}")
"""What a configuration's key looks like. Connect also puts words, or the value itself, in its place (seen)."""


def validation_message(
    errors: Mapping[str, Sequence[str]],
    private: Collection[str],
    redact: Callable[[str], str],
    *,
    resolved: bool = False,
) -> str:
    """One line for each key. `private`: keys whose value comes from a Secret or is resolved by the worker; `resolved`:
    there are such as the worker resolves, to values that nobody here knows."""
    lines = []
    for key, words in sorted(errors.items())[:LISTED]:
        unknown = resolved and not KEY.fullmatch(key)
        said = WITHHELD if key in private or unknown else "; ".join(_one_line(redact(word)) for word in words[:LISTED])
        # The name of a key that the configuration has is no secret; what else stands for one may quote a value.
        shown = NO_KEY if unknown else key if key in private else shorten(_one_line(redact(key)), SHOWN)
        lines.append(f"{shown}: {said}")
    if len(errors) > LISTED:
        lines.append(f"and {len(errors) - LISTED} more")
    return (
        f"Connect refuses the configuration ({len(errors)} {'key' if len(errors) == 1 else 'keys'}): "
        + " | ".join(lines)
        + ". Nothing was changed. Correct spec.config."
    )


def is_name(key: str, redact: Callable[[str], str]) -> bool:
    """Whether what an error stands under is the name of a key, and quotes nothing."""
    return KEY.fullmatch(key) is not None and redact(key) == key


def resolves(wanted: Mapping[str, str]) -> bool:
    """Whether the worker puts something else in the place of any value."""
    return any("${" in value for value in wanted.values())


def withhold(words: str, wanted: Mapping[str, str]) -> str:
    """The server's words about a whole configuration, unless any value holds `${`: whose do they quote?"""
    if words and resolves(wanted):
        return "the words are withheld because some values are references that the worker resolves"
    return words


def refusal_message(operation: str, words: str) -> str:
    """For a refusal that is not told key by key."""
    return f"Connect refuses the configuration at {operation}: {words.rstrip('.')}. Correct spec.config."


def _one_line(words: str) -> str:
    return " ".join(words.split()).rstrip(".")
