"""What a message about offsets advises is done here, in every state that it is given in, and has to work."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.paths import ROOT
from lenses_operator.domain.offsets_status import AGAIN
from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from unit.advice import not_followed
from unit.controllers.fakes import Connector
from unit.offsets.make import ASKED, BEFORE, FILE
from unit.offsets.rig import OffsetsOperator, offsets_operator
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time

PACKAGE = ROOT / "operator" / "lenses_operator"
MODULES = [
    PACKAGE / "domain" / "offsets_status.py",
    PACKAGE / "domain" / "offsets_text.py",
    *sorted((PACKAGE / "controllers" / "offsets").glob("*.py")),
]
SECRET = ("payments", RefName("Secret", "db"))
TOKEN: dict[str, Any] = {"tokenSecretRef": {"name": "db", "key": "token"}}
GROUP = (
    "Failed to alter consumer group offsets for connector orders either because its tasks haven't stopped completely "
    "yet or the connector was resumed"
)

TASKS: list[asyncio.Task[None]] = []
"""Kept, else they might be collected before they are done."""

Step = Callable[[OffsetsOperator], Awaitable[None]]
"""`begin` of an advice brings the situation about, its `follow` does what the message says."""


def answers(operation: str, error: errors.LensesError | None) -> Step:
    async def do(op: OffsetsOperator) -> None:
        op.lenses.always(operation, error)

    return do


def down(error: errors.LensesError | None) -> Step:
    """Every read of the connector, and of its offsets."""

    async def do(op: OffsetsOperator) -> None:
        op.lenses.down(error)
        op.lenses.always("get_offsets", error)

    return do


def asks(**spec: Any) -> Step:
    """The same resource with another spec."""

    async def do(op: OffsetsOperator) -> None:
        op.offsets.apply(**spec)

    return do


def connector(**spec: Any) -> Step:
    async def do(op: OffsetsOperator) -> None:
        op.kube.apply(**spec)

    return do


def allows(policy: Policy) -> Step:
    async def do(op: OffsetsOperator) -> None:
        op.policy = policy
        for resource in op.store:
            op.queue.add(resource.key)

    return do


def stops(value: bool) -> Step:
    async def do(op: OffsetsOperator) -> None:
        op.lenses.stops = value

    return do


def all_of(*steps: Step) -> Step:
    async def do(op: OffsetsOperator) -> None:
        for step in steps:
            await step(op)

    return do


async def nothing(_: OffsetsOperator) -> None:
    """It is so already."""


async def anew(op: OffsetsOperator) -> None:
    """Another LensesConnectorOffsets of the same content; the name is taken up by what is looked at."""
    spec = op.offsets.objects["back"]["spec"]
    op.offsets.delete()
    await asyncio.sleep(1)
    op.offsets.apply(**spec)


async def made_new(op: OffsetsOperator) -> None:
    """One that fits."""
    op.offsets.delete()
    await asyncio.sleep(1)
    op.offsets.apply()


async def any_change(op: OffsetsOperator) -> None:
    op.offsets.apply(**op.offsets.objects["back"]["spec"] | {"refreshInterval": "61s"})


async def strangers(op: OffsetsOperator) -> None:
    """The connector was there before its resource, and differs."""
    await op.deletes(seconds=60)
    op.lenses.connectors["orders"] = Connector(SENT | {"topic": "theirs"})
    await op.applies()


async def own_token(op: OffsetsOperator) -> None:
    op.kube.references[SECRET] = RefData("1", {"token": b"t"})
    await op.applies(seconds=60, **TOKEN)


async def secret_lost(op: OffsetsOperator) -> None:
    await own_token(op)
    del op.kube.references[SECRET]


async def secret_back(op: OffsetsOperator) -> None:
    op.kube.references[SECRET] = RefData("2", {"token": b"t"})


async def key_lost(op: OffsetsOperator) -> None:
    await secret_lost(op)
    op.kube.references[SECRET] = RefData("2", {"other": b"x"})


async def gone_from_lenses(op: OffsetsOperator) -> None:
    op.lenses.connectors.clear()
    op.lenses.always("create_connector", errors.ServerError("create_connector", detail="not now"))


async def lost_answer(op: OffsetsOperator) -> None:
    """The connector has run since, and whether it was done is not known."""
    op.lenses.fail("alter_offsets", errors.LensesUnreachable("alter_offsets", "no answer", reason="timeout"))

    async def meanwhile() -> None:
        await op.until(lambda: op.lenses.asked("alter_offsets"))
        op.policy = Policy((Rule(namespaces=("elsewhere",)),))
        await op.until_reason("ConnectorNotReady")
        op.lenses.offsets = json.dumps([{"partition": FILE, "offset": {"position": 1001}}])
        op.policy = Policy()

    TASKS.append(asyncio.create_task(meanwhile()))


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


NO = errors.BadRequest("alter_offsets", detail="no such key: kafka_topic")
JSON = "Give the JSON that a GET of the offsets answers."
TWO = [*ASKED, {"partition": FILE, "offset": {"position": 6}}]
GRANT = "Grant the Lenses account of"
ADVICE = {
    "an entry is refused": Advice(
        answers("alter_offsets", NO),
        "OffsetsRejected",
        "Correct the spec to try again.",
        all_of(answers("alter_offsets", None), asks(offsets=TWO[1:])),
    ),
    **both(
        "shared group",
        answers("alter_offsets", errors.ServerError("alter_offsets", status=500, detail=GROUP)),
        "OffsetsRejected",
        answers("alter_offsets", None),
        "Stop that one meanwhile",
    ),
    **both(
        "rebalance",
        answers("alter_offsets", errors.Conflict("alter_offsets", detail="a rebalance is under way")),
        "OffsetsRejected",
        answers("alter_offsets", None),
    ),
    **both(
        "rebalance, asked to read",
        answers("get_offsets", errors.Conflict("get_offsets", detail="a rebalance is under way")),
        "OffsetsRejected",
        answers("get_offsets", None),
    ),
    **both(
        "unreadable",
        answers("get_offsets", errors.ServerError("get_offsets", status=500, detail="no leader")),
        "OffsetsRejected",
        answers("get_offsets", None),
        "Look at the connector and its Connect workers",
    ),
    **{
        name: advice
        for operation, action in (("get_offsets", "Alter"), ("alter_offsets", "Alter"), ("reset_offsets", "Reset"))
        for name, advice in both(
            f"no right to {operation}",
            answers(operation, errors.Forbidden(operation)),
            "OffsetsRejected",
            answers(operation, None),
            GRANT,
            spec={"action": action},
        ).items()
    },
    "no right, of a token of its own": Advice(
        all_of(own_token, answers("alter_offsets", errors.Forbidden("alter_offsets"))),
        "OffsetsRejected",
        "the token of Secret db, key token the permission",
        all_of(answers("alter_offsets", None), any_change),
    ),
    **both(
        "no licence",
        answers("alter_offsets", errors.LicenceRequired("alter_offsets")),
        "OffsetsRejected",
        answers("alter_offsets", None),
    ),
    **both("not stopped", stops(False), "StopTimeout", stops(True), "Look at the Connect workers"),
    **both("outcome unknown", lost_answer, "OutcomeUnknown", nothing, "Compare status.offsets with status.before"),
    **both(
        "too old",
        answers("alter_offsets", errors.MissingAgentCapability("alter_offsets", detail="the agent is too old")),
        "NotSupported",
        answers("alter_offsets", None),
    ),
    "too old to read": Advice(
        answers("get_offsets", errors.MissingAgentCapability("get_offsets", detail="the agent is too old")),
        "NotSupported",
        "the offsets are read without further ado",
        answers("get_offsets", None),
        "Observed",
        {"action": "Observe"},
    ),
    "does not fit: a new one": Advice(
        nothing, "OffsetsInvalid", "Create a new one.", made_new, spec={"offsets": {"a": 1}}
    ),
    "not JSON": Advice(
        nothing,
        "OffsetsInvalid",
        JSON,
        asks(offsetsJson=f'{{"offsets": {BEFORE}}}'),
        spec={"offsetsJson": '{"offsets": 1}'},
    ),
    "no entry": Advice(
        nothing,
        "OffsetsInvalid",
        "to forget all offsets use action: Reset",
        asks(action="Reset"),
        spec={"offsetsJson": "[]"},
    ),
    "no offset": Advice(
        nothing,
        "OffsetsInvalid",
        'to forget this partition\'s write "offset": null',
        asks(offsetsJson=json.dumps([{"partition": FILE, "offset": None}])),
        spec={"offsetsJson": json.dumps([{"partition": FILE}])},
    ),
    "no partition": Advice(
        nothing,
        "OffsetsInvalid",
        "must be an object with at least one field",
        asks(),
        spec={"offsets": [{"partition": {}, "offset": {"position": 5}}]},
    ),
    "no object": Advice(
        nothing,
        "OffsetsInvalid",
        "or null to forget this partition's",
        asks(offsetsJson=json.dumps([{"partition": FILE, "offset": None}])),
        spec={"offsetsJson": json.dumps([{"partition": FILE, "offset": 5}])},
    ),
    "twice": Advice(nothing, "OffsetsInvalid", "names the same partition as", asks(), spec={"offsets": TWO}),
    "suspended": Advice(connector(suspend=True), "ConnectorNotReady", "is suspended", connector(suspend=False)),
    "not allowed": Advice(
        allows(Policy((Rule(namespaces=("elsewhere",)),))),
        "ConnectorNotReady",
        "policy does not allow",
        allows(Policy()),
    ),
    "a connector that is not its own": Advice(
        strangers, "ConnectorNotReady", "see its condition", connector(adoptionPolicy="Always")
    ),
    "a connector that does not fit": Advice(
        lambda op: _raw(op, state="flying"), "ConnectorNotReady", "see its condition", connector()
    ),
    "not in Lenses": Advice(
        gone_from_lenses, "ConnectorNotReady", "does not exist in Lenses", answers("create_connector", None)
    ),
    "no Secret": Advice(secret_lost, "ConnectorNotReady", "Create it", secret_back),
    "no key": Advice(key_lost, "ConnectorNotReady", "Add the key", secret_back),
    "no environment": Advice(
        down(errors.EnvironmentNotFound("get_offsets")),
        "EnvironmentNotFound",
        "Grant its Lenses account the permission",
        down(None),
    ),
    "no right": Advice(
        down(errors.Forbidden("get_connector")), "Forbidden", "Grant its Lenses account the permissions", down(None)
    ),
    "no right to observe": Advice(
        answers("get_offsets", errors.Forbidden("get_offsets")),
        "Forbidden",
        "Grant its Lenses account the permissions",
        answers("get_offsets", None),
        "Observed",
        {"action": "Observe"},
    ),
    "no token": Advice(
        down(errors.Unauthorized("get_connector")), "Unauthorized", "it is read again automatically", down(None)
    ),
}


async def _raw(op: OffsetsOperator, **fields: Any) -> None:
    await op.applies(seconds=5, raw=fields)


@pytest.mark.parametrize("name", ADVICE)
async def test_it_works(name: str) -> None:
    advice = ADVICE[name]
    async with offsets_operator(drift=60.0) as op:
        await op.runs()
        await advice.begin(op)
        await op.operates(advice.reason, **advice.spec)
        assert advice.said in op.words()
        sent = len(op.lenses.asked("alter_offsets", "reset_offsets"))
        await asyncio.sleep(60)
        await advice.follow(op)
        await op.until_reason(advice.ends, bound=1200)
        await op.until(lambda: op.said()[1] == "Running")
        assert len(op.lenses.asked("alter_offsets", "reset_offsets")) <= sent + 1


@pytest.mark.parametrize("name", [name for name, advice in ADVICE.items() if advice.put_right and ": new" in name])
async def test_what_failed_is_not_tried_again_by_itself(name: str) -> None:
    """Which is why no advice may end with what is to be put right elsewhere."""
    advice = ADVICE[name]
    assert advice.put_right is not None
    async with offsets_operator(drift=60.0) as op:
        await op.runs()
        await advice.begin(op)
        await op.operates(advice.reason, **advice.spec)
        sent = op.lenses.asked("alter_offsets", "reset_offsets")
        await advice.put_right(op)
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


ELSEWHERE = {  # the advice, and what follows it
    "Change them in Lenses or Kafka Connect": "the test above",
    "install the one of this version": "nothing: it takes an API server with another version's definition",
}


def test_every_advice_is_followed() -> None:
    followed = [advice.said for advice in ADVICE.values()] + list(ELSEWHERE)
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
