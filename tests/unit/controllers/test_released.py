"""An object that we have let go and that somebody else's finalizer keeps: whoever waits for its connector has it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.cache.connector_feed import ConnectorFeed
from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.resources.base import FINALIZER, ObjectKey
from lenses_operator.resources.connector import LensesConnector
from unit.controllers.fakes import KEY, RUNNING, FakeKube, FakeLenses, Operator, operator
from unit.resources.make import SENT, body

pytestmark = pytest.mark.virtual_time

WAITS = ("False", "Conflict", "Conflict")
OTHERS = "other/keeps-it"
TWIN = ObjectKey("LensesConnector", "other", "orders")


class KeptKube(FakeKube):
    """The first object has a further finalizer, which nobody ever takes off."""

    def apply(self, name: str = "orders", *, namespace: str = "payments", **spec: Any) -> None:
        super().apply(name, namespace=namespace, **spec)
        metadata = self.objects[namespace, name]["metadata"]
        if namespace == "payments" and OTHERS not in metadata["finalizers"]:
            metadata["finalizers"] = [*metadata["finalizers"], OTHERS]


class DeafKube(KeptKube):
    """Once deaf, no watch event comes and no answer to the taking off of a finalizer: it is done, nobody is told."""

    deaf = False

    def _changed(self, namespace: str, name: str) -> None:
        seen = self.on_seen
        if self.deaf:
            self.on_seen = lambda _: None
        super()._changed(namespace, name)
        self.on_seen = seen

    async def remove_finalizer(self, resource: LensesConnector) -> LensesConnector | None:
        self.deaf = True
        if FINALIZER in self.finalizers():
            await super().remove_finalizer(resource)
        return None


@pytest.fixture
def kube(lenses: FakeLenses) -> KeptKube:
    return KeptKube(lenses.calls)


async def two(op: Operator) -> None:
    """The older runs, the younger waits."""
    await op.applies()
    await op.applies(seconds=60, namespace="other", config={"topic": "younger"})
    assert (op.said(), op.said(namespace="other")) == (RUNNING, WAITS)


async def younger_has_it(op: Operator) -> None:
    assert op.kube.finalizers() == [OTHERS]
    assert op.said(namespace="other") == RUNNING
    assert op.held.config["topic"] == "younger"


async def test_by_the_answer_of_our_own_patch(op: Operator) -> None:
    await two(op)
    await op.deletes(seconds=60)
    await younger_has_it(op)


async def test_also_where_nothing_of_it_is_left_to_retain(op: Operator) -> None:
    await two(op)
    op.kube.apply(deletionPolicy="Retain")
    await op.deletes(seconds=60)
    assert op.kube.finalizers() == [OTHERS]
    assert op.said(namespace="other")[1] == "NotAdopted"
    assert op.held.config == SENT


async def test_by_the_list_alone() -> None:
    kube = DeafKube([])
    async with operator(kube=kube) as op:
        await two(op)
        await op.deletes(seconds=60)
        assert op.kube.finalizers() == [OTHERS]
        assert op.said(namespace="other") == WAITS
        kube.deaf = False
        op.feed.listed(list(op.kube.objects.values()))
        await asyncio.sleep(60)
        await younger_has_it(op)


async def test_by_the_answer_to_a_write_of_its_status(op: Operator) -> None:
    """It never owned the connector, and its deletion comes to light with what we write: the watch then has no news."""
    op.lenses.connectors.clear()
    await op.applies(adoptionPolicy="Never", suspend=True)
    await op.applies(namespace="other", config={"topic": "younger"})
    assert op.said(namespace="other") == WAITS
    seen, op.kube.on_seen = op.kube.on_seen, lambda _: None
    op.kube.delete()
    op.kube._edit("payments", "orders", generation=2)
    await asyncio.sleep(1)
    op.kube.on_seen = seen
    before = op.cache.get(KEY)
    assert before is not None
    assert not before.metadata.deleting
    op.cache.upsert(LensesConnector.read(op.kube.objects["payments", "orders"]))  # as `Reporter.took` does
    await asyncio.sleep(30)
    assert op.said(namespace="other") == RUNNING


async def test_after_a_restart_of_the_operator() -> None:
    kube = DeafKube([])
    async with operator(kube=kube) as op:
        await two(op)
        await op.deletes(seconds=60)
        lenses = op.lenses
    kube.deaf = False
    async with operator(lenses, kube) as op:
        await asyncio.sleep(60)
        await younger_has_it(op)


async def test_policy_still_has_its_say(op: Operator) -> None:
    await two(op)
    op.policy = Policy((Rule(namespaces=("payments",)),))
    await op.deletes(seconds=60)
    assert op.said(namespace="other")[1] == "NotAllowed"
    assert op.connector is None


OWNED = {"ownership": {"state": "Owned"}}
LETTING_GO = {
    "released": {"deleting": True, "finalizers": (OTHERS,)},
    "stripped and then deleted": {"deleting": True, "finalizers": ()},
    "another object of the name": {"uid": "uid-9"},
    "another object, about another connector": {"uid": "uid-9", "cluster": "us"},
    "no longer its owner": {"status": {"ownership": {"state": "Conflict"}}},
}


@pytest.mark.parametrize("way", ["answer", "watch", "list"])
@pytest.mark.parametrize("change", LETTING_GO.values(), ids=LETTING_GO)
def test_every_way_in_wakes_the_siblings(change: dict[str, Any], way: str) -> None:
    cache, woken = ConnectorCache(), list[ObjectKey]()
    feed = ConnectorFeed(cache, woken.append)
    feed.seen(body(version=1, finalizers=(FINALIZER, OTHERS), status=OWNED))
    feed.seen(body(namespace="other", uid="uid-2", age=1))
    woken.clear()
    after = body(version=3, **{"status": OWNED, **change})
    match way:
        case "answer":
            cache.upsert(LensesConnector.read(after))
        case "watch":
            feed.seen(after)
        case _:
            feed.listed([after])
    assert TWIN in woken


@pytest.mark.parametrize(
    "change",
    [{"deleting": True}, {"status": {"ownership": {"state": "Claiming"}}}, {"annotations": {"a": "b"}}],
    ids=["deleting and still ours", "claimed", "nothing of ours"],
)
def test_what_lets_nothing_go_wakes_none_by_an_answer(change: dict[str, Any]) -> None:
    cache, woken = ConnectorCache(), list[ObjectKey]()
    feed = ConnectorFeed(cache, woken.append)
    feed.seen(body(version=1))
    feed.seen(body(namespace="other", uid="uid-2", age=1))
    woken.clear()
    cache.upsert(LensesConnector.read(body(version=3, **change)))
    assert woken == []
