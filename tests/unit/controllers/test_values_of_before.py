"""A value that was given to the connector before is not quoted, whoever gave it and whoever knows it."""

from __future__ import annotations

import asyncio

import pytest

from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from unit.controllers.fakes import NAME, RUNNING, FakeKube, FakeLenses, Operator, Task, operator
from unit.controllers.support import SOURCE, end_after_create, mask, secret

pytestmark = pytest.mark.virtual_time

TRACE = "ConnectException: login with old-hunter"
WITHHELD = "the error text is withheld because it may quote values that could not be read"


@pytest.mark.parametrize("overridden_by", ["spec.config", "a later Secret"])
async def test_a_secret_that_is_overridden_by_now_is_redacted_while_the_connector_still_quotes_it(
    lenses: FakeLenses,
    kube: FakeKube,
    overridden_by: str,
) -> None:
    for name in ("old", "new"):
        kube.references["payments", RefName("Secret", name)] = RefData("1", {"password": f"{name}-hunter".encode()})
    sources = [{"key": "password", "secretKeyRef": {"name": name, "key": "password"}} for name in ("old", "new")]
    trace = "ConnectException: login with old-hunter"
    async with operator(lenses, kube) as op:
        await op.applies(configFrom=sources[:1], state="stopped")
        if overridden_by == "spec.config":
            op.kube.apply(configFrom=sources[:1], state="stopped", config={"topic": "orders", "password": "plain"})
        else:
            op.kube.apply(configFrom=sources, state="stopped")
        await asyncio.sleep(30)
    lenses.connectors[NAME].tasks = [Task(0, "FAILED", trace)]
    async with operator(lenses, kube) as op:
        await asyncio.sleep(30)
        assert op.kube.status().tasks[0].error == "ConnectException: login with [redacted]"


@pytest.mark.parametrize("how", ["rotated", "named no more"])
async def test_a_value_that_only_a_former_process_knew_is_not_quoted(
    lenses: FakeLenses, kube: FakeKube, how: str
) -> None:
    secret(kube, "1", "old-hunter")
    async with operator(lenses, kube) as op:
        await op.applies(configFrom=[SOURCE], state="stopped")
    secret(kube, "2", "new-hunter")
    lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE)]
    if how == "named no more":
        kube.apply(config={"topic": "other"}, state="stopped")
    async with operator(lenses, kube) as op:
        await asyncio.sleep(30)
        error = op.kube.status().tasks[0].error
        assert error is not None
        assert "old-hunter" not in str(kube.objects)
        assert error == WITHHELD


async def test_a_value_that_only_a_former_process_knew_is_not_quoted_by_what_the_next_write_leaves(
    lenses: FakeLenses, kube: FakeKube
) -> None:
    """Connect shows a task as it was for a moment after its connector got another configuration."""
    secret(kube, "1", "old-hunter")
    async with operator(lenses, kube) as op:
        await op.applies(configFrom=[SOURCE], updateStrategy="InPlace")
    secret(kube, "2", "new-hunter")
    lenses.keeps_tasks = True
    lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE)]
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        assert len(lenses.asked("put_resource")) == 1
        assert op.kube.status().tasks[0].error == WITHHELD
        assert "old-hunter" not in str(kube.objects)
        lenses.connectors[NAME].tasks = [Task(0, "RUNNING")]
        await asyncio.sleep(400)
        lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE.replace("old", "new"))]
        await asyncio.sleep(400)
        assert op.kube.status().tasks[0].error == TRACE.replace("old-hunter", "[redacted]")


@pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
@pytest.mark.parametrize("masked", [False, True])
async def test_what_a_former_process_gave_and_could_not_write_down_is_known_by_its_claim(
    lenses: FakeLenses, kube: FakeKube, strategy: str, masked: bool
) -> None:
    if masked:
        lenses.shows = mask
    await end_after_create(lenses, kube, strategy)
    secret(kube, "2", "new-hunter")
    lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE)]
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        assert "old-hunter" not in str(kube.objects)
        assert lenses.connectors[NAME].config["password"] == "new-hunter"
        applied = op.kube.applied()
        assert (applied.time is not None, applied.secrets[0].resource_version) == (True, "2")


async def test_a_value_of_the_resource_that_had_the_connector_before_is_not_quoted(op: Operator) -> None:
    secret(op.kube, "1", "old-hunter")
    await op.applies(configFrom=[SOURCE], deletionPolicy="Retain")
    await op.deletes()
    op.lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE)]
    op.kube.apply(namespace="logistics", adoptionPolicy="Always", state="stopped")
    op.lenses.always("set_state", errors.ServerError("set_state", detail="old-hunter is no good"))
    await asyncio.sleep(60)
    assert op.said(namespace="logistics")[2] == "Owned"
    assert "hunter" not in str(op.kube.objects)
    assert WITHHELD in str(op.kube.objects), "what it has there is still that of the other"
    op.lenses.always("set_state", None)
    await op.applies(seconds=60, namespace="logistics", adoptionPolicy="Always")
    op.lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE)]
    await asyncio.sleep(60)
    assert "hunter" not in str(op.kube.objects)
    assert "[redacted]" in str(op.kube.objects)


