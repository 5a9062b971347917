"""Objects as the CRDs describe them, and such with something wrong in them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from hypothesis import strategies as st

from harness.paths import CRDS

PLANTED = "planted-value"
"""In every value that a resource may hold a secret in: no message may repeat it."""
Path = tuple[str | int, ...]


def schema(plural: str) -> dict[str, Any]:
    found = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())
    return dict(found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"])


SCALARS = st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.text(max_size=30).map(lambda text: text + PLANTED)
OPEN = st.recursive(
    SCALARS | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


def fitting(node: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What the schema takes, as far as it tells by itself: CEL rules are not known here."""
    if "enum" in node:
        return st.sampled_from(node["enum"])
    match node.get("type"):
        case "object" if "properties" in node:
            required = {name: fitting(node["properties"][name]) for name in node.get("required", ())}
            rest = {name: fitting(one) for name, one in node["properties"].items() if name not in required}
            return st.fixed_dictionaries(required, optional=rest)
        case "object" if "additionalProperties" in node:
            return st.dictionaries(st.text(min_size=1, max_size=20), SCALARS, max_size=4)
        case "object":
            return st.dictionaries(st.text(max_size=10), OPEN, max_size=3)
        case "array":
            return st.lists(fitting(node["items"]), max_size=min(3, node.get("maxItems", 3)))
        case "string":
            return _text(node)
        case "integer":
            return st.integers(node.get("minimum", -(2**31)), 2**31 - 1)
        case "boolean":
            return st.booleans()
    return SCALARS


def _text(node: Mapping[str, Any]) -> st.SearchStrategy[str]:
    if node.get("format") == "date-time":
        return st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat() + "Z")
    if "pattern" in node:
        if node["pattern"] == r"^\S+$":  # for which a general search takes long
            return st.text("aZ.$é\U0010ffff", min_size=1, max_size=20)
        return st.from_regex(node["pattern"], fullmatch=True).filter(lambda text: len(text) <= node["maxLength"])
    return st.text(min_size=node.get("minLength", 0), max_size=min(node.get("maxLength", 20), 20))


WRONG: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        2**63,
        10**400,
        1.5,
        -0.0,
        1e308,
        "",
        PLANTED,
        f"\x00\x1b[31m{PLANTED}\n",
        "\ufeff\u202e",
    ),
    *(PLANTED * 20_000, "é\U0010ffff" * 50, [], {}, [None], [[]], {"": {}}, {PLANTED: PLANTED}, [PLANTED] * 2000),
    *(
        {f"{number}": PLANTED for number in range(2000)},
        [{"key": PLANTED}] * 100,
        [[[[[[[[[[[]]]]]]]]]]],
        "NaN",
        "1e5",
        "yes",
    ),
)


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*at, key))


def _holds(value: Any, key: str | int) -> bool:
    return key in value if isinstance(value, dict) else isinstance(value, list)


@st.composite
def spoilt(draw: st.DrawFn, good: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """One of the good ones with one to three values replaced, taken out, put into a list, or under another name."""
    found: Any = copy.deepcopy(draw(good))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(
            st.sampled_from([path for path in places(found) if path and path[0] != "metadata"] or [("spec",)])
        )
        inside: Any = found
        for step in way:
            inside = inside[step]
        if not _holds(inside, last):
            continue
        match draw(st.sampled_from(["put", "put", "put", "take", "wrap", "rename"])):
            case "put":
                inside[last] = copy.deepcopy(draw(st.sampled_from(WRONG)))
            case "take":
                del inside[last]
            case "wrap":
                inside[last] = [inside[last]]
            case _ if isinstance(last, str):
                inside[draw(st.sampled_from(["schema_mismatch", "class_name", "Name", "", "status"]))] = inside.pop(
                    last
                )
    return dict(found)
