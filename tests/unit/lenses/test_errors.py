"""Which error an answer becomes: every status in each of the shapes that errors come in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.answers import from_answer
from lenses_operator.lenses.errors import (
    AgentCallFailed,
    AgentNotConnected,
    BadRequest,
    Conflict,
    ConnectorOrClusterNotFound,
    EnvironmentNotFound,
    Forbidden,
    LensesError,
    LensesUnreachable,
    LicenceRequired,
    MissingAgentCapability,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedStatus,
    UnusableAnswer,
)
from lenses_operator.lenses.models import FieldError
from unit.lenses.fakes import AGENT, PAGE, problem

# status: from the agent, from HQ, a page or anything else
TABLE: dict[int, tuple[type[LensesError], type[LensesError], type[LensesError]]] = {
    301: (UnusableAnswer, UnusableAnswer, UnusableAnswer),
    302: (UnusableAnswer, UnusableAnswer, UnusableAnswer),
    400: (BadRequest, BadRequest, UnusableAnswer),
    401: (Unauthorized, Unauthorized, Unauthorized),
    402: (LicenceRequired, LicenceRequired, UnusableAnswer),
    403: (Forbidden, Forbidden, Forbidden),
    404: (ConnectorOrClusterNotFound, EnvironmentNotFound, UnusableAnswer),
    405: (UnexpectedStatus, UnexpectedStatus, UnusableAnswer),
    409: (Conflict, Conflict, UnusableAnswer),
    413: (UnexpectedStatus, UnexpectedStatus, UnusableAnswer),
    415: (UnexpectedStatus, UnexpectedStatus, UnusableAnswer),
    422: (UnexpectedStatus, UnexpectedStatus, UnusableAnswer),
    429: (RateLimited, RateLimited, RateLimited),
    500: (ServerError, ServerError, ServerError),
    501: (ServerError, ServerError, ServerError),
    502: (ServerError, ServerError, ServerError),
    503: (ServerError, ServerError, ServerError),
    504: (ServerError, ServerError, ServerError),
}
NOTHING_DONE = {400, 401, 402, 403, 404, 405, 415, 429}

FOREIGN = {
    "page": PAGE.encode(),
    "text": b"404 page not found",
    "empty": b"",
    "other JSON": b'{"message": "no Route matched with those values"}',
    "Connect's own": b'{"error_code": 404, "message": "Connector x not found"}',
    "a web framework's": b'{"timestamp": 1, "status": 404, "error": "Not Found", "path": "/x"}',
    "broken JSON": b'{"error": "cut of',
    "no object": b'["error"]',
    "binary": b"\xff\xfe\x00",
}


def _body(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("status", TABLE)
def test_the_agents_shape(status: int) -> None:
    error = from_answer("get_connector", status, _body(AGENT))
    assert type(error) is TABLE[status][0]
    assert error.detail == "agent says no"
    if isinstance(error, errors.LensesRefused):
        assert (error.status, error.error_type) == (status, "SomeError")


@pytest.mark.parametrize("status", TABLE)
def test_hqs_shape(status: int) -> None:
    error = from_answer("get_connector", status, _body(problem("about:blank", status)))
    assert type(error) is TABLE[status][1]
    assert error.detail == "HQ says no"


@pytest.mark.parametrize("shape", FOREIGN)
@pytest.mark.parametrize("status", TABLE)
def test_any_other_shape(status: int, shape: str) -> None:
    error = from_answer("get_connector", status, FOREIGN[shape])
    assert type(error) is TABLE[status][2]
    assert error.status == status  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", TABLE)
def test_what_may_have_been_done(status: int) -> None:
    """Refusals before anything happens are told apart from answers after which one has to read again."""
    error = from_answer("create_connector", status, _body(AGENT))
    expected = isinstance(error, UnusableAnswer) or status not in NOTHING_DONE
    assert error.maybe_done is expected
    assert from_answer("create_connector", 404, PAGE.encode()).maybe_done is True


@pytest.mark.parametrize("status", [402, 403, 404, 500, 501, 502, 503])
@pytest.mark.parametrize("prefix", ["", "https://lenses.io/problems/", "urn:problem:", "https://x/#"])
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("agent_not_connected", AgentNotConnected),
        ("missing_agent_capabilities", MissingAgentCapability),
        ("licence_limitation", LicenceRequired),
    ],
)
def test_hqs_words_outweigh_the_status(word: str, prefix: str, status: int, expected: type[LensesError]) -> None:
    error = from_answer("list_connectors", status, _body(problem(prefix + word, status)))
    assert type(error) is expected
    assert isinstance(error, errors.LensesRefused)
    assert (error.status, error.error_type) == (status, word)
    assert str(error) == f"list connectors: Lenses answered {status} ({word})"


@pytest.mark.parametrize("status", [404, 405, 415, 501])
@pytest.mark.parametrize("body", [_body(AGENT), _body(problem("not_found", 404)), PAGE.encode(), b""])
def test_an_operation_that_a_lenses_may_lack(status: int, body: bytes) -> None:
    error = from_answer("put_resource", status, body, optional=True)
    assert type(error) is MissingAgentCapability
    assert error.maybe_done is False


def test_an_operation_that_a_lenses_may_lack_behind_a_missing_agent() -> None:
    error = from_answer("put_resource", 501, _body(problem("agent_not_connected", 501)), optional=True)
    assert type(error) is AgentNotConnected


def test_fields_of_a_bad_request() -> None:
    body = {"error": "invalid", "fields": [{"field": "name", "error": "is empty", "lineNumber": 3}], "errorType": None}
    error = from_answer("create_connector", 400, _body(body))
    assert isinstance(error, BadRequest)
    assert error.fields == (FieldError(field="name", error="is empty"),)
    assert error.detail == "invalid; name: is empty"


@pytest.mark.parametrize("extra", [{}, {"fields": None}, {"fields": [{}]}, {"fields": [{"field": "x"}], "new": 1}])
def test_an_agent_that_leaves_things_out(extra: dict[str, Any]) -> None:
    error = from_answer("get_connector", 404, _body({"error": "no such connector", **extra}))
    assert type(error) is ConnectorOrClusterNotFound
    assert error.detail.startswith("no such connector")


def test_the_title_is_what_is_told_of_a_page() -> None:
    error = from_answer("get_connector", 502, b"<HTML><title lang=en>502\n Bad Gateway</title><body>long</body>")
    assert error.detail == "502 Bad Gateway"
    assert from_answer("get_connector", 502, b"<p>plain <b>page</b></p>").detail == "plain page"


def test_messages_are_one_line_of_our_own_words() -> None:
    error = from_answer("alter_offsets", 400, _body({"error": "value\nhunter2", "errorType": "<script>\nhunter2"}))
    assert str(error) == "alter offsets: Lenses answered 400"
    assert error.detail == "value hunter2"
    assert "\n" not in str(LensesError("get_topics", "two\nlines"))


def test_the_servers_words_are_redacted_before_they_are_cut() -> None:
    secret = "line one\nline two " + "x" * 2000
    error = from_answer("validate", 500, _body({"error": f"bad value {secret} given"}))
    assert error.explain(lambda text: text.replace(secret, "***")) == (
        "validate: Lenses answered 500: bad value *** given"
    )
    assert secret in error.words
    assert len(error.detail) == 1000
    assert error.detail.endswith("…")


def test_without_words_only_ours_are_told() -> None:
    assert LensesUnreachable("get_topics", "cannot connect").explain(str.upper) == "get topics: cannot connect"


def test_tests_can_make_every_error_in_a_word() -> None:
    """Callers' tests build errors by hand; the usual status comes by itself."""
    assert NotFound("get_connector").status == 404
    assert Conflict("create_connector").maybe_done is True
    assert ServerError("validate", status=503).status == 503
    assert AgentNotConnected("list_connectors").maybe_done is True
    assert LensesUnreachable("validate", maybe_done=False).maybe_done is False
    assert RateLimited("validate", "not sent", retry_after=3).retry_after == 3
    assert str(Forbidden("validate")) == "validate: Lenses answered 403"


