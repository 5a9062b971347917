"""Over garbage from Lenses the controllers go on: they destroy nothing, and others do not wait for it."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.garbage import NASTY_JSON, holes
from fuzz.support import examples
from lenses_operator.lenses.client import LensesClient, Listing, Shown
from lenses_operator.lenses.errors import LensesUnreachable
from lenses_operator.lenses.models import ClusterInfo, OffsetsText, Plugin
from lenses_operator.resources.base import FINALIZER
from unit.controllers.fakes import Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.virtualtime import VirtualTimeLoop, virtual_time
from unit.lenses.fakes import PAGE, rig
from unit.offsets.rig import OffsetsLenses, offsets_operator
from unit.resources.make import SENT

T = TypeVar("T")
OBJECT = 1_000_000
"""Bytes of an object, well below what etcd takes."""
DESTROYS = ("delete_connector", "reset_offsets", "alter_offsets", "put_resource")
READS = ("list_connectors", "get_connector", "get_cluster_info", "list_plugins", "validate", "get_topics")
PAGES = ((200, PAGE.encode()), (200, b""), (404, PAGE.encode()), (500, b"\xff"), (302, b""), (502, b"<" * 5000))


@dataclass
class Wire(OffsetsLenses):
    """Its answers go through the real client, some of them spoilt: what `spoil` gives of (operation, right answer)."""

    spoil: Callable[[str, Any], tuple[int, bytes] | None] = field(default=lambda *_: None)

    def __post_init__(self) -> None:
        super().__init__()

    async def _wire(self, operation: str, right: Any, ask: Callable[[LensesClient], Awaitable[T]]) -> T:
        status, body = self.spoil(operation, right) or (200, json.dumps(right).encode())
        return await ask(rig(httpx.Response(status, content=body)).client)

    async def poll_connectors(
        self, environment: str, known: Listing | None = None, *, cluster: str | None = None
    ) -> Listing:
        found = [_json(one) for one in await super().list_connectors(environment)]
        return await self._wire("list_connectors", {"data": found}, lambda it: it.poll_connectors("e", known))

    async def poll_connector(self, environment: str, cluster: str, name: str, known: bytes | None = None) -> Shown:
        shown = await super().poll_connector(environment, cluster, name)
        found = _json(shown.details)
        return await self._wire("get_connector", found, lambda client: client.poll_connector("e", cluster, name, known))

    async def get_cluster_info(self, environment: str, cluster: str) -> ClusterInfo:
        found = _json(await super().get_cluster_info(environment, cluster))
        return await self._wire("get_cluster_info", found, lambda client: client.get_cluster_info("e", cluster))

    async def get_topics(self, environment: str, cluster: str, name: str) -> list[str]:
        found = await super().get_topics(environment, cluster, name)
        return await self._wire("get_topics", found, lambda client: client.get_topics("e", cluster, name))

    async def list_plugins(self, environment: str, *, cluster: str | None = None) -> list[Plugin]:
        found = [_json(one) for one in await super().list_plugins(environment, cluster=cluster)]
        return await self._wire("list_plugins", {"data": found}, lambda client: client.list_plugins("e"))

    async def validate(self, environment: str, request: Any) -> Any:
        found = _json(await super().validate(environment, request))
        return await self._wire("validate", found, lambda client: client.validate("e", request))

    async def get_offsets(self, environment: str, cluster: str, name: str) -> OffsetsText:
        right = json.loads((await super().get_offsets(environment, cluster, name)).text)
        return await self._wire("get_offsets", {"offsets": right}, lambda it: it.get_offsets("e", cluster, name))


def _json(model: Any) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


@dataclass
class Spoiler:
    """Spoils what is read of the connector `orders`, and the lists, as `draw` says; others' answers are right."""

    draw: st.DataObject | None = None
    active: bool = False

    def __call__(self, operation: str, right: Any) -> tuple[int, bytes] | None:
        if not self.active or self.draw is None:
            return None
        if isinstance(right, dict) and right.get("name") == "payments":
            return None
        if not self.draw.draw(st.booleans()):
            return None
        page = st.sampled_from(PAGES)
        # A configuration of other values is what Lenses says, not garbage: it is put right, by a delete.
        shapes = [hole for hole in holes(right) if not ('"config": {' in hole and "%" in _config_of(hole))]
        one = st.tuples(st.sampled_from(shapes), st.sampled_from(NASTY_JSON))
        spoilt = one.map(lambda pair: (200, pair[0].replace("%", _wrong(*pair), 1).encode()))
        raw = json.dumps(right).encode()
        cut = st.integers(0, len(raw) - 1).map(lambda at: (200, raw[:at]))
        return self.draw.draw(spoilt | spoilt | cut | page)


def _config_of(hole: str) -> str:
    return hole.partition('"config": ')[2].partition("}")[0]


def _wrong(shape: str, value: str) -> str:
    return "null" if '"config": %' in shape and value.startswith("{") else value


def fits_kubernetes(kube: FakeKube) -> None:
    """Every status that was written: within the limits, and JSON."""
    for status in kube.statuses:
        wire = json.dumps(status.to_wire(), allow_nan=False).encode()
        assert len(wire) < OBJECT
        assert all(len(condition.message) <= 32768 for condition in status.conditions)
        ids = [task.id for task in status.tasks]
        assert len(ids) == len(set(ids))


