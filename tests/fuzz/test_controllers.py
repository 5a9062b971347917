"""Over garbage from Lenses the controllers go on: they destroy nothing, and others do not wait for it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.support import examples
from fuzz.wire import DESTROYS, OBJECT, Spoiler, Wire, both_run, fits_kubernetes
from lenses_operator.lenses.errors import LensesUnreachable
from lenses_operator.lenses.models import OffsetsText
from lenses_operator.resources.base import FINALIZER
from unit.controllers.fakes import RUNNING, Connector, FakeLenses, operator
from unit.controllers.virtualtime import virtual_time
from unit.offsets.rig import OffsetsLenses, offsets_operator
from unit.resources.make import SENT


@examples(8)
@given(data=st.data())
@virtual_time
async def test_garbage_destroys_nothing_and_passes(data: st.DataObject) -> None:
    spoiler = Spoiler(data)
    async with operator(Wire(spoil=spoiler), poll=15, drift=40) as op:
        await both_run(op)
        spoiler.active = True
        await asyncio.sleep(150)
        op.kube.apply("payments", state="paused")
        spoiler.active = False
        await asyncio.sleep(1500)  # what is retried slowly is retried
        assert op.said("orders") == RUNNING
        assert op.said("payments") == ("True", "Paused", "Owned")
        assert not op.lenses.asked(*DESTROYS)
        assert op.kube.finalizers() == op.kube.finalizers("payments") == [FINALIZER]
        fits_kubernetes(op.kube)


@examples(8)
@given(data=st.data())
@virtual_time
async def test_garbage_about_one_delays_no_other(data: st.DataObject) -> None:
    """In the details of one of them; the list is about all."""
    spoiler = Spoiler(data)
    lenses = Wire(spoil=lambda operation, right: spoiler(operation, right) if operation == "get_connector" else None)
    async with operator(lenses, poll=15, drift=40) as op:
        await both_run(op)
        spoiler.active = True
        await op.applies("payments", seconds=60, state="paused")
        assert op.said("payments") == ("True", "Paused", "Owned")


@examples(8)
@given(data=st.data())
@virtual_time
async def test_no_finalizer_goes_on_the_strength_of_garbage(data: st.DataObject) -> None:
    """While it is deleted, the resource stays as long as its connector does."""
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
        assert op.said("payments") == RUNNING
        fits_kubernetes(op.kube)


@examples(8)
@given(data=st.data())
@virtual_time
async def test_offsets_operations_over_garbage(data: st.DataObject) -> None:
    """Asked once at most, with what was there before kept to the letter; and the connector goes on."""
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
        await op.until(lambda: op.said() == RUNNING)


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
        await op.until(lambda: op.said() == RUNNING)