def _identified(request_id: object, **more: object) -> LensesError:
    return from_answer("validate", 503, _body({**problem("agent_rpc_error", 503), "request_id": request_id, **more}))


def test_hqs_request_id_ends_every_text() -> None:
    error = _identified("0190-a:b.c_d", title="No answer.")
    assert isinstance(error, AgentCallFailed)
    assert error.request_id == "0190-a:b.c_d"
    assert error.gist == "validate: Lenses answered 503 (agent_rpc_error)"
    assert str(error) == "validate: Lenses answered 503 (agent_rpc_error) (request id 0190-a:b.c_d)"
    assert error.explain(str) == (
        "validate: Lenses answered 503 (agent_rpc_error): No answer (request id 0190-a:b.c_d)"
    )
    assert error.quote(str) == "No answer (request id 0190-a:b.c_d)"
    assert error.quote(lambda _: "") == str(error)


@pytest.mark.parametrize("odd", ["", "two words", "line\nbreak", "x" * 129, "ü", "a)b", 17, {"a": 1}, None])
def test_what_does_not_look_like_a_request_id_is_left_out(odd: object) -> None:
    """It comes from outside, and goes into logs and conditions as it is."""
    error = _identified(odd)
    assert isinstance(error, AgentCallFailed)
    assert (error.speaker, error.request_id) == ("HQ", None)
    assert error.explain(str) == "validate: Lenses answered 503 (agent_rpc_error): HQ says no"


