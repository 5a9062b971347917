"""A large answer is taken apart piece by piece: it means what it means in one go, and the loop goes on meanwhile."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.memory import largest_list, many_tasks, most_offsets
from lenses_operator import aside as aside_module
from lenses_operator.aside import AT_ONCE
from lenses_operator.lenses import client as client_module
from lenses_operator.lenses import pieces as pieces_module
from lenses_operator.lenses import reading
from lenses_operator.lenses.errors import LensesError, UnusableAnswer
from lenses_operator.lenses.pieces import LONGEST, TooLong, elements, members
from lenses_operator.lenses.reading import MOST_OBJECTS, MOST_VALUES, Form
from lenses_operator.lenses.transport import Answer, Call
from unit.lenses.fakes import rig
from unit.ticking import ticks_during

CALL = Call("x", "GET", "prod", ("x",))
FORMS: dict[str, Form[Any]] = {
    "list": client_module._CONNECTORS,
    "details": client_module._CONNECTOR,
    "plugins": client_module._PLUGINS,
    "validation": client_module._VALIDATION,
    "topics": client_module._TOPICS,
    "environments": client_module._ENVIRONMENTS,
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
TASK = st.fixed_dictionaries({}, optional={"id": SCALARS, "state": SCALARS, "trace": SCALARS, "workerId": SCALARS})
GOOD_TASK = st.fixed_dictionaries({"id": st.integers(0, 9)}, optional={"state": st.sampled_from(["RUNNING", ""])})
ROW = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"]), "cluster": st.just("eu")},
    optional={
        "tasks": st.lists(TASK | GOOD_TASK, max_size=3) | st.none(),
        "class": SCALARS,
        "errors": st.lists(st.text()),
    },
)
LIST = st.lists(ROW | SCALARS, max_size=4) | st.lists(ROW, max_size=4) | SCALARS | st.lists(GOOD_TASK, max_size=5)
BODY = LIST | st.fixed_dictionaries(
    {"name": st.just("a"), "cluster": st.just("eu")},
    optional={
        "data": LIST,
        "tasks": LIST,
        "configuration": LIST,
        "items": LIST,
        "class": st.text(),
        "config": st.dictionaries(st.text(max_size=3), SCALARS, max_size=3) | SCALARS,
        "__errors": st.lists(st.fixed_dictionaries({"field": st.text()}), max_size=2),
    },
)


def outcome(form: Form[Any], body: bytes) -> object:
    try:
        return reading.parse(CALL, Answer(200, body), form)
    except LensesError as error:
        return str(error)


def in_pieces(form: Form[Any], body: bytes) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "AT_ONCE", -1)
        patch.setattr(reading, "PIECE", 20)
        return outcome(form, body)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@given(body=BODY, indent=st.none() | st.just(1))
def test_pieces_mean_what_the_whole_means(form: Form[Any], body: Any, indent: int | None) -> None:
    raw = json.dumps(body, indent=indent).encode()
    pieces, whole = in_pieces(form, raw), outcome(form, raw)
    assert pieces == whole or (isinstance(whole, str) and isinstance(pieces, str)), "both refuse it, or neither"


@pytest.mark.parametrize(
    "body",
    [
        '{"data": [], "data": [{"name": "a", "cluster": "eu"}]}',
        '{"data": [{"name": "a", "cluster": "eu"}], "data": null}',
        '{"data": [{"name": "a", "cluster": "eu"},]}',
        '{"data": [{"name": "a", "cluster": "eu"}} ]',
        '{"data": [{"name": "a" "cluster": "eu"}]}',
        '{"data": [], "x": NaN}',
        '{"data": []} x',
        '{"data": [',
        '{"data"',
        '{"data": [],}',
        "{,}",
        "",
        " \n",
        "[" * 5000,
        '{"data": ' + "[" * 100_000,
        '{"data": [{"name": "\\ud800", "cluster": "eu"}]}',
    ],
)
def test_what_is_no_json_is_none_in_pieces(body: str) -> None:
    whole, pieces = (found(FORMS["list"], body.encode()) for found in (outcome, in_pieces))
    assert pieces == whole or (isinstance(whole, str) and isinstance(pieces, str))


def test_what_is_no_utf8_is_no_answer() -> None:
    assert in_pieces(FORMS["list"], b'{"data": ["\xff"]}') == outcome(FORMS["list"], b'{"data": ["\xff"]}')


JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@given(st.dictionaries(st.text(), JSON, max_size=4), st.lists(JSON, max_size=4), st.none() | st.just(1))
def test_members_and_elements_are_those_of_the_whole(one: dict[str, Any], many: list[Any], indent: int | None) -> None:
    text = json.dumps(one, indent=indent)
    assert {key: json.loads(text[begin:end]) for key, begin, end in members(text)} == one
    text = json.dumps(many, indent=indent)
    found = list(elements(text))
    assert [value for value, _, _ in found] == many
    assert [json.loads(text[begin:end]) for _, begin, end in found] == many


LARGE = {
    "offsets": (lambda client: client.get_offsets("prod", "eu", "a"), most_offsets),
    "list": (lambda client: client.list_connectors("prod"), largest_list),
    "polled list": (lambda client: client.poll_connectors("prod"), largest_list),
    "details": (lambda client: client.get_connector("prod", "eu", "a"), many_tasks),
    "polled details": (lambda client: client.poll_connector("prod", "eu", "a"), many_tasks),
}


@pytest.mark.parametrize(("ask", "body"), LARGE.values(), ids=LARGE)
async def test_the_loop_goes_on_while_a_large_answer_is_read(
    ask: Any, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = b"".join(body())
    assert len(whole) > AT_ONCE
    begun = []
    aside = aside_module.aside

    async def watched(size: int, *call: Any) -> Any:
        begun.append(size)
        found, ticks = await ticks_during(aside(size, *call))
        assert ticks > 10, "the loop was held"
        return found

    monkeypatch.setattr(reading, "aside", watched)
    monkeypatch.setattr(client_module, "aside", watched)
    assert await ask(rig(httpx.Response(200, content=whole)).client)
    assert max(begun) == len(whole)


REFUSED = {
    "objects": b'{"offsets": [' + b",".join([b'{"partition": {"a": 1}}'] * (MOST_OBJECTS // 2)) + b"]}",
    "values": b'{"offsets": [{"partition": {"a": [' + b"1," * (MOST_VALUES + 1) + b"1]}}]}",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
async def test_offsets_of_more_than_there_is_memory_for(body: bytes) -> None:
    with pytest.raises(UnusableAnswer, match=r"the answer of \d\.\d MiB holds more than \d+ (objects|values)"):
        await rig(httpx.Response(200, content=body)).client.get_offsets("prod", "eu", "a")


async def test_a_list_of_bare_words_without_end() -> None:
    body = b"[" + b",".join([b'"t"'] * (MOST_VALUES + 2)) + b"]"
    with pytest.raises(UnusableAnswer, match="holds more than 1000000 values"):
        await rig(httpx.Response(200, content=body)).client.get_topics("prod", "eu", "a")


LONG = {
    "a trace": (client_module._CONNECTOR, b'{"name": "a", "cluster": "b", "tasks": [{"id": 1, "trace": "%s"}]}'),
    "what is not read": (client_module._CONNECTOR, b'{"name": "a", "cluster": "b", "x": "%s"}'),
    "many that are not read": (
        client_module._CONNECTOR,
        b'{"name": "a", "cluster": "b", "x": ["%s", "%s"]}' % (b"x" * (LONGEST // 2), b"%s"),
    ),
    "a message": (client_module._MESSAGE, b'{"message": "%s"}'),
    "the answer to a command": (client_module._NOTHING, b'"%s"'),
}


@pytest.mark.parametrize(("form", "body"), LONG.values(), ids=LONG)
@pytest.mark.parametrize("fits", [True, False])
def test_one_value_has_an_end(form: Form[Any], body: bytes, fits: bool) -> None:
    whole = body.replace(b"%s", b"x" * (LONGEST // 2 - 200 if fits else LONGEST))
    found = outcome(form, whole)
    assert (isinstance(found, str) and "MiB" in found) is not fits or found == "x" * (LONGEST // 2 - 200)


@pytest.mark.parametrize("longest", [45, 60, 200])
@given(st.lists(ROW, max_size=6), st.none() | st.just(1))
def test_values_across_the_edge_of_what_is_decoded_at_once(longest: int, rows: list[Any], indent: int | None) -> None:
    """A value is whole or refused, never cut in two."""
    text = json.dumps([1234567, *rows, 1234567], indent=indent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces_module, "LONGEST", longest)
        try:
            found = [value for value, _, _ in elements(text)]
        except TooLong:
            assert max(len(json.dumps(row, indent=1)) + 10 for row in rows) > longest
        else:
            assert found == [1234567, *rows, 1234567]


async def test_an_error_longer_than_any_is_not_read_as_one() -> None:
    body = b'{"error": "' + b"x" * (3 * 1024 * 1024) + b'", "fields": []}'
    with pytest.raises(LensesError) as caught:
        await rig(httpx.Response(500, content=body)).client.get_topics("prod", "eu", "a")
    assert len(caught.value.words) <= 1024 * 1024
