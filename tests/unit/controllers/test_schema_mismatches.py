"""An object that does not fit its definition says so, keeps its claim, and is let go on the same proof as any other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.domain.policy import Policy
from lenses_operator.resources.base import FINALIZER
from lenses_operator.resources.connector import LensesConnector
from unit.controllers.fakes import KEY, RUNNING, FakeKube, FakeLenses, Operator, operator, steps
from unit.resources.make import body

pytestmark = pytest.mark.virtual_time

OWNED = {"ownership": {"state": "Owned"}}
SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "state": ({"state": "flying"}, "spec.state"),
    "a number for a list": ({"configFrom": 5}, "spec.configFrom"),
    "no reference": ({"configFrom": [{"key": "a"}]}, "spec.configFrom[0]"),
    "a map too few": ({"configFrom": [{"secretRef": "s"}]}, "spec.configFrom[0].secretRef"),
    "config is text": ({"config": "a=b"}, "spec.config"),
    "tasks": ({"tasksMax": "many"}, "spec.tasksMax"),
    "null": ({"suspend": None}, "spec.suspend"),
    "class": ({"class": ["a"]}, "spec.class"),
    "restarts": ({"autoRestart": {"maxRestarts": 10**30 + 1, "enabled": "perhaps"}}, "spec.autoRestart.enabled"),
    "policy": ({"deletionPolicy": "Explode"}, "spec.deletionPolicy"),
    "token": ({"tokenSecretRef": {"name": "t"}}, "spec.tokenSecretRef.key"),
    "environment": ({"environment": {}}, "spec.environment"),
    "cluster": ({"cluster": None}, "spec.cluster"),
    "name": ({"name": 5}, "spec.name"),
}
BLOCKS = ("policy", "token", "environment", "cluster", "name")
"""Without these it cannot be told what to delete, whether, or with whose token."""


def restarted(op: Operator) -> tuple[FakeLenses, FakeKube]:
    """What is there for the next process."""
    return op.lenses, op.kube


@pytest.mark.parametrize("case", SPECS)
async def test_it_says_which_field_and_nothing_is_sent(case: str) -> None:
    spec, field = SPECS[case]
    async with operator() as op:
        op.kube.apply(raw=spec)
        await op.applies("payments")
        assert op.said("payments") == RUNNING
        assert op.said() == ("False", "ConfigInvalid", "None")
        status = op.kube.status()
        assert status.observed_generation == 1
        assert {condition.type for condition in status.conditions} == {"Ready", "Stalled"}
        assert f"({field}: " in op.message()
        assert "corrected" in op.message()
        assert op.event("ConfigInvalid").message == op.message()
        assert op.kube.finalizers() == []
        assert not [call for call in op.lenses.calls if "orders" in call]
        writes = len(op.kube.statuses)
        await asyncio.sleep(1500)
        assert len(op.kube.statuses) == writes
        await op.applies()
        assert op.said() == RUNNING


@pytest.mark.parametrize("case", SPECS)
async def test_a_connector_that_runs_is_left_alone(case: str) -> None:
    """By the process that has seen it, and by the next one; nobody else may have it meanwhile."""
    spec, field = SPECS[case]
    async with operator() as op:
        await op.runs()
        await op.applies(seconds=60, raw=spec)
        assert op.said() == ("False", "ConfigInvalid", "Owned")
        assert f"({field}: " in op.message()
        assert op.kube.status().state == "RUNNING"
        op.kube.apply("younger", raw={"name": "orders"}, config={"topic": "another"}, adoptionPolicy="Always")
        await asyncio.sleep(60)
        assert op.said("younger") == ("False", "Conflict", "Conflict")
        kept = restarted(op)
    async with operator(*kept) as op:
        await asyncio.sleep(60)
        assert op.said()[1:] == ("ConfigInvalid", "Owned")
        if case not in ("environment", "cluster", "name"):  # which connector it has is known to the first process only
            assert op.said("younger") == ("False", "Conflict", "Conflict")
            assert steps(op.lenses.calls) == ["status ConfigInvalid Owned", "status Conflict Conflict"]
        await op.applies(seconds=60)
        assert op.said() == RUNNING


@pytest.mark.parametrize("case", SPECS)
async def test_deleting_it_takes_the_same_proof(case: str) -> None:
    spec, field = SPECS[case]
    async with operator() as op:
        await op.runs()
        op.kube.apply(raw=spec)
        await op.deletes(seconds=1500)
        if case not in BLOCKS:
            assert not op.kube.there()
            assert op.connector is None
            return
        assert op.said() == ("False", "DeletionBlocked", "Owned")
        assert field in op.message()
        assert '{"spec":{"deletionPolicy":"Retain"}}' in op.message()
        assert not op.lenses.asked("delete_connector")
        assert len(op.passes) < 40  # it is not asked in a hot loop
        await op.applies(seconds=1, raw=spec | {"deletionPolicy": "Retain"})
        assert not op.kube.there()
        assert not op.lenses.asked("delete_connector")


@pytest.mark.parametrize("case", SPECS)
async def test_what_never_owned_a_connector_is_let_go(op: Operator, case: str) -> None:
    op.kube.apply(raw=SPECS[case][0])
    op.kube.objects["payments", "orders"]["metadata"]["finalizers"] = [FINALIZER]
    await asyncio.sleep(5)
    await op.deletes(seconds=5)
    assert not op.kube.there()
    assert op.lenses.asked("delete_connector") == []


OWNERSHIPS: dict[str, Any] = {
    "a word of another version": {"ownership": {"state": "Lent", "to": "somebody"}},
    "text": {"ownership": "Owned"},
    "no status at all": "gibberish",
    "a list": [1, 2],
    "null": {"ownership": None},
}


@pytest.mark.parametrize("what", OWNERSHIPS)
async def test_who_owns_it_is_not_guessed(what: str) -> None:
    """Neither is the connector another's, nor is the object let go; what is not understood stays in status."""
    async with operator() as op:
        await op.runs()
        kept = restarted(op)
    kube = kept[1]
    kube.objects["payments", "orders"] |= {"status": OWNERSHIPS[what]}
    async with operator(*kept) as op:
        await op.applies("younger", seconds=60, raw={"name": "orders"}, adoptionPolicy="Always")
        assert op.said()[:2] == ("False", "ConfigInvalid")
        assert "status" in op.message()
        assert op.said("younger") == ("False", "Conflict", "Conflict")
        stored = kube.objects["payments", "orders"]["status"]
        if isinstance(OWNERSHIPS[what], dict):
            assert stored["ownership"] == OWNERSHIPS[what]["ownership"]
        kept = restarted(op)
    async with operator(*kept) as op:
        op.policy = Policy(())
        await op.deletes(seconds=1500)
        assert op.said()[:2] == ("False", "DeletionBlocked")
        assert op.lenses.asked("delete_connector") == []
        kube.objects["payments", "orders"]["status"] = OWNED
        kube._changed("payments", "orders")
        await asyncio.sleep(700)
        assert not op.kube.there()
        assert op.connector is None


