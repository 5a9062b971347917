"""What goes over the wire, byte for byte where it matters, and what is never sent."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from harness.wanted import always
from lenses_operator.lenses.client import Shown
from lenses_operator.lenses.errors import BadRequest, LensesError, MissingAgentCapability, UnusableAnswer
from lenses_operator.lenses.tokens import StaticToken
from lenses_operator.lenses.transport import QUICK, SLOW, Call, LensesTransport
from lenses_operator.lenses.wire import Outgoing, Timeout
from unit.lenses.fakes import AGENT, PAGE, Script, answer, rig
from unit.lenses.operations import ITEM, OFFSETS, OPERATIONS, PREFIX, REQUEST

BODY = {"name": "orders", "cluster": "prod", "configuration": {"password": "hunter2", "umlaut": "ä"}}
SLOW_ONES = {"create_connector", "validate"}
WITHOUT_RESULT = {"create_connector", "delete_connector", "set_state", "restart_task", "put_resource"}


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_method_path_and_headers(operation: str) -> None:
    use, method, path, good = OPERATIONS[operation]
    lenses = rig(answer(200, good))
    await use(lenses.client)
    sent = lenses.last
    assert (sent.method, sent.url.raw_path.decode()) == (method, path)
    assert sent.headers["Authorization"] == "Bearer planted-token"
    assert sent.headers["User-Agent"].startswith("lenses-operator/")
    if method in {"POST", "PUT", "PATCH"} and operation != "put_resource":
        assert sent.headers["Content-Type"] == "application/json"
    assert lenses.seen == [(operation, "env", 200, 0.0)]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_timeouts_outlast_connects_own(operation: str) -> None:
    use, _, _, good = OPERATIONS[operation]
    lenses = rig(answer(200, good))
    await use(lenses.client)
    expected = SLOW if operation in SLOW_ONES else QUICK
    assert lenses.last.extensions["timeout"] == expected
    assert (Timeout(connect=5, read=95), Timeout(connect=5, read=30)) == (SLOW, QUICK)


@pytest.mark.parametrize(
    ("operation", "body"),
    [(operation, body) for operation in OPERATIONS for body in (PAGE, "OK", "{") if operation != "put_resource"]
    + [("put_resource", PAGE)],  # any other 2xx is success there
)
async def test_a_login_page_with_200_is_no_success(operation: str, body: str) -> None:
    use = OPERATIONS[operation][0]
    with pytest.raises(UnusableAnswer) as caught:
        await use(rig(answer(200, body)).client)
    assert caught.value.status == 200
    assert caught.value.operation == operation
    assert caught.value.__context__ is None


@pytest.mark.parametrize("operation", sorted(WITHOUT_RESULT))
@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_an_answer_that_says_nothing_may_be_empty(operation: str, status: int) -> None:
    await OPERATIONS[operation][0](rig(answer(status, "")).client)


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - WITHOUT_RESULT))
@pytest.mark.parametrize(
    "body", ['{"data": 3, "tasks": 3, "configuration": 3, "offsets": 3}', '"text"', "[3]", "", "null"]
)
async def test_an_answer_that_does_not_fit(operation: str, body: str) -> None:
    with pytest.raises(UnusableAnswer):
        await OPERATIONS[operation][0](rig(answer(200, body)).client)


async def test_an_unfit_answer_is_told_by_place_not_by_value() -> None:
    body = {"data": [ITEM, ITEM | {"name": "second", "tasks": [{"id": "hunter2"}]}]}
    with pytest.raises(UnusableAnswer) as caught:
        await rig(answer(200, body)).client.list_connectors("env")
    assert str(caught.value) == (
        "list connectors: not an answer of the Lenses API (status 200): data.1.tasks.0.id: int_parsing"
    )
    assert "hunter2" not in caught.value.detail


async def test_create_and_validate_send_the_same_body() -> None:
    lenses = rig(answer(200, {"class": "X"}))
    await lenses.client.create_connector("env", REQUEST, precondition=always)
    await lenses.client.validate("env", REQUEST)
    assert [json.loads(sent.content) for sent in lenses.script.requests] == [BODY, BODY]


@pytest.mark.parametrize("action", ["pause", "resume", "stop", "restart"])
async def test_a_put_without_body_still_has_a_type_and_a_length(action: Any) -> None:
    lenses = rig()
    await lenses.client.set_state("env", "prod", "orders", action, precondition=always)
    assert lenses.last.content == b""
    assert (lenses.last.headers["Content-Type"], lenses.last.headers["Content-Length"]) == ("application/json", "0")


async def test_offsets_are_sent_to_the_letter() -> None:
    lenses = rig(answer(200, {"message": "The offsets have been altered"}))
    assert (
        await lenses.client.alter_offsets("env", "prod", "orders", OFFSETS, precondition=always)
        == "The offsets have been altered"
    )
    assert lenses.last.content == b'{"offsets":%s}' % OFFSETS.encode()


@pytest.mark.parametrize("text", ["", "{}", "[3]", "[{}]", '[]}, "x": {}', '[{"partition": NaN}]'])
async def test_offsets_that_are_none_are_not_sent(text: str) -> None:
    lenses = rig()
    with pytest.raises(BadRequest, match="alter offsets: not sent: ") as caught:
        await lenses.client.alter_offsets("env", "prod", "orders", text, precondition=always)
    assert (lenses.script.calls, caught.value.status, caught.value.maybe_done) == (0, 400, False)


async def test_environments_are_listed_without_naming_one() -> None:
    listed = {"items": [{"name": "prod", "display_name": "Production", "status": {"agent_connected": False}}, {}]}
    lenses = rig(answer(200, listed))
    first, second = await lenses.client.list_environments()
    assert (lenses.last.method, lenses.last.url.raw_path) == ("GET", b"/api/v1/environments")
    assert (first.name, first.display_name, second.name) == ("prod", "Production", "")
    assert first.status is not None
    assert first.status.agent_connected is False


@pytest.mark.parametrize("body", [{}, {"items": 3}, {"data": []}, [], "text", PAGE])
async def test_an_odd_list_of_environments_is_none(body: Any) -> None:
    with pytest.raises(UnusableAnswer):
        await rig(answer(200, body)).client.list_environments()


@pytest.mark.parametrize("status", [404, 405, 415, 501])
async def test_what_a_lenses_may_lack(status: int) -> None:
    for use in (lambda c: c.list_environments(), OPERATIONS["get_resource"][0], OPERATIONS["put_resource"][0]):
        with pytest.raises(MissingAgentCapability):
            await use(rig(answer(status, PAGE)).client)


async def test_a_resource_is_asked_for_as_yaml() -> None:
    document = "apiVersion: lenses.io/v0beta\nkind: KafkaConnector\nspec: {name: größe}\n"
    lenses = rig(answer(200, document))
    assert await lenses.client.get_resource("env", "prod", "a->b") == document
    assert lenses.last.headers["Accept"] == "application/yaml"
    assert lenses.last.url.raw_path.endswith(b"/connector/a-%3Eb")


async def test_a_resource_goes_as_yaml_and_accepts_anything() -> None:
    lenses = rig(answer(201, "apiVersion: x"))
    await lenses.client.put_resource("env", "kind: KafkaConnector\n", precondition=always)
    assert lenses.last.content == b"kind: KafkaConnector\n"
    assert (lenses.last.headers["Content-Type"], lenses.last.headers["Accept"]) == ("application/yaml", "*/*")


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("a->b", "a-%3Eb"),
        ("two words", "two%20words"),
        ("50%", "50%25"),
        ("a%3Eb", "a%253Eb"),
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("日本", "%E6%97%A5%E6%9C%AC"),
        ("a+b&c=d", "a%2Bb%26c%3Dd"),
        ("...", "..."),
        ("a..b", "a..b"),
        ("~x_y.z-1", "~x_y.z-1"),
        ("[x]{y}|\\^`", "%5Bx%5D%7By%7D%7C%5C%5E%60"),
    ],
)
async def test_names_are_encoded_exactly_once(name: str, encoded: str) -> None:
    lenses = rig(answer(200, ITEM))
    await lenses.client.get_connector(name, name, name)
    path = f"/api/v1/environments/{encoded}/proxy/api/kafka-connect/clusters/{encoded}/connectors/{encoded}"
    assert lenses.last.url.raw_path.decode() == path


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_names_that_would_address_something_else_are_not_sent(name: str) -> None:
    """`DELETE …/connectors/..` would be a request about the cluster."""
    lenses = rig()
    for use in (
        lambda: lenses.client.delete_connector("env", "prod", name, precondition=always),
        lambda: lenses.client.get_cluster_info("env", name),
        lambda: lenses.client.list_connectors(name),
    ):
        with pytest.raises(BadRequest, match="not sent"):
            await use()
    assert lenses.script.calls == 0


async def test_queries_repeat_and_are_encoded() -> None:
    lenses = rig(answer(200, {"data": []}))
    await lenses.client.list_connectors("env", clusters=["a b", "c&d"], class_names=["io.X", "a->b"])
    await lenses.client.list_plugins("env", cluster="größe")
    first, second = (sent.url.raw_path.decode().partition("?")[2] for sent in lenses.script.requests)
    assert first == "cluster=a%20b&cluster=c%26d&className=io.X&className=a-%3Eb"
    assert second == "cluster=gr%C3%B6%C3%9Fe"


@pytest.mark.parametrize("base", ["https://lenses.test/hq", "https://lenses.test/hq/", " https://lenses.test/hq//\n"])
async def test_a_base_url_may_have_a_path(base: str) -> None:
    lenses = rig(base_url=base)
    await lenses.client.list_plugins("env")
    assert lenses.last.url.raw_path.decode() == f"/hq{PREFIX}/plugins"


@pytest.mark.parametrize(
    "base",
    [
        "",
        "lenses.test",
        "ftp://lenses.test",
        "https://",
        "https://user:hunter2@lenses.test",
        "https://lenses.test?token=hunter2",
        "https://lenses.test#x",
        "https://lenses.test:port",
    ],
)
def test_a_base_url_that_is_none(base: str) -> None:
    with pytest.raises(ValueError, match="the Lenses URL") as caught:
        LensesTransport(base)
    assert "hunter2" not in str(caught.value)


async def test_cookies_are_never_kept() -> None:
    """A session cookie would outrank the token of the next tenant."""
    lenses = rig(answer(200, {}, Set_Cookie="session_id=stolen; Path=/"))
    await lenses.client.list_plugins("env")
    await lenses.client.with_tokens(StaticToken("other")).list_plugins("env")
    assert "Cookie" not in lenses.last.headers
    assert lenses.last.headers["Authorization"] == "Bearer other"


async def test_redirects_are_not_followed() -> None:
    lenses = rig(answer(302, "", Location="https://login.test/"))
    with pytest.raises(UnusableAnswer, match="redirected"):
        await lenses.client.list_plugins("env")
    assert lenses.script.calls == 1


async def test_one_debug_line_per_request_without_bodies(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "lenses_operator")
    lenses = rig(answer(200, {"class": "X"}), answer(400, AGENT | {"error": "bad hunter2"}))
    await lenses.client.validate("env", REQUEST)
    with pytest.raises(BadRequest):
        await lenses.client.create_connector("env", REQUEST, precondition=always)
    ours = [record for record in caplog.records if record.name.startswith("lenses_operator")]
    assert [line.getMessage() for line in ours] == ["validate env 200 0 ms", "create_connector env 400 0 ms"]
    fields = [(line.__dict__["operation"], line.__dict__["environment"]) for line in ours]
    assert fields == [("validate", "env"), ("create_connector", "env")]
    for planted in ("hunter2", "planted-token"):
        assert planted not in caplog.text


async def test_a_request_bears_the_id_of_the_work_it_belongs_to() -> None:
    ids = iter(["1a2b3c4d", ""])
    lenses = rig(request_id=lambda: next(ids))
    await lenses.client.list_plugins("env")
    assert lenses.last.headers["X-Request-ID"] == "1a2b3c4d"
    await lenses.client.list_plugins("env")
    assert "X-Request-ID" not in lenses.last.headers


async def test_closing() -> None:
    class Closing(Script):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    wire = Closing([])
    await LensesTransport("https://lenses.test", wire=wire).aclose()
    assert wire.closed


async def test_a_poll_gives_what_is_known_while_the_answer_is_the_same_to_the_byte() -> None:
    other = {"data": [{**ITEM, "state": "PAUSED"}]}
    lenses = rig(answer(200, {"data": [ITEM]}), answer(200, {"data": [ITEM]}), answer(200, other))
    first = await lenses.client.poll_connectors("env")
    assert [item.name for item in first.connectors] == ["orders"]
    assert await lenses.client.poll_connectors("env", first) is first
    changed = await lenses.client.poll_connectors("env", first)
    assert [item.state for item in changed.connectors] == ["PAUSED"]


async def test_a_poll_is_a_single_try() -> None:
    lenses = rig(answer(503, PAGE), answer(200, {"data": []}))
    with pytest.raises(LensesError):
        await lenses.client.poll_connectors("env")
    assert lenses.script.calls == 1


async def test_a_connectors_details_are_read_once_while_the_answer_is_the_same_to_the_byte() -> None:
    other = {**ITEM, "config": {"topic": "b"}}
    lenses = rig(answer(200, ITEM), answer(200, ITEM), answer(200, other))
    first = await lenses.client.poll_connector("env", "connect", "orders")
    assert first.details is not None
    assert await lenses.client.poll_connector("env", "connect", "orders", first.digest) == Shown(None, first.digest)
    changed = await lenses.client.poll_connector("env", "connect", "orders", first.digest)
    assert changed.details is not None
    assert changed.details.config == {"topic": "b"}


@pytest.mark.parametrize("many", [1, 3000], ids=["whole", "in-pieces"])
async def test_of_a_list_only_the_names_are_kept(many: int) -> None:
    items = [ITEM | {"name": f"c{number}"} for number in range(many)]
    lenses = rig(answer(200, {"data": items}))
    assert await lenses.client.name_connectors("env") == [(ITEM["cluster"], one["name"]) for one in items]
    assert lenses.seen == [("list_connectors", "env", 200, 0.0)]


@pytest.mark.parametrize("many", [1, 3000], ids=["whole", "in-pieces"])
async def test_an_item_that_does_not_fit_is_refused_though_its_names_do(many: int) -> None:
    items: list[Any] = [ITEM | {"name": f"c{number}"} for number in range(many)]
    items[-1] = items[-1] | {"tasks": 7}
    lenses = rig(answer(200, {"data": items}))
    with pytest.raises(UnusableAnswer, match=rf"data\.{many - 1}\.tasks"):
        await lenses.client.name_connectors("env")


def test_what_is_to_be_sent_shows_neither_the_token_nor_the_body() -> None:
    call = Call("validate", "POST", "env", ("a",), content=b"hunter2")
    headers = {"Authorization": "Bearer planted-token"}
    outgoing = Outgoing(
        "POST", "https://lenses.test/a", headers, b"hunter2", QUICK, before_head=lambda: None, before_body=lambda: None
    )
    for planted in ("hunter2", "planted-token"):
        assert planted not in repr(call) + repr(outgoing)