def former_traces(kube: FakeKube) -> bool | None:
    applied = kube.applied()
    return applied.former_traces


@pytest.mark.parametrize("change", ["rotated", "named no more"])
async def test_a_trace_from_before_our_own_write_is_not_quoted_by_an_operator_that_begins_anew(
    lenses: FakeLenses, kube: FakeKube, change: str
) -> None:
    """Connect goes on showing a failed task whose own configuration has not changed."""
    secret(kube, "1", "old-hunter")
    async with operator(lenses, kube) as op:
        await op.applies(configFrom=[SOURCE], updateStrategy="InPlace")
        assert not former_traces(kube)
        lenses.keeps_tasks = True
        lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE)]
        if change == "rotated":
            secret(kube, "2", "new-hunter")
        sources = [SOURCE] if change == "rotated" else []
        await op.applies(seconds=60, config={"topic": "other"}, configFrom=sources, updateStrategy="InPlace")
        assert former_traces(kube)
        assert kube.status().tasks[0].error == "ConnectException: login with [redacted]"
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        lenses.connectors[NAME].tasks = [Task(0, "FAILED", f"{TRACE}!")]
        await asyncio.sleep(400)
        assert "old-hunter" not in str(kube.objects)
        assert kube.status().tasks[0].error == WITHHELD
        lenses.connectors[NAME].tasks = [Task(0, "RUNNING")]
        await asyncio.sleep(400)
        assert not former_traces(kube)
        lenses.connectors[NAME].tasks = [Task(0, "FAILED", "another trouble")]
        await asyncio.sleep(400)
        assert kube.status().tasks[0].error == "another trouble"


async def test_a_key_that_lenses_hides_and_nobody_wants_is_told_at_the_adoption_and_never_quoted(
    lenses: FakeLenses, kube: FakeKube
) -> None:
    async with operator(lenses, kube) as op:
        op.kube.apply(configFrom=[SOURCE], deletionPolicy="Retain")
        secret(kube, "1", "old-hunter")
        await asyncio.sleep(60)
        await op.deletes()
    lenses.hide("password", "tasks")
    async with operator(lenses, kube) as op:
        await op.applies()
        assert op.said() == RUNNING
        assert "Taken as equal, because Lenses does not show them: password." in op.event("Adopted").message
        lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE)]
        await asyncio.sleep(400)
        assert kube.status().tasks[0].error == WITHHELD
        await op.applies(config={"topic": "other"})
        lenses.connectors[NAME].tasks = [Task(0, "FAILED", "another trouble")]
        await asyncio.sleep(400)
        assert kube.status().tasks[0].error == "another trouble"


async def test_of_what_only_lenses_has_shown_status_keeps_no_hash_and_the_secrets_from_before(
    lenses: FakeLenses, kube: FakeKube
) -> None:
    """Created again after a refusal, by an operator that did not write it: the hash would be over a Secret's value."""
    secret(kube, "1", "old-hunter")
    lenses.refuses = lambda config: config["topic"] == "new"
    async with operator(lenses, kube) as op:
        await op.applies(configFrom=[SOURCE])
        op.queue.close()  # the spec changes while no operator runs, so that its last write is not remembered
        op.kube.apply(config={"topic": "new"}, configFrom=[SOURCE])
    secret(kube, "2", "new-hunter")
    async with operator(lenses, kube) as op:
        await asyncio.sleep(120)
        assert op.said()[1] == "ConfigInvalid"
        assert lenses.connectors[NAME].config["password"] == "old-hunter"
        applied = kube.applied()
        assert (applied.hash, [one.resource_version for one in applied.secrets]) == ("", ["1"])
        lenses.refuses = lambda config: config["topic"].startswith("new")
        op.kube.apply(config={"topic": "new again"}, configFrom=[SOURCE])  # goes back to the same once more
        await asyncio.sleep(120)
        applied = kube.applied()
        assert (applied.hash, [one.resource_version for one in applied.secrets]) == ("", ["1"])
    lenses.refuses = lambda config: config["topic"] == "new"
    lenses.connectors[NAME].tasks = [Task(0, "FAILED", TRACE)]
    async with operator(lenses, kube) as op:
        await asyncio.sleep(400)
        assert kube.status().tasks[0].error == WITHHELD
        await op.applies(seconds=60, config={"topic": "newer"}, configFrom=[SOURCE])
        assert op.said() == RUNNING
        assert lenses.connectors[NAME].config["password"] == "new-hunter"