GARBAGE: dict[str, Any] = {
    "conditions": "none",
    "observedGeneration": "new",
    "tasks": [{"id": "x"}],
    "topics": {"a": 1},
    "appliedConfig": 5,
    "autoRestart": {"count": "often"},
    "lastHandledRestart": [],
    "state": 7,
}


@pytest.mark.parametrize("field", GARBAGE)
async def test_garbage_that_costs_nothing_is_written_over(field: str) -> None:
    async with operator() as op:
        await op.runs()
        kept = restarted(op)
    before = kept[1].objects["payments", "orders"]
    kept[1].objects["payments", "orders"] = before | {"status": before["status"] | {field: GARBAGE[field]}}
    async with operator(*kept) as op:
        await op.applies(state="paused")
        assert op.said() == ("True", "Paused", "Owned")
        LensesConnector.parse(op.kube.objects["payments", "orders"])
        assert op.lenses.asked("delete_connector", "create_connector") == []


def test_the_store_remembers_what_cannot_be_read_any_more() -> None:
    cache = ConnectorCache()
    cache.upsert(LensesConnector.read(body(version=1, status=OWNED)))
    cache.upsert(LensesConnector.read(body(version=2, environment=5, status={"ownership": 5})))
    held = cache.get(KEY)
    assert held is not None
    assert (held.connector.environment, held.status.ownership.state.ours) == ("prod", True)
    assert held.cannot_be_deleted
    cache.upsert(LensesConnector.read(body(uid="uid-2", version=3, environment=5)))
    held = cache.get(KEY)
    assert held is not None
    assert held.connector.environment == ""


async def test_one_that_vanished_is_deleted_only_if_it_can_be_told_what() -> None:
    for spec, gone in (({"state": "flying"}, True), ({"deletionPolicy": "Explode"}, False)):
        async with operator() as op:
            await op.runs()
            await op.applies(seconds=5, raw=spec)
            op.kube.vanish()
            await asyncio.sleep(60)
            assert (op.connector is None) is gone
            assert op.cache.tombstone(KEY) is None  # one that could never be carried out would be tried for ever


async def test_among_many() -> None:
    """One of each kind among fifty good ones, from the start: they are all Ready, and it costs Lenses nothing."""
    kube = FakeKube([])
    for number, (spec, _) in enumerate(SPECS.values()):
        kube.apply(f"bad-{number}", raw=spec)
    for number in range(50):
        kube.apply(f"good-{number}")
    async with operator(FakeLenses(), kube) as op:
        await asyncio.sleep(60)
        for number in range(50):
            assert op.said(f"good-{number}") == RUNNING
        for number in range(len(SPECS)):
            assert op.said(f"bad-{number}")[:2] == ("False", "ConfigInvalid")
        await asyncio.sleep(3600)
        assert not [call for call in op.lenses.calls if any(str(word).startswith("bad-") for word in call)]
        bad = [key.name for key in op.passes if key.name.startswith("bad-")]
        assert len(bad) <= 2 * len(SPECS)
        assert len([event for event in op.events if event.name.startswith("bad-")]) == len(SPECS)