@pytest.mark.parametrize("status", [404, 405, 415, 501])
def test_the_request_id_of_an_operation_that_a_lenses_may_lack(status: int) -> None:
    body = _body({**problem("not_found", status), "request_id": "0190"})
    error = from_answer("put_resource", status, body, optional=True)
    assert isinstance(error, MissingAgentCapability)
    assert error.request_id == "0190"


def test_the_agent_has_no_request_id() -> None:
    error = from_answer("validate", 500, _body({**AGENT, "request_id": "0190"}))
    assert str(error) == "validate: Lenses answered 500 (SomeError)"


REBALANCES = [
    "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)",
    "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
    "Request cannot be completed because a rebalance is expected",
    "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.",
]
DOUBTFUL = [400, 409, 500, 502, 503]


def shapes(words: str, status: int) -> list[bytes]:
    agent = {"error": words, "fields": [], "errorType": "BadRequest"}
    return [_body(agent), _body({"type": "agent_rpc_error", "title": words, "status": status})]


@pytest.mark.parametrize("status", DOUBTFUL)
@pytest.mark.parametrize("words", REBALANCES)
def test_a_rebalance_is_known_by_its_words_whatever_the_code(words: str, status: int) -> None:
    for body in shapes(words, status):
        assert type(from_answer("create_connector", status, body)) is errors.Conflict


@pytest.mark.parametrize("status", DOUBTFUL)
def test_a_name_that_is_taken_is_known_by_its_words_whatever_the_code(status: int) -> None:
    for body in shapes("Connector orders already exists", status):
        assert type(from_answer("create_connector", status, body)) is errors.AlreadyExists


@pytest.mark.parametrize("status", [401, 402, 403, 404, 429])
def test_codes_that_say_enough_are_not_overruled_by_words(status: int) -> None:
    for body in shapes(REBALANCES[0], status):
        assert not isinstance(from_answer("create_connector", status, body), errors.Conflict)


@pytest.mark.parametrize("status", [400, 500, 502, 503])
@pytest.mark.parametrize("word", ["agent_rpc_error", "what_is_this", "https://lenses.io/problems/new"])
def test_a_type_that_is_not_known_is_passing_and_perhaps_done(word: str, status: int) -> None:
    error = from_answer("create_connector", status, _body(problem(word, status)))
    assert type(error) is AgentCallFailed
    assert error.maybe_done


@pytest.mark.parametrize(
    "words",
    ["Invalid value rebalance for configuration x", "The connector name orders is too long", "assignment strategy"],
)
def test_a_refusal_that_quotes_such_a_word_stays_one(words: str) -> None:
    assert type(from_answer("create_connector", 400, shapes(words, 400)[0])) is errors.BadRequest


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (404, "HTTP 404 Not Found", MissingAgentCapability),
        (405, "HTTP 405 Method Not Allowed", MissingAgentCapability),
        (404, "Connector orders not found", ConnectorOrClusterNotFound),
        (404, "Unknown connector: orders", ConnectorOrClusterNotFound),
        (400, "HTTP 404 Not Found", BadRequest),
    ],
)
def test_what_a_kafka_connect_lacks_is_no_word_on_the_connector(
    status: int, words: str, expected: type[LensesError]
) -> None:
    """Before 3.5 there is no `stop`, before 3.6 no PATCH or DELETE of offsets: Connect's web framework says so."""
    body = {"error": words, "fields": [], "errorType": "NotFound"}
    error = from_answer("set_state", status, _body(body))
    assert type(error) is expected
    assert not error.maybe_done
