"""What the storms (tests/chaos/virtual) have found, each as the smallest one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from unit.controllers.fakes import Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.virtualtime import now
from unit.resources.make import CLASS, CREATED

pytestmark = pytest.mark.virtual_time

PLACE = ("connect-eu", "orders")
SOURCE = {"key": "password", "secretKeyRef": {"name": "credentials", "key": "password"}}
TRACE = "ConnectException: login with old-hunter"
WITHHELD = "the words are withheld because they may quote values that could not be read"


def meanwhile(lenses: FakeLenses, operation: str, happens: Callable[[], object], seconds: float = 20.0) -> None:
    """The next such request takes so long, and that happens before its answer is there."""
    call = getattr(lenses, operation)

    async def slow(*arguments: Any, **named: Any) -> Any:
        setattr(lenses, operation, call)
        happens()
        await asyncio.sleep(seconds)
        return await call(*arguments, **named)

    setattr(lenses, operation, slow)


def secret(kube: FakeKube, version: str, value: str, namespace: str = "payments") -> None:
    kube.references[namespace, RefName("Secret", "credentials")] = RefData(version, {"password": value.encode()})


def former_traces(kube: FakeKube) -> bool | None:
    applied = kube.status().applied_config
    assert applied is not None
    return applied.former_traces


def look_closely(op: Operator) -> None:
    memory = next(iter(op.core.connectors._loader._memories.values()))
    memory.checks = replace(memory.checks, details_due=True)


def claim_of_old(op: Operator) -> Callable[[], None]:
    """Another resource for the name whose creation time is older: the API servers' clocks need not agree."""

    def claim() -> None:
        op.kube._uid = -100
        op.kube.apply(namespace="logistics", adoptionPolicy="Never")

    return claim


def forbid(op: Operator) -> Callable[[], None]:
    def narrow() -> None:
        op.policy = Policy((Rule(namespaces=("elsewhere",)),))

    return narrow


@pytest.mark.parametrize("why", [claim_of_old, forbid], ids=["an older claim", "another policy"])
async def test_what_is_no_longer_entitled_when_validate_has_answered_creates_nothing(
    op: Operator,
    why: Callable[[Operator], Callable[[], None]],
) -> None:
    meanwhile(op.lenses, "validate", why(op))
    op.kube.apply()
    await asyncio.sleep(60)
    assert len(op.lenses.asked("create_connector")) == (1 if why is claim_of_old else 0), "the other's own, or none"


@pytest.mark.parametrize("why", [claim_of_old, forbid], ids=["an older claim", "another policy"])
@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
async def test_what_is_no_longer_entitled_when_validate_has_answered_replaces_nothing(
    op: Operator, why: Callable[[Operator], Callable[[], None]], strategy: str
) -> None:
    op.kube.apply()
    await asyncio.sleep(30)
    meanwhile(op.lenses, "validate", why(op))
    op.lenses.calls.clear()
    op.kube.apply(config={"topic": "new"}, updateStrategy=strategy)
    await asyncio.sleep(60)
    assert op.lenses.asked("delete_connector", "put_resource", "create_connector") == []


async def test_two_proofs_of_absence_are_as_far_apart_as_they_were_asked_for_not_as_they_were_used(
    op: Operator,
) -> None:
    op.kube.apply()
    await asyncio.sleep(30)
    del op.lenses.connectors[PLACE]
    asked: list[float] = []
    get, info = op.lenses.poll_connector, op.lenses.get_cluster_info

    async def poll_connector(*arguments: Any) -> Any:
        asked.append(now())
        return await get(*arguments)

    async def get_cluster_info(*arguments: str) -> Any:
        if len(asked) == 2:
            await asyncio.sleep(25)  # a cluster that restarts denies what it holds, and is slow
        return await info(*arguments)

    for double in (poll_connector, get_cluster_info):
        setattr(op.lenses, double.__name__, double)
    op.lenses.fail("delete_connector", errors.ServerError("delete_connector"))
    look_closely(op)
    op.kube.delete()
    await asyncio.sleep(0.5)
    op.queue.add(next(iter(op.core.connectors._loader._memories)))  # something wakes it at once
    await asyncio.sleep(120)
    assert not op.kube.there()
    assert asked[-1] - asked[0] >= 2.0
    assert len(asked) >= 3