def survives(story: Callable[[], Awaitable[None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:

        async def told() -> None:
            await story()

        runner.run(told())


async def both_run(op: Operator) -> None:
    for name in ("orders", "payments"):
        op.kube.apply(name)
    await asyncio.sleep(30)
    assert op.said("orders") == op.said("payments") == ("True", "Running", "Owned")
    op.lenses.calls.clear()


@examples(8)
@given(data=st.data())
def test_garbage_destroys_nothing_and_passes(data: st.DataObject) -> None:
    async def story() -> None:
        spoiler = Spoiler(data)
        async with operator(Wire(spoil=spoiler), poll=15, drift=40) as op:
            await both_run(op)
            spoiler.active = True
            await asyncio.sleep(150)
            op.kube.apply("payments", state="paused")
            spoiler.active = False
            await asyncio.sleep(1500)  # what is retried slowly is retried
            assert op.said("orders") == ("True", "Running", "Owned")
            assert op.said("payments") == ("True", "Paused", "Owned")
            assert not op.lenses.asked(*DESTROYS)
            assert op.kube.finalizers() == op.kube.finalizers("payments") == [FINALIZER]
            fits_kubernetes(op.kube)

    survives(story)


@examples(8)
@given(data=st.data())
def test_garbage_about_one_delays_no_other(data: st.DataObject) -> None:
    """Everything but the list, which is about all of them."""

    async def story() -> None:
        spoiler = Spoiler(data)

        def spoil(operation: str, right: Any) -> tuple[int, bytes] | None:
            return (
                None
                if operation in ("list_connectors", "get_cluster_info", "list_plugins")
                else spoiler(operation, right)
            )

        lenses = Wire(spoil=lambda operation, right: spoil(operation, right) if operation == "get_connector" else None)
        async with operator(lenses, poll=15, drift=40) as op:
            await both_run(op)
            spoiler.active = True
            await op.applies("payments", seconds=60, state="paused")
            assert op.said("payments") == ("True", "Paused", "Owned")

    survives(story)


@examples(8)
@given(data=st.data())
def test_no_finalizer_goes_on_the_strength_of_garbage(data: st.DataObject) -> None:
    """While it is deleted, the resource stays as long as its connector does."""

    async def story() -> None:
        spoiler = Spoiler(data)
        lenses = Wire(spoil=spoiler)
        async with operator(lenses, poll=15, drift=40) as op:
            await both_run(op)
            spoiler.active = True
            op.kube.delete("orders")
            for _ in range(200):
                await asyncio.sleep(0.5)
                assert op.kube.there("orders") or op.connector is None
            spoiler.active = False
            await asyncio.sleep(1500)
            assert not op.kube.there("orders")
            assert [call[1] for call in op.lenses.asked("delete_connector")] == ["orders"]
            assert op.said("payments") == ("True", "Running", "Owned")
            fits_kubernetes(op.kube)

    survives(story)


@examples(8)
@given(data=st.data())
def test_offsets_operations_over_garbage(data: st.DataObject) -> None:
    """Asked once at most, with what was there before kept to the letter; and the connector goes on."""

    async def story() -> None:
        lenses = Wire()
        async with offsets_operator(lenses) as op:
            await op.runs()
            spoiler = Spoiler(data, active=True)
            lenses.spoil = spoiler
            was = lenses.offsets
            op.offsets.apply("look", action="Observe", offsets=())
            op.offsets.apply("back")
            await asyncio.sleep(200)
            lenses.spoil = lambda *_: None
            await asyncio.sleep(2000)
            phase = op.offsets.status("back").phase
            assert phase in ("Applied", "Failed")
            assert len(lenses.sent) <= 1
            if lenses.sent:
                kept = op.offsets.status("back").before
                assert kept is not None
            elif phase == "Failed":
                assert lenses.offsets == was
            assert op.held.state == "RUNNING"
            for status in op.offsets.statuses:
                assert len(json.dumps(status.to_wire(), allow_nan=False).encode()) < OBJECT

    survives(story)


LONG = "x" * 1_000_000


def _task(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": number, "state": "FAILED", "workerId": "w:1", "trace": "Oh: no\n\tat X\n" * 100, **changes}


SHOWN: dict[str, dict[str, Any]] = {
    "10,000 tasks": {"tasks": [_task(number) for number in range(10_000)]},
    "traces of a megabyte": {"tasks": [_task(number, trace="a\n" + LONG + "\nCaused by: b") for number in range(20)]},
    "one task many times": {"tasks": [_task(number % 7) for number in range(100)]},
    "long words": {
        "state": LONG,
        "type": LONG,
        "version": LONG,
        "workerId": LONG,
        "lrn": LONG,
        "tasks": [_task(0, state=LONG)],
    },
    "long worker ids": {"tasks": [_task(number, workerId=LONG[:9000]) for number in range(1200)]},
    "100,000 keys": {"config": SENT | {f"{number}.{LONG[:50]}": "" for number in range(20_000)}},
    "long keys": {"config": SENT | {LONG: "x"}},
}


@pytest.mark.parametrize("what", SHOWN)
@pytest.mark.parametrize("adopted", [True, False])
@virtual_time
async def test_status_and_events_fit_kubernetes_whatever_is_shown(what: str, adopted: bool) -> None:
    """From the list and from the details, of a connector that is ours and of one that was there before."""
    changes = SHOWN[what]

    def spoil(operation: str, right: Any) -> tuple[int, bytes] | None:
        shown = {key: value for key, value in changes.items() if operation == "get_connector" or key != "config"}
        if operation == "get_connector":
            return 200, json.dumps(right | shown).encode()
        if operation == "list_connectors":
            return 200, json.dumps({"data": [one | shown for one in right["data"]]}).encode()
        return None

    async with operator(Wire(), poll=15, drift=40) as op:
        if not adopted:
            op.lenses.connectors["orders"] = Connector(dict(SENT) | {"another": "1"})
        await op.applies(seconds=20)
        assert isinstance(op.lenses, Wire)
        op.lenses.spoil = spoil
        await asyncio.sleep(90)
        fits_kubernetes(op.kube)
        assert op.kube.statuses
        assert all(len(event.message) <= 2000 for event in op.events)
        writes = len(op.kube.statuses)
        await asyncio.sleep(60)
        assert len(op.kube.statuses) - writes <= 4  # it comes to rest: what is cut differs from nothing


@virtual_time
async def test_a_hundred_thousand_validation_errors() -> None:
    async with operator(FakeLenses()) as op:
        op.lenses.invalid = {f"key.{number}": ["bad " * 10] * 3 for number in range(100_000)}
        await op.applies()
        assert op.said()[:2] == ("False", "ConfigInvalid")
        assert "100000 keys" in op.message()
        fits_kubernetes(op.kube)
        assert all(len(event.message) <= 2000 for event in op.events)


@virtual_time
async def test_a_hundred_thousand_topics() -> None:
    async with operator(FakeLenses()) as op:
        op.lenses.topics = [f"topic.{number}" for number in range(100_000)]
        await op.applies()
        assert op.said()[:2] == ("True", "Running")
        topics = op.kube.status().topics
        assert topics is not None
        assert 1000 < len(topics) < 10_000
        fits_kubernetes(op.kube)


@pytest.mark.parametrize("depth", [200, 400, 900])
@virtual_time
async def test_offsets_nested_deeply(depth: int) -> None:
    lenses = OffsetsLenses()
    async with offsets_operator(lenses) as op:
        await op.runs()
        lenses.offsets = '[{"partition": {"a": 1}, "offset": {"b": ' + "[" * depth + "]" * depth + "}}]"
        op.offsets.apply("look", action="Observe", offsets=())
        await asyncio.sleep(60)
        assert op.offsets.status("look").partitions == 1


def nested(where: str, depth: int) -> str:
    entry = {"partition": '{"a": 1}', "offset": '{"b": 1}', where: '{"c": ' + "[" * depth + "]" * depth + "}"}
    return f'[{{"partition": {entry["partition"]}, "offset": {entry["offset"]}}}]'


@pytest.mark.parametrize("depth", [200, 400, 480, 600, 900])
@pytest.mark.parametrize("action", ["Alter", "Reset"])
@pytest.mark.parametrize("where", ["partition", "offset"])
@virtual_time
async def test_offsets_changed_that_were_nested_deeply(
    monkeypatch: pytest.MonkeyPatch, depth: int, action: str, where: str
) -> None:
    """What cannot be compared keeps no connector stopped, and is written down as it was."""
    lenses, before = OffsetsLenses(), nested(where, depth)
    get_offsets = lenses.get_offsets

    async def deep(*place: str) -> OffsetsText:
        changed = lenses.asked("alter_offsets", "reset_offsets")
        return await get_offsets(*place) if changed else OffsetsText(text=before, entries=1)

    monkeypatch.setattr(lenses, "get_offsets", deep)
    async with offsets_operator(lenses) as op:
        await op.runs()
        op.offsets.apply("change", **({} if action == "Alter" else {"action": action, "offsets": ()}))
        await op.until_reason("Applied", "change")
        assert op.offsets.status("change").before == before
        await op.until(lambda: op.said() == ("True", "Running", "Owned"))


@pytest.mark.parametrize("depth", [200, 400, 480, 600, 900])
@pytest.mark.parametrize("where", ["partition", "offset"])
@virtual_time
async def test_offsets_that_are_nested_deeply_after_a_lost_answer(depth: int, where: str) -> None:
    """Whether the request was carried out cannot be known, which is said; the connector goes on."""
    lenses = OffsetsLenses()
    async with offsets_operator(lenses) as op:
        await op.runs()
        lenses.fail("alter_offsets", LensesUnreachable("alter_offsets"))
        op.offsets.apply("change")
        await op.until(lambda: lenses.asked("alter_offsets"))
        lenses.offsets = nested(where, depth)
        await op.until_reason("OutcomeUnknown", "change")
        await op.until(lambda: op.said() == ("True", "Running", "Owned"))
