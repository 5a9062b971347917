"""JSON with something wrong in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

DEEP = "[" * 3000
NASTY_JSON = (
    *(
        "null",
        "true",
        "{}",
        "[]",
        '""',
        '"x"',
        "0",
        "-1",
        "1.5",
        "NaN",
        "-Infinity",
        "1e400",
        "-0.0",
        "9" * 30,
        "9" * 5000,
        "1" + "0" * 400,
    ),
    *(
        "1e99999999999999999999",
        "1e-99999999999999999999",
        '"\\ud800"',
        '"\\u0000"',
        '"DESTROYED"',
        '"é\U0010ffff"',
        '"' + "x" * 20_000 + '"',
    ),
    *(
        "[[[[[]]]]]",
        "[" * 300 + "]" * 300,
        "[" * 900 + "]" * 900,
        DEEP,
        '{"a":' * 900 + "1" + "}" * 900,
        "[null]",
        "[{}]",
        "[[]]",
        '{"": {}}',
    ),
)
NASTY_BYTES = (*NASTY_JSON, "\ufeff", "<html>", ",", ":", "{", "}", "[", "]", '"', "\\", "\0", "//", "}{", "data: ")


def holes(value: Any) -> Iterator[str]:
    """The JSON text with, in turn, each value at any depth replaced by `%`."""
    yield "%"
    if isinstance(value, dict):
        for key, inner in value.items():
            rest = "".join(f", {json.dumps(other)}: {json.dumps(value[other])}" for other in value if other != key)
            yield from (f"{{{json.dumps(key)}: {hole}{rest}}}" for hole in holes(inner))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            around = [json.dumps(one) for one in value]
            yield from ("[" + ", ".join([*around[:index], hole, *around[index + 1 :]]) + "]" for hole in holes(inner))
