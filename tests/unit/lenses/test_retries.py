"""What is tried again, how often, after how long, and what never is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from harness.wanted import always
from lenses_operator.lenses.errors import (
    AgentNotConnected,
    BadRequest,
    LensesError,
    LensesUnreachable,
    RateLimited,
    ServerError,
    Unauthorized,
    UnusableAnswer,
)
from lenses_operator.lenses.tokens import TokenFile
from lenses_operator.lenses.wire import Incoming, NoAnswerError, Outgoing
from unit.lenses.fakes import AGENT, NOON, PAGE, Given, Rig, Script, answer, problem, rig
from unit.lenses.operations import OPERATIONS

GETS = sorted(name for name, (_, method, _, _) in OPERATIONS.items() if method == "GET")
OTHERS = sorted(set(OPERATIONS) - set(GETS))

DROPPED = NoAnswerError("dropped")
BLIPS = [DROPPED, *(answer(status, PAGE) for status in (502, 503, 504)), answer(503, AGENT)]
NO_BLIPS = [
    NoAnswerError("connect_error", "refused"),
    NoAnswerError("connect_timeout"),
    NoAnswerError("proxy_error", "407"),
    NoAnswerError("timeout"),
    TimeoutError(),
    answer(500, AGENT),
    answer(500, PAGE),
    answer(400, AGENT),
    answer(404, AGENT),
    answer(404, PAGE),
    answer(409, AGENT),
    answer(429, AGENT),
    answer(503, problem("agent_not_connected", 503)),
    answer(302, ""),
    answer(200, PAGE),
]


def _named(step: object) -> str:
    return f"{step.status_code}" if isinstance(step, httpx.Response) else f"{step}"


async def _fails(lenses: Rig, operation: str) -> LensesError:
    with pytest.raises(LensesError) as caught:
        await OPERATIONS[operation][0](lenses.client)
    return caught.value


@pytest.mark.parametrize("operation", GETS)
async def test_a_get_outlives_two_blips(operation: str) -> None:
    lenses = rig(DROPPED, answer(502, PAGE), answer(200, OPERATIONS[operation][3]))
    await OPERATIONS[operation][0](lenses.client)
    assert [seen[2] for seen in lenses.seen] == ["dropped", 502, 200]
    assert len(lenses.clock.slept) == 2
    assert all(0.1 <= slept <= 0.5 for slept in lenses.clock.slept)


@pytest.mark.parametrize("blip", BLIPS, ids=_named)
async def test_a_get_is_tried_three_times_at_most(blip: httpx.Response | Exception) -> None:
    lenses = rig(blip)
    error = await _fails(lenses, "list_connectors")
    assert lenses.script.calls == 3
    assert isinstance(error, LensesUnreachable | ServerError)


@pytest.mark.parametrize("step", NO_BLIPS, ids=_named)
async def test_a_get_is_not_tried_again_when_it_would_not_help(step: httpx.Response | Exception) -> None:
    lenses = rig(step)
    await _fails(lenses, "list_connectors")
    assert (lenses.script.calls, lenses.clock.slept) == (1, [])


@pytest.mark.parametrize("operation", OTHERS)
@pytest.mark.parametrize("step", [*BLIPS, *NO_BLIPS], ids=_named)
async def test_what_may_change_something_is_never_tried_again(operation: str, step: httpx.Response | Exception) -> None:
    lenses = rig(step)
    await _fails(lenses, operation)
    assert (lenses.script.calls, lenses.clock.slept) == (1, [])


@pytest.mark.parametrize(
    ("failure", "reason", "maybe_done", "message"),
    [
        (NoAnswerError("connect_error", "refused"), "connect_error", False, "cannot connect: refused"),
        (NoAnswerError("connect_timeout"), "connect_timeout", False, "no connection within 5 s"),
        (NoAnswerError("proxy_error", "407"), "proxy_error", False, "the proxy does not let it through (407)"),
        (NoAnswerError("timeout"), "timeout", True, "no complete answer, waited 95 s for its next part"),
        (TimeoutError(), "timeout", True, "no complete answer, waited 95 s for its next part"),
        (DROPPED, "dropped", True, "the connection was dropped before the answer was complete"),
    ],
)
async def test_whether_a_lost_request_may_have_been_done(
    failure: Exception, reason: str, maybe_done: bool, message: str
) -> None:
    lenses = rig(failure)
    error = await _fails(lenses, "create_connector")
    assert isinstance(error, LensesUnreachable)
    assert (error.reason, error.maybe_done) == (reason, maybe_done)
    assert str(error) == f"create connector: {message}"
    assert lenses.seen == [("create_connector", "env", reason, 0.0)]


def _date(after: float) -> str:
    return format_datetime(datetime.fromtimestamp(NOON + after, UTC), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0", 0.0), ("2.5", 2.5), (_date(4), 4.0), (_date(-9), 0.0)]
)
async def test_a_get_waits_as_long_as_it_is_told(status: int, header: str, seconds: float) -> None:
    lenses = rig(answer(status, AGENT, Retry_After=header), answer(200, {"data": []}))
    await lenses.client.list_connectors("env")
    assert lenses.clock.slept == ([seconds] if seconds else [])


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("header", ["11", _date(11), "60"])
async def test_a_longer_wait_is_the_callers(status: int, header: str) -> None:
    lenses = rig(answer(status, AGENT, Retry_After=header))
    error = await _fails(lenses, "list_connectors")
    assert (error.retry_after, lenses.script.calls) == (60 if header == "60" else 11, 1)


@pytest.mark.parametrize("operation", OTHERS)
@pytest.mark.parametrize("status", [429, 503])
async def test_other_methods_leave_the_waiting_to_the_caller(operation: str, status: int) -> None:
    lenses = rig(answer(status, AGENT, Retry_After="3"))
    error = await _fails(lenses, operation)
    assert (error.retry_after, lenses.script.calls, lenses.clock.slept) == (3, 1, [])
    assert error.maybe_done is (status == 503)


@pytest.mark.parametrize("header", ["soon", "-3", "", "nan", "²", "1e999x"])
async def test_a_retry_after_that_makes_no_sense_is_none(header: str) -> None:
    lenses = rig(httpx.Response(429, headers={b"Retry-After": header.encode()}, json=AGENT))
    error = await _fails(lenses, "list_connectors")
    assert (error.retry_after, lenses.script.calls) == (None, 1)


async def test_a_retry_after_for_years_is_taken_for_ten_minutes() -> None:
    error = await _fails(rig(answer(429, AGENT, Retry_After="99999999")), "list_connectors")
    assert error.retry_after == 600


async def test_a_retry_after_beside_another_status_means_nothing() -> None:
    error = await _fails(rig(answer(500, AGENT, Retry_After="3")), "list_connectors")
    assert error.retry_after is None


async def test_the_whole_environment_waits_and_no_other() -> None:
    lenses = rig(answer(429, AGENT, Retry_After="6"), answer(200, {"data": []}))
    await _fails(lenses, "set_state")
    await lenses.client.list_connectors("other")
    assert lenses.clock.slept == []
    await lenses.client.delete_connector("env", "prod", "orders", precondition=always)
    assert lenses.clock.slept == [6.0]


async def test_a_long_pause_fails_at_once_with_what_is_left_of_it() -> None:
    lenses = rig(answer(503, AGENT, Retry_After="60"), answer(200, {"data": []}))
    await _fails(lenses, "list_connectors")
    lenses.clock.at += 20
    error = await _fails(lenses, "delete_connector")
    assert isinstance(error, RateLimited)
    assert (error.retry_after, error.maybe_done, lenses.script.calls) == (40.0, False, 1)
    assert str(error) == "delete connector: not sent: Lenses asked for a pause, 40 s are left"
    lenses.clock.at += 31
    await lenses.client.list_connectors("env")
    assert lenses.clock.slept == [9.0]


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    (tmp_path / "token").write_text("old")
    return TokenFile(tmp_path / "token")


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_refused_token_that_changed_meanwhile_is_replaced_once(
    operation: str, tokens: TokenFile, tmp_path: Path
) -> None:
    use, _, _, good = OPERATIONS[operation]

    def refuse(_: httpx.Request) -> httpx.Response:
        (tmp_path / "token").write_text("new")
        return answer(401, AGENT)

    lenses = rig(refuse, answer(200, good), tokens=tokens)
    await use(lenses.client)
    assert [sent.headers["Authorization"] for sent in lenses.script.requests] == ["Bearer old", "Bearer new"]
    assert lenses.clock.slept == []


async def test_a_refused_token_that_did_not_change_is_not_sent_again(tokens: TokenFile) -> None:
    lenses = rig(answer(401, AGENT), tokens=tokens)
    assert isinstance(await _fails(lenses, "list_connectors"), Unauthorized)
    assert lenses.script.calls == 1


async def test_a_second_refusal_is_final(tokens: TokenFile, tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        (tmp_path / "token").write_text(request.headers["Authorization"][7:] + "x")
        return answer(401, PAGE)

    lenses = rig(refuse, tokens=tokens)
    assert isinstance(await _fails(lenses, "create_connector"), Unauthorized)
    assert lenses.script.calls == 2


async def test_requests_refused_together_all_get_the_new_token(tokens: TokenFile, tmp_path: Path) -> None:
    """The first to notice reads the file; the others' own look finds it unchanged and must not fail for that."""
    barrier = asyncio.Event()

    class Refusing(Script):
        old = 0

        async def send(self, request: Outgoing) -> Incoming:
            if request.headers["Authorization"] == "Bearer new":
                return Given(answer(200, {"data": []}))
            self.old += 1
            if self.old == 5:
                (tmp_path / "token").write_text("new")
                barrier.set()
            await barrier.wait()
            return Given(answer(401, AGENT))

    lenses = rig(tokens=tokens)
    lenses.client._transport._wire = Refusing([])
    await asyncio.gather(*(lenses.client.list_connectors("env") for _ in range(5)))


async def test_an_answer_without_an_agent_passes_at_once() -> None:
    """Whether to wait for the agent is the poller's business: one environment down is one fact."""
    lenses = rig(answer(503, problem("agent_not_connected", 503)))
    assert isinstance(await _fails(lenses, "get_connector"), AgentNotConnected)
    assert lenses.script.calls == 1


async def test_refusals_are_of_their_kind() -> None:
    assert isinstance(await _fails(rig(answer(400, AGENT)), "validate"), BadRequest)
    assert isinstance(await _fails(rig(answer(404, PAGE)), "get_connector"), UnusableAnswer)