@pytest.mark.parametrize("how", ["rotated", "named no more"])
async def test_a_value_that_only_a_former_process_knew_is_not_quoted(how: str) -> None:
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    secret(kube, "1", "old-hunter")
    async with operator(lenses, kube) as op:
        op.kube.apply(configFrom=[SOURCE], state="stopped")
        await asyncio.sleep(30)
    secret(kube, "2", "new-hunter")
    lenses.connectors[PLACE].tasks = [("FAILED", TRACE)]
    if how == "named no more":
        kube.apply(config={"topic": "other"}, state="stopped")
    async with operator(lenses, kube) as op:
        await asyncio.sleep(30)
        error = op.kube.status().tasks[0].error
        assert error is not None
        assert "old-hunter" not in str(kube.objects)
        assert error == WITHHELD


async def test_a_value_that_only_a_former_process_knew_is_not_quoted_by_what_the_next_write_leaves() -> None:
    """Connect shows a task as it was for a moment after its connector got another configuration."""
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    secret(kube, "1", "old-hunter")
    async with operator(lenses, kube) as op:
        op.kube.apply(configFrom=[SOURCE], updateStrategy="InPlace")
        await asyncio.sleep(30)
    secret(kube, "2", "new-hunter")
    lenses.connectors[PLACE].tasks = [("FAILED", TRACE)]
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        assert len(lenses.asked("put_resource")) == 1
        assert op.kube.status().tasks[0].error == WITHHELD
        assert "old-hunter" not in str(kube.objects)
        lenses.connectors[PLACE].tasks = [("RUNNING", None)]
        await asyncio.sleep(400)
        lenses.connectors[PLACE].tasks = [("FAILED", TRACE.replace("old", "new"))]
        await asyncio.sleep(400)
        assert op.kube.status().tasks[0].error == TRACE.replace("old-hunter", "[redacted]")


async def end_after_create(lenses: FakeLenses, kube: FakeKube, strategy: str) -> None:
    """It was created with the old value, and status could only say before that it was about to be."""
    secret(kube, "1", "old-hunter")
    async with operator(lenses, kube) as op:
        op.kube.before_write = lambda: op.queue.close() if lenses.asked("create_connector") else None
        op.kube.apply(configFrom=[SOURCE], updateStrategy=strategy)
        while not lenses.asked("create_connector"):
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.0011)
    claim = kube.status().applied_config
    assert claim is not None
    assert claim.time is None
    kube.before_write = lambda: None


def mask(config: dict[str, str]) -> dict[str, str]:
    return config | ({"password": "********"} if "password" in config else {})


@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
@pytest.mark.parametrize("masked", [False, True])
async def test_what_a_former_process_gave_and_could_not_write_down_is_known_by_its_claim(
    strategy: str, masked: bool
) -> None:
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    if masked:
        lenses.shows = mask
    await end_after_create(lenses, kube, strategy)
    secret(kube, "2", "new-hunter")
    lenses.connectors[PLACE].tasks = [("FAILED", TRACE)]
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        assert "old-hunter" not in str(kube.objects)
        assert lenses.connectors[PLACE].config["password"] == "new-hunter"
        applied = op.kube.status().applied_config
        assert applied is not None
        assert (applied.time is not None, applied.secrets[0].resource_version) == (True, "2")


@pytest.mark.parametrize("masked", [False, True])
async def test_what_a_former_process_created_by_its_claim_is_left_as_it_is(masked: bool) -> None:
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    if masked:
        lenses.shows = mask
    await end_after_create(lenses, kube, "Recreate")
    lenses.calls.clear()
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        assert op.said() == ("True", "Running", "Owned")
        assert lenses.asked("delete_connector", "create_connector", "put_resource") == []


