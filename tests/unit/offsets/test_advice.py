"""What a message about offsets advises is done here, in every state that it is given in, and has to work."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.paths import ROOT
from lenses_operator.domain.offsets_status import AGAIN
from lenses_operator.domain.policy import Policy
from lenses_operator.lenses import errors
from unit.advice import not_followed
from unit.offsets.make import ASKED, BEFORE, FILE, to
from unit.offsets.rig import BUSY, LACKING, NO, OffsetsOperator, offsets_operator
from unit.offsets.situations import (
    ELSEWHERE,
    Step,
    allows,
    anew,
    answers,
    any_change,
    asks,
    connector,
    down,
    gone_from_lenses,
    key_lost,
    lost_answer,
    made_new,
    nothing,
    own_token,
    schema_mismatch,
    secret_back,
    secret_lost,
    stops,
    strangers,
)
from unit.steps import all_of, take

pytestmark = pytest.mark.virtual_time

PACKAGE = ROOT / "operator" / "lenses_operator"
MODULES = [
    PACKAGE / "domain" / "offsets_status.py",
    PACKAGE / "domain" / "offsets_text.py",
    *sorted((PACKAGE / "controllers" / "offsets").glob("*.py")),
]
GROUP = (
    "Failed to alter consumer group offsets for connector orders either because its tasks haven't stopped completely "
    "yet or the connector was resumed"
)


@dataclass(frozen=True)
class Advice:
    """`begin` happens to a connector that runs, then `spec` is applied; `said` is in the message."""

    begin: Step
    reason: str
    said: str
    follow: Step
    ends: str = "Applied"
    spec: dict[str, Any] = field(default_factory=dict)
    put_right: Step | None = None
    """What has to be so before it can be tried again, but does not try it again."""


AFTER = {
    "change": ("change the spec (spec.refreshInterval will do)", any_change),
    "new": (f"or {AGAIN[AGAIN.index('create') :]}", anew),
}
"""What every failure that is not about the spec ends with."""


def both(name: str, begin: Step, reason: str, put_right: Step, said: str = "", **more: Any) -> dict[str, Advice]:
    """The situation twice, led on by a changed spec and by a new resource, with what the message asks for before."""
    ways = {how: (words, all_of(put_right, then)) for how, (words, then) in AFTER.items()}
    if said:
        ways["first"] = (said, ways["change"][1])
    return {
        f"{name}: {how}": Advice(begin, reason, words, follow, put_right=put_right, **more)
        for how, (words, follow) in ways.items()
    }


def answered(
    name: str, error: errors.LensesError, said: str = "", reason: str = "OffsetsRejected", **more: Any
) -> dict[str, Advice]:
    """A request is answered so until that is put right."""
    return both(name, answers(error.operation, error), reason, answers(error.operation, None), said, **more)


def invalid(said: str, follow: Step, **spec: Any) -> Advice:
    return Advice(nothing, "OffsetsInvalid", said, follow, spec=spec)


def text(**entry: Any) -> str:
    return json.dumps([{"partition": FILE, **entry}])


TWO = [*ASKED, *to(6)]
ACTIONS = {"get_offsets": "Alter", "alter_offsets": "Alter", "reset_offsets": "Reset"}
PERMISSION = "Grant its Lenses account the permission"
ADVICE = {
    "an entry is refused": Advice(
        answers("alter_offsets", NO),
        "OffsetsRejected",
        "Correct the spec to try again.",
        all_of(answers("alter_offsets", None), asks(offsets=TWO[1:])),
    ),
    **answered(
        "shared group",
        errors.ServerError("alter_offsets", status=500, detail=GROUP),
        "Stop that one meanwhile",
    ),
    **answered("rebalance", BUSY),
    **answered("rebalance, asked to read", errors.Conflict("get_offsets", detail="a rebalance is under way")),
    **answered(
        "unreadable",
        errors.ServerError("get_offsets", status=500, detail="no leader"),
        "Look at the connector and its Connect workers",
    ),
    **{
        name: advice
        for operation, action in ACTIONS.items()
        for name, advice in answered(
            f"no right to {operation}",
            errors.Forbidden(operation),
            "Grant the Lenses account of",
            spec={"action": action},
        ).items()
    },
    "no right, of a token of its own": Advice(
        all_of(own_token, answers("alter_offsets", errors.Forbidden("alter_offsets"))),
        "OffsetsRejected",
        "the token of Secret db, key token the permission",
        all_of(answers("alter_offsets", None), any_change),
    ),
    **answered("no licence", errors.LicenceRequired("alter_offsets")),
    **both("not stopped", stops(False), "StopTimeout", stops(True), "Look at the Connect workers"),
    **both("outcome unknown", lost_answer, "OutcomeUnknown", nothing, "Compare status.offsets with status.before"),
    **answered("too old", LACKING, reason="NotSupported"),
    "too old to read": Advice(
        answers("get_offsets", errors.MissingAgentCapability("get_offsets", detail="the agent is too old")),
        "NotSupported",
        "the offsets are read without further ado",
        answers("get_offsets", None),
        "Observed",
        {"action": "Observe"},
    ),
    "does not fit: a new one": invalid("Create a new one.", made_new, offsets={"a": 1}),
    "not JSON": invalid(
        "Give the JSON that a GET of the offsets answers.",
        asks(offsetsJson=f'{{"offsets": {BEFORE}}}'),
        offsetsJson='{"offsets": 1}',
    ),
    "no entry": invalid("to forget all offsets use action: Reset", asks(action="Reset"), offsetsJson="[]"),
    "no offset": invalid(
        'to forget this partition\'s write "offset": null', asks(offsetsJson=text(offset=None)), offsetsJson=text()
    ),
    "no partition": invalid(
        "must be an object with at least one field", asks(), offsets=[{"partition": {}, "offset": {"position": 5}}]
    ),
    "no object": invalid(
        "or null to forget this partition's", asks(offsetsJson=text(offset=None)), offsetsJson=text(offset=5)
    ),
    "twice": invalid("names the same partition as", asks(), offsets=TWO),
    "suspended": Advice(connector(suspend=True), "ConnectorNotReady", "is suspended", connector(suspend=False)),
    "not allowed": Advice(allows(ELSEWHERE), "ConnectorNotReady", "policy does not allow", allows(Policy())),
    "a connector that is not its own": Advice(
        strangers, "ConnectorNotReady", "see its condition", connector(adoptionPolicy="Always")
    ),
    "a connector that does not fit": Advice(schema_mismatch, "ConnectorNotReady", "see its condition", connector()),
    "not in Lenses": Advice(
        gone_from_lenses, "ConnectorNotReady", "does not exist in Lenses", answers("create_connector", None)
    ),
    "no Secret": Advice(secret_lost, "ConnectorNotReady", "Create it", secret_back),
    "no key": Advice(key_lost, "ConnectorNotReady", "Add the key", secret_back),
    "no environment": Advice(
        down(errors.EnvironmentNotFound("get_offsets")), "EnvironmentNotFound", PERMISSION, down(None)
    ),
    "no right": Advice(down(errors.Forbidden("get_connector")), "Forbidden", f"{PERMISSION}s", down(None)),
    "no right to observe": Advice(
        answers("get_offsets", errors.Forbidden("get_offsets")),
        "Forbidden",
        f"{PERMISSION}s",
        answers("get_offsets", None),
        "Observed",
        {"action": "Observe"},
    ),
    "no token": Advice(
        down(errors.Unauthorized("get_connector")), "Unauthorized", "it is read again automatically", down(None)
    ),
}


async def comes_to_it(op: OffsetsOperator, advice: Advice) -> list[tuple[str, ...]]:
    """The requests that were sent until then."""
    await op.runs()
    await take(advice.begin, op)
    await op.operates(advice.reason, **advice.spec)
    return op.lenses.asked("alter_offsets", "reset_offsets")


@pytest.mark.parametrize("name", ADVICE)
async def test_it_works(name: str) -> None:
    advice = ADVICE[name]
    async with offsets_operator(drift=60.0) as op:
        sent = await comes_to_it(op, advice)
        assert advice.said in op.words()
        await asyncio.sleep(60)
        await take(advice.follow, op)
        await op.until_reason(advice.ends, bound=1200)
        await op.until(lambda: op.said()[1] == "Running")
        assert len(op.lenses.asked("alter_offsets", "reset_offsets")) <= len(sent) + 1


@pytest.mark.parametrize("name", [name for name, advice in ADVICE.items() if advice.put_right and ": new" in name])
async def test_what_failed_is_not_tried_again_by_itself(name: str) -> None:
    """Which is why no advice may end with what is to be put right elsewhere."""
    advice = ADVICE[name]
    assert advice.put_right is not None
    async with offsets_operator(drift=60.0) as op:
        sent = await comes_to_it(op, advice)
        await take(advice.put_right, op)
        await asyncio.sleep(3600)
        assert op.how() == ("Failed", "False", advice.reason)
        assert op.lenses.asked("alter_offsets", "reset_offsets") == sent


async def test_a_connector_that_is_not_there_is_made(op: OffsetsOperator) -> None:
    await op.operates("ConnectorNotFound")
    assert "waits until there is" in op.words()
    op.kube.apply()
    await op.until_reason("Applied")


async def test_offsets_too_big_to_be_kept_are_changed_by_hand_while_it_is_stopped() -> None:
    """Nobody lets it run before it is done, and nothing of it is undone."""
    rows = random.Random(1)
    big = [{"partition": {"file": f"{rows.getrandbits(400):x}"}, "offset": {"n": n}} for n in range(20_000)]
    async with offsets_operator() as op:
        await op.runs()
        op.lenses.offsets = json.dumps(big)
        await op.operates("OffsetsInvalid")
        assert (
            "Change them in Lenses or Kafka Connect, while the LensesConnector has spec.state: stopped." in op.words()
        )
        await op.until(lambda: op.said()[1] == "Running")
        op.kube.apply(state="stopped")
        await op.until(lambda: op.said()[1] == "Stopped")
        op.lenses.calls.clear()
        op.lenses.offsets = json.dumps(ASKED)
        await asyncio.sleep(600)
        assert op.lenses.order() == []
        op.kube.apply()
        await op.until(lambda: op.said()[1] == "Running")
        assert json.loads(op.lenses.offsets) == ASKED


NOT_HERE = {  # the advice, and what follows it
    "Change them in Lenses or Kafka Connect": "the test above",
    "install the one of this version": "nothing: it takes an API server with another version's definition",
}


def test_every_advice_is_followed() -> None:
    followed = [advice.said for advice in ADVICE.values()] + list(NOT_HERE)
    assert not_followed(MODULES, followed) == []


def test_an_advice_that_nobody_follows_is_noticed(tmp_path: Path) -> None:
    module = tmp_path / "said.py"
    module.write_text(
        '"""Stop reading."""\nAGAIN = "change it to try again"\n'
        "def say(what):\n"
        '    return f"{what} failed. Once it is back, {AGAIN}.", f"Look at {what}; the change is lost."\n'
    )
    assert not_followed([module], []) == [
        "said.py: change it to try again",
        "said.py: … failed. Once it is back, change it to try again.",
        "said.py: Look at …; the change is lost.",
    ]
    assert not_followed([module], ["change it", "Look at"]) == []
