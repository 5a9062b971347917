"""What Connect said against a configuration, as a message for people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

LISTED = 20
"""Keys that are told of; a person fixes them a few at a time."""
WITHHELD = "refused; the words are withheld because the value is a secret or a reference that the worker resolves"


def validation_message(
    errors: Mapping[str, Sequence[str]], private: Collection[str], redact: Callable[[str], str]
) -> str:
    """One line for each key. `private`: keys whose value comes from a Secret or is resolved by the worker."""
    lines = []
    for key, words in sorted(errors.items())[:LISTED]:
        said = WITHHELD if key in private else "; ".join(_one_line(redact(word)) for word in words[:LISTED])
        lines.append(f"{key}: {said}")
    if len(errors) > LISTED:
        lines.append(f"and {len(errors) - LISTED} more")
    return (
        f"Connect refuses the configuration ({len(errors)} {'key' if len(errors) == 1 else 'keys'}): "
        + " | ".join(lines)
        + ". Nothing was changed. Correct spec.config."
    )


def withhold(words: str, wanted: Mapping[str, str]) -> str:
    """The server's words about a whole configuration, unless any value holds `${`: whose do they quote?"""
    if words and any("${" in value for value in wanted.values()):
        return "the words are withheld because some values are references that the worker resolves"
    return words


def refusal_message(operation: str, words: str) -> str:
    """For a refusal that is not told key by key."""
    return f"Connect refuses the configuration at {operation}: {words.rstrip('.')}. Correct spec.config."


def _one_line(words: str) -> str:
    return " ".join(words.split()).rstrip(".")