async def test_a_value_of_the_resource_that_had_the_connector_before_is_not_quoted(op: Operator) -> None:
    secret(op.kube, "1", "old-hunter")
    op.kube.apply(configFrom=[SOURCE], deletionPolicy="Retain")
    await asyncio.sleep(30)
    op.kube.delete()
    await asyncio.sleep(30)
    op.lenses.connectors[PLACE].tasks = [("FAILED", TRACE)]
    op.kube.apply(namespace="logistics", adoptionPolicy="Always", state="stopped")
    op.lenses.always("set_state", errors.ServerError("set_state", detail="old-hunter is no good"))
    await asyncio.sleep(60)
    assert op.said(namespace="logistics")[2] == "Owned"
    assert "hunter" not in str(op.kube.objects)
    assert WITHHELD in str(op.kube.objects), "what it has there is still that of the other"
    op.lenses.always("set_state", None)
    op.kube.apply(namespace="logistics", adoptionPolicy="Always")
    await asyncio.sleep(60)
    op.lenses.connectors[PLACE].tasks = [("FAILED", TRACE)]
    await asyncio.sleep(60)
    assert "hunter" not in str(op.kube.objects)
    assert "[redacted]" in str(op.kube.objects)


async def test_a_hidden_key_that_a_write_cut_off_has_left_is_taken_back_with_the_spec() -> None:
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    before, after = {"topic": "orders"}, {"topic": "orders", "password": "literal"}
    hidden = frozenset({"password"})
    lenses.shows = lambda config: {key: value for key, value in config.items() if key != "password"}
    async with operator(lenses, kube) as op:
        op.kube.apply(config=before)
        await asyncio.sleep(30)
        lenses.hidden = hidden
        op.kube.before_write = lambda: op.queue.close() if lenses.asked("create_connector")[1:] else None
        op.kube.apply(config=after)
        while not lenses.asked("create_connector")[1:]:
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.0011)
    kube.before_write = lambda: None
    assert "password" in lenses.connectors[PLACE].config
    kube.apply(config=before)
    async with operator(lenses, kube) as op:
        await asyncio.sleep(700)
        assert "password" not in lenses.connectors[PLACE].config
        assert len(lenses.asked("create_connector")) == 3


async def test_a_hidden_key_that_an_unanswered_update_in_place_has_left_is_taken_back_with_the_spec(
    op: Operator,
) -> None:
    op.lenses.shows = lambda config: {key: value for key, value in config.items() if key != "password"}
    op.lenses.hidden = frozenset({"password"})
    spec: dict[str, Any] = {"updateStrategy": "InPlace"}
    op.kube.apply(config={"topic": "orders"}, **spec)
    await asyncio.sleep(30)
    lost = errors.LensesUnreachable("put_resource", "timed out", reason="timeout")
    op.lenses.fail("put_resource", lost, carried_out=True)
    op.kube.apply(config={"topic": "orders", "password": "literal"}, **spec)
    await asyncio.sleep(0.5)
    assert "password" in op.lenses.connectors[PLACE].config
    op.kube.apply(config={"topic": "orders"}, **spec)
    await asyncio.sleep(700)
    assert "password" not in op.lenses.connectors[PLACE].config
    assert len(op.lenses.asked("put_resource")) == 2


async def test_what_was_adopted_unread_is_not_recreated_by_the_next_process_that_can_read_it() -> None:
    """Adopted while Lenses showed no configuration; the answers of a repair are lost, and the process ends then."""
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    lenses.connectors[PLACE] = Connector({"connector.class": CLASS, "topic": "orders", "by.hand": "1"})
    shows = lenses.shows
    lenses.shows = lambda _: {}
    lenses.hidden = frozenset({"connector.class", "topic"})
    async with operator(lenses, kube) as op:
        kube.apply(config={"topic": "orders"}, adoptionPolicy="Always")
        while "Adopted" not in op.reasons():
            await asyncio.sleep(0.01)
        lenses.shows, lenses.hidden = shows, frozenset()
        lost = errors.LensesUnreachable("create_connector", "the connection was dropped", reason="dropped")
        lenses.fail("create_connector", lost, carried_out=True)
        while not lenses.asked("create_connector"):
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.0011)
    assert lenses.connectors[PLACE].config == {"connector.class": CLASS, "topic": "orders"}
    async with operator(lenses, kube) as op:
        await asyncio.sleep(700)
        assert len(lenses.asked("delete_connector")) == len(lenses.asked("create_connector")) == 1
        assert op.said()[1] == "Running"


