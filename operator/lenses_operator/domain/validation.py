"""What Connect said against a configuration, as a message for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from lenses_operator.resources.conditions import shorten

LISTED = 20
"""Keys that are named; a person fixes them a few at a time."""
READ = 4096
"""Characters of an error that are searched."""
PASSING = (
    "A system that it names cannot be reached, which may be temporary: the operator validates it again, with "
    "increasing delays. If this persists, check that system, or correct {what}."
)
SOURCES = "the Secrets and references that its values come from"
"""As the cause of what is said under a key of another name, or under none: Debezium says that a password is wrong of
`database.hostname`."""
_UNREACHABLE = re.compile(
    r"connection (attempt |to \S+ )?(was )?(refused|failed|reset|timed ?out)|connect timed out"
    r"|timed? ?out (while|waiting)|unknown ?host|no route to host|network is unreachable"
    r"|name or service not known|temporary failure in name"
    r"|communications link failure|could not (connect|be reached)|unable to connect|not accepting connections"
    r"|the database system is (starting up|shutting down)|too many connections|no brokers? available",
    re.IGNORECASE,
)
WITHHELD = "refused; the error text is withheld because the value is a secret or a reference that the worker resolves"
NO_KEY = "(a key that is none, and may quote a value)"
SHOWN = 200
"""Characters of what stands for a key."""
KEY = re.compile(r"[\w.$-]{1,200}")
"""What a configuration's key looks like. Connect also puts words, or the value itself, in its place (seen)."""


def may_pass(errors: Mapping[str, Sequence[str]]) -> bool:
    """Whether each of them is about a system that cannot be reached, which no configuration can help."""
    return bool(errors) and all(_UNREACHABLE.search(word[:READ]) for words in errors.values() for word in words)


def validation_message(
    errors: Mapping[str, Sequence[str]],
    private: Collection[str],
    redact: Callable[[str], str],
    *,
    away: bool = False,
    passing: bool = False,
    resolved: bool = False,
) -> str:
    """One line for each key. `private`: keys whose value comes from a Secret or is resolved by the worker. `away`: the
    connector was deleted to be created with it. `passing`: see `may_pass`. `resolved`: there are values that the worker
    resolves, to such as nobody here knows."""
    unknown = {key for key in errors if resolved and not KEY.fullmatch(key)}
    hidden = unknown | (errors.keys() & set(private))
    others = bool(set(private) - errors.keys())
    lines = []
    for key, words in sorted(errors.items())[:LISTED]:
        said = WITHHELD if key in hidden else "; ".join(_one_line(redact(word)) for word in words[:LISTED])
        # The name of a key that the configuration has is no secret; what else stands for one may quote a value.
        shown = NO_KEY if key in unknown else key if key in private else redact(key)
        lines.append(f"{shorten(_one_line(shown), SHOWN)}: {said}")
    if len(errors) > LISTED:
        lines.append(f"and {len(errors) - LISTED} more")
    return (
        f"Connect refuses the configuration ({len(errors)} {'key' if len(errors) == 1 else 'keys'}): "
        + " | ".join(lines)
        + (". " if away else ". Nothing was changed. ")
        + (_passing(others) if passing else _advice(hidden, errors, others))
    )


def _passing(others: bool) -> str:
    return PASSING.format(what=f"spec.config, or {SOURCES}" if others else "the address in spec.config")


def _advice(private: Collection[str], errors: Mapping[str, Sequence[str]], others: bool) -> str:
    """`private`: of the keys with errors. `others`: there are more of that kind."""
    where = "the Secret that the value comes from, or what the reference stands for"
    if private:
        return f"Correct {where}." if len(private) == len(errors) else f"Correct spec.config, or {where}."
    ways = ["spec.config", *([SOURCES] if others else [])]
    return f"Correct {', or '.join(ways)}" + (", or check the system that it names." if may_pass(errors) else ".")


def is_name(key: str, redact: Callable[[str], str]) -> bool:
    """Whether what an error stands under is the name of a key, and quotes nothing."""
    return KEY.fullmatch(key) is not None and redact(key) == key


def resolves(wanted: Mapping[str, str]) -> bool:
    """Whether the worker puts something else in the place of any value."""
    return any("${" in value for value in wanted.values())


def withhold(words: str, wanted: Mapping[str, str]) -> str:
    """The server's words about a whole configuration, unless any value holds `${`: whose do they quote?"""
    if words and resolves(wanted):
        return "the error text is withheld because some values are references that the worker resolves"
    return words


def refusal_message(operation: str, words: str, private: Collection[str]) -> str:
    """For a refusal that names no keys. `private`: see `validation_message`."""
    advice = _advice((), {"": [words]}, bool(private))
    return f"Connect refuses the configuration at {operation}: {words.rstrip('.')}. {advice}"


def _one_line(words: str) -> str:
    return " ".join(words.split()).rstrip(".")
