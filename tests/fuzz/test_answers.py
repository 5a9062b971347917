"""Whatever Lenses answers: the client gives what it promises, or raises LensesError, in the time of the length."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.garbage import NASTY_BYTES, NASTY_JSON, holes
from fuzz.support import examples, mangled
from harness.waiting import in_linear_time
from harness.wanted import always
from lenses_operator.lenses.answers import from_answer
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import LensesError, UnusableAnswer
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorListItem,
    ConnectorRequest,
    EnvironmentInfo,
    OffsetsText,
    Plugin,
    ValidationResult,
    parse_offsets,
)
from unit.lenses.fakes import AGENT, PAGE, problem, rig
from unit.lenses.served import served

REQUEST = ConnectorRequest(name="orders", cluster="eu", configuration={"a": "1"})
WHERE = ("prod", "eu", "orders")
TASKS = [{"id": 0, "state": "RUNNING", "workerId": "w:1"}, {"id": "1", "state": "FAILED", "trace": "Oh: no\n\tat X"}]
ITEM = {"name": "orders", "cluster": "eu", "state": "RUNNING", "lrn": "l", "type": "sink", "tasks": TASKS}
DETAILS = ITEM | {
    "config": {"a": "1", "n": 5, "b": True},
    "version": "1",
    "workerId": "w:1",
    "__errors": [{"field": "a"}],
}
PLUGIN = {"class": "X", "cluster": "eu", "name": "x", "type": "sink", "version": "1"}
FIELD = {"name": "a", "errors": ["bad"], "value": 5}
OFFSET = {"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": 1000, "f": 1.5}}

Ask = Callable[[LensesClient], Awaitable[object]]
OPERATIONS: dict[str, tuple[Ask, Any, type | None]] = {
    "list_connectors": (lambda client: client.list_connectors("prod"), {"data": [ITEM, ITEM]}, ConnectorListItem),
    "get_connector": (lambda client: client.get_connector(*WHERE), DETAILS, ConnectorDetails),
    "list_plugins": (lambda client: client.list_plugins("prod"), {"data": [PLUGIN]}, Plugin),
    "validate": (
        lambda client: client.validate("prod", REQUEST),
        {"class": "X", "configuration": [FIELD]},
        ValidationResult,
    ),
    "get_topics": (lambda client: client.get_topics(*WHERE), ["a", "b"], str),
    "get_cluster_info": (
        lambda client: client.get_cluster_info("prod", "eu"),
        {"name": "eu", "version": "1"},
        ClusterInfo,
    ),
    "get_offsets": (lambda client: client.get_offsets(*WHERE), {"offsets": [OFFSET]}, OffsetsText),
    "alter_offsets": (lambda client: client.alter_offsets(*WHERE, "[]", precondition=always), {"message": "done"}, str),
    "reset_offsets": (lambda client: client.reset_offsets(*WHERE, precondition=always), {"message": "done"}, str),
    "get_environment": (lambda client: client.get_environment("prod"), {"name": "prod", "status": {}}, EnvironmentInfo),
    "list_environments": (
        lambda client: client.list_environments(),
        {"items": [{"name": "prod", "display_name": "Production", "status": {"agent_connected": True}}]},
        EnvironmentInfo,
    ),
    "create_connector": (lambda client: client.create_connector("prod", REQUEST, precondition=always), {}, None),
    "delete_connector": (lambda client: client.delete_connector(*WHERE, precondition=always), {}, None),
    "set_state": (lambda client: client.set_state(*WHERE, "pause", precondition=always), {}, None),
    "restart_task": (lambda client: client.restart_task(*WHERE, 0, precondition=always), {}, None),
    "put_resource": (lambda client: client.put_resource("prod", "a: b", precondition=always), {}, None),
}
"""What asks, a right answer, and what comes of it: one or a list."""
STATUSES = (
    200,
    201,
    202,
    204,
    206,
    301,
    302,
    304,
    400,
    401,
    402,
    403,
    404,
    405,
    408,
    409,
    415,
    418,
    422,
    429,
    500,
    501,
    502,
    503,
    504,
    599,
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Content-Type": "text/html; charset=nope"},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "deflate"},
    {"Content-Encoding": "nope"},
    {"Content-Encoding": "gzip, gzip"},
    {"Retry-After": "9" * 4000},
    {"Retry-After": "Wed, 21 Oct 99999 07:28:00 GMT"},
    {"Retry-After": "nan"},
    {"Location": "http://["},
    {"Set-Cookie": "a=b; expires=never"},
)


def wrong(answer: Any) -> st.SearchStrategy[bytes]:
    """Of the right shape but for one value, or cut and mangled anywhere, or another party's."""
    shapes = list(holes(answer))
    one = st.tuples(st.sampled_from(shapes), st.sampled_from(NASTY_JSON)).map(
        lambda pair: pair[0].replace("%", pair[1], 1).encode()
    )
    others = [json.dumps(AGENT), json.dumps(problem("agent_not_connected", 503)), PAGE, "", " ", "OK", "null"]
    return one | one | mangled([json.dumps(answer), *others], NASTY_BYTES)