@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
async def test_what_somebody_else_has_put_right_is_not_written_again_when_it_is_hidden_later(strategy: str) -> None:
    async with operator(drift=30.0) as op:
        op.kube.apply(updateStrategy=strategy)
        await asyncio.sleep(30)
        op.lenses.always("validate", errors.ServerError("validate", detail="busy"))
        op.kube.apply(config={"topic": "new"}, updateStrategy=strategy)
        await asyncio.sleep(5)
        op.lenses.connectors[PLACE].config = {"connector.class": CLASS, "topic": "new"}
        op.lenses.always("validate", None)
        await asyncio.sleep(120)
        assert op.said()[1] == "Running"
        op.lenses.calls.clear()
        op.lenses.shows = lambda _: {}
        await asyncio.sleep(120)
        assert op.lenses.asked("delete_connector", "put_resource", "create_connector") == []


__all__ = ["CREATED", "Connector"]


@pytest.mark.parametrize("mended", ["meanwhile", "afterwards", "never"])
async def test_what_create_refused_for_the_value_of_a_secret_is_tried_again_after_a_restart_once_that_is_another(
    mended: str,
) -> None:
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    lenses.refuses = lambda config: config.get("password") == "wrong-hunter"
    secret(kube, "1", "wrong-hunter")
    async with operator(lenses, kube) as op:
        op.kube.apply()
        await asyncio.sleep(30)
        op.kube.apply(configFrom=[SOURCE])
        await asyncio.sleep(120)
        assert op.said() == ("False", "ConfigInvalid", "Owned")
        assert "password" not in lenses.connectors[PLACE].config
    if mended == "meanwhile":
        secret(kube, "2", "good-hunter")
    lenses.calls.clear()
    async with operator(lenses, kube) as op:
        await asyncio.sleep(30)
        if mended == "afterwards":
            assert lenses.asked("delete_connector") == []
            secret(kube, "2", "good-hunter")
        await asyncio.sleep(400)
        if mended == "never":
            assert lenses.asked("delete_connector", "create_connector") == []
            assert op.said() == ("False", "ConfigInvalid", "Owned")
        else:
            assert op.said() == ("True", "Running", "Owned")
            assert lenses.connectors[PLACE].config["password"] == "good-hunter"
            assert op.kube.status().refused_config is None


async def test_an_orderly_end_just_after_a_create_keeps_what_lenses_has_added() -> None:
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    lenses.shows = lambda config: config | {"server.default": "1", "file": config["file"] + "/."}
    async with operator(lenses, kube) as op:
        create = lenses.create_connector

        async def create_connector(*arguments: Any, precondition: Callable[[], bool]) -> None:
            await create(*arguments, precondition=precondition)
            op.queue.close()  # what is under way goes on to its end

        setattr(lenses, "create_connector", create_connector)  # noqa: B010 - a double of the method
        kube.apply()
        await asyncio.sleep(10)
    lenses.calls.clear()
    async with operator(lenses, kube) as op:
        await asyncio.sleep(1000)
        assert op.said() == ("True", "Running", "Owned")
        assert lenses.asked("delete_connector", "create_connector") == []


@pytest.mark.parametrize("change", ["rotated", "named no more"])
async def test_a_trace_from_before_our_own_write_is_not_quoted_by_an_operator_that_begins_anew(change: str) -> None:
    """Connect goes on showing a failed task whose own configuration has not changed."""
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    secret(kube, "1", "old-hunter")
    async with operator(lenses, kube) as op:
        op.kube.apply(configFrom=[SOURCE], updateStrategy="InPlace")
        await asyncio.sleep(30)
        assert not former_traces(kube)
        lenses.connectors[PLACE].tasks = [("FAILED", TRACE)]
        if change == "rotated":
            secret(kube, "2", "new-hunter")
        sources = [SOURCE] if change == "rotated" else []
        op.kube.apply(config={"topic": "other"}, configFrom=sources, updateStrategy="InPlace")
        await asyncio.sleep(60)
        assert former_traces(kube)
        assert kube.status().tasks[0].error == "ConnectException: login with [redacted]"
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        lenses.connectors[PLACE].tasks = [("FAILED", f"{TRACE}!")]
        await asyncio.sleep(400)
        assert "old-hunter" not in str(kube.objects)
        assert kube.status().tasks[0].error == WITHHELD
        lenses.connectors[PLACE].tasks = [("RUNNING", None)]
        await asyncio.sleep(400)
        assert not former_traces(kube)
        lenses.connectors[PLACE].tasks = [("FAILED", "another trouble")]
        await asyncio.sleep(400)
        assert kube.status().tasks[0].error == "another trouble"


async def test_a_key_that_lenses_hides_and_nobody_wants_is_told_at_the_adoption_and_never_quoted() -> None:
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    async with operator(lenses, kube) as op:
        op.kube.apply(configFrom=[SOURCE], deletionPolicy="Retain")
        secret(kube, "1", "old-hunter")
        await asyncio.sleep(60)
        op.kube.delete()
        await asyncio.sleep(30)
    lenses.shows = lambda config: {key: value for key, value in config.items() if key != "password"}
    lenses.hidden = frozenset({"password", "tasks"})
    async with operator(lenses, kube) as op:
        op.kube.apply()
        await asyncio.sleep(30)
        assert op.said() == ("True", "Running", "Owned")
        assert "Taken as equal, because Lenses does not show them: password." in op.event("Adopted").message
        lenses.connectors[PLACE].tasks = [("FAILED", TRACE)]
        await asyncio.sleep(400)
        assert kube.status().tasks[0].error == WITHHELD
        op.kube.apply(config={"topic": "other"})
        await asyncio.sleep(30)
        lenses.connectors[PLACE].tasks = [("FAILED", "another trouble")]
        await asyncio.sleep(400)
        assert kube.status().tasks[0].error == "another trouble"


@pytest.mark.parametrize("policy", ["Delete", "DeleteWithOffsets"])
async def test_what_somebody_let_go_by_hand_while_lenses_answered_is_not_deleted(op: Operator, policy: str) -> None:
    op.kube.apply(deletionPolicy=policy, state="stopped")
    await asyncio.sleep(30)
    look_closely(op)
    meanwhile(op.lenses, "poll_connector", op.kube.vanish)
    op.kube.delete()
    await asyncio.sleep(120)
    assert op.lenses.asked("delete_connector", "reset_offsets") == []


async def test_of_what_only_lenses_has_shown_status_keeps_no_hash_and_the_secrets_from_before() -> None:
    """Created again after a refusal, by an operator that did not write it: the hash would be over a Secret's value."""
    lenses = FakeLenses()
    kube = FakeKube(lenses.calls)
    secret(kube, "1", "old-hunter")
    lenses.refuses = lambda config: config["topic"] == "new"
    async with operator(lenses, kube) as op:
        op.kube.apply(configFrom=[SOURCE])
        await asyncio.sleep(30)
        op.queue.close()  # the spec changes while no operator runs, so that its last write is not remembered
        op.kube.apply(config={"topic": "new"}, configFrom=[SOURCE])
    secret(kube, "2", "new-hunter")
    async with operator(lenses, kube) as op:
        await asyncio.sleep(120)
        assert op.said()[1] == "ConfigInvalid"
        assert lenses.connectors[PLACE].config["password"] == "old-hunter"
        applied = kube.status().applied_config
        assert applied is not None
        assert (applied.hash, [one.resource_version for one in applied.secrets]) == ("", ["1"])
        lenses.refuses = lambda config: config["topic"].startswith("new")
        op.kube.apply(config={"topic": "new again"}, configFrom=[SOURCE])  # goes back to the same once more
        await asyncio.sleep(120)
        applied = kube.status().applied_config
        assert applied is not None
        assert (applied.hash, [one.resource_version for one in applied.secrets]) == ("", ["1"])
    lenses.refuses = lambda config: config["topic"] == "new"
    lenses.connectors[PLACE].tasks = [("FAILED", TRACE)]
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        assert kube.status().tasks[0].error == WITHHELD
        op.kube.apply(config={"topic": "newer"}, configFrom=[SOURCE])
        await asyncio.sleep(60)
        assert op.said() == ("True", "Running", "Owned")
        assert lenses.connectors[PLACE].config["password"] == "new-hunter"