def keepable(value: object) -> None:
    """Nothing in it that a status or a log line could not hold."""
    assert json.loads(json.dumps(value, allow_nan=False).encode()) == value


def check(found: object, kind: type | None) -> None:
    """`found` is one of `kind`, or a list of them."""
    for one in found if isinstance(found, list) else [found]:
        assert one is None if kind is None else isinstance(one, kind)
        if isinstance(one, OffsetsText):
            assert len(parse_offsets(one.text)) == one.entries
        elif isinstance(one, ConnectorListItem):
            keepable(
                [
                    one.name,
                    one.cluster,
                    one.state,
                    one.lrn,
                    one.type,
                    [[task.id, task.state, getattr(task, "trace", None)] for task in one.tasks],
                ]
            )
            assert all(0 <= task.id < 2**31 for task in one.tasks)
            keepable(dict(getattr(one, "config", None) or {}))
        elif isinstance(one, ValidationResult):
            keepable({key: list(words) for key, words in one.errors.items()})


@pytest.mark.parametrize("operation", OPERATIONS)
@examples(60)
@given(data=st.data())
async def test_a_result_or_a_lenses_error(operation: str, data: st.DataObject) -> None:
    ask, right, kind = OPERATIONS[operation]
    status = data.draw(st.sampled_from(STATUSES) | st.just(200))
    body, headers = data.draw(wrong(right)), data.draw(st.just({}) | st.sampled_from(HEADERS))
    try:
        async with served(status, headers, body) as client:
            found = await ask(client)
    except LensesError as error:
        told, detail = str(error), error.detail
    else:
        assert 200 <= status < 300
        check(found, kind)
        return
    assert "\n" not in told
    assert len(told) < 1200
    assert len(detail) <= 1000


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_the_right_answer_is_right(operation: str) -> None:
    """Or the test above would show nothing."""
    ask, right, kind = OPERATIONS[operation]
    found = await ask(rig(httpx.Response(200, json=right)).client)
    assert found != []
    check(found, kind)


@pytest.mark.parametrize("place", ["offset", "partition"])
@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1E-99999999999999999999", "9" * 5000])
async def test_numbers_out_of_all_bounds(place: str, number: str) -> None:
    body = json.dumps({"offsets": [OFFSET | {place: {"a": "%"}}]}).replace('"%"', number)
    with pytest.raises(UnusableAnswer):
        await rig(httpx.Response(200, text=body)).client.get_offsets(*WHERE)


SOUPS = {
    "open": b"<" * 1_000_000,
    "title": b"<title" * 170_000,
    "titles": b"<title>" * 150_000,
    "attributes": b"<a b='" * 170_000,
    "closed late": b"<title>" + b"x" * 1_000_000,
    "one of everything": b'{"error": ' * 100_000,
    "blank": b" \n" * 500_000,
    "longer than is kept": b"<i>" * 1_000_000,
}


@pytest.mark.parametrize("soup", SOUPS)
def test_a_page_is_read_in_the_time_of_its_length(soup: str) -> None:
    with in_linear_time():
        error = from_answer("list_connectors", 400, SOUPS[soup])
        assert len(error.explain(str)) < 2000


def test_a_pages_title_is_its_words() -> None:
    page = b"<html><HEAD><Title lang='en'>\n Bad gateway </title></head><body>x</body>"
    assert from_answer("get_topics", 400, page).detail == "Bad gateway"
    assert from_answer("get_topics", 400, b"<p>Not <b>here</b>").detail == "Not here"
