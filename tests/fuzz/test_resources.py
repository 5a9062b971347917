"""Whatever an object holds: it is read, or told of by field in a few words, and the others converge."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from doubles.kube import OffsetsKube
from fuzz.schemas import PLANTED, fitting, schema, spoilt
from fuzz.support import examples
from fuzz.wire import DESTROYS
from lenses_operator.domain import conditions, offsets_status
from lenses_operator.domain.offsets_text import OffsetsInvalid, request_text, usable
from lenses_operator.domain.references import ReferenceNotFound, named
from lenses_operator.domain.render import ConfigInvalid, render
from lenses_operator.domain.status import Report, next_status
from lenses_operator.resources.base import Resource
from lenses_operator.resources.conditions import MESSAGE_LIMIT, shorten
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from unit.controllers.fakes import FakeKube, FakeLenses, operator
from unit.controllers.virtualtime import virtual_time
from unit.offsets import make as offsets
from unit.offsets.rig import OffsetsLenses, offsets_operator
from unit.resources.make import NOW, body

METADATA = {LensesConnector: body()["metadata"], LensesConnectorOffsets: offsets.body()["metadata"]}


def objects(kind: type[Resource]) -> st.SearchStrategy[dict[str, Any]]:
    parts = schema(kind.plural)
    found = st.fixed_dictionaries({"spec": fitting(parts["spec"])}, optional={"status": fitting(parts["status"])})
    return found.map(lambda made: {"metadata": METADATA[kind]} | made)


def told(words: str, *, of: str) -> None:
    """A message is short, names a place, and repeats no value."""
    assert of in words
    assert PLANTED not in words
    assert len(shorten(words)) <= MESSAGE_LIMIT
    assert all(character.isprintable() for character in shorten(words))


def use(found: Resource) -> None:
    """What the core makes of it before it asks anybody."""
    if isinstance(found, LensesConnectorOffsets):
        assert "spec.offsets" in _requested(found)
        verdict = (
            offsets_status.schema_mismatch(found.schema_mismatch.words)
            if found.schema_mismatch
            else offsets_status.invalid("x")
        )
        wire = found.stored(offsets_status.next_status(found, verdict, NOW, {}).to_wire())
    else:
        assert isinstance(found, LensesConnector)
        assert named(found.spec) is not None
        assert "spec.config" in _rendered(found)
        verdict = conditions.schema_mismatch(found.schema_mismatch.words if found.schema_mismatch else "x")
        report = Report(verdict, found.status.ownership.state)
        wire = found.stored(next_status(found, report, NOW).to_wire())
    json.dumps(wire, allow_nan=True)
    assert wire["conditions"][0]["type"] == "Ready"


def _requested(found: LensesConnectorOffsets) -> str:
    """What is wrong with its entries, or that nothing is."""
    try:
        request_text(found.spec)
    except OffsetsInvalid as error:
        assert not usable(found.spec)
        return str(error)
    return "spec.offsets"


def _rendered(found: LensesConnector) -> str:
    try:
        render(found.spec)
    except (ConfigInvalid, ReferenceNotFound) as error:
        return str(error)
    return "spec.config"


CONNECTORS, OPERATIONS = objects(LensesConnector), objects(LensesConnectorOffsets)


@examples(50)
@given(connector=CONNECTORS, operation=OPERATIONS)
def test_what_the_schema_takes_is_read(connector: dict[str, Any], operation: dict[str, Any]) -> None:
    """But for what only its CEL rules refuse, which is named."""
    found = LensesConnector.read(connector)
    if found.schema_mismatch is not None:
        assert found.schema_mismatch.fields == {"spec.configFrom"}
        told(found.schema_mismatch.words, of="spec.configFrom[")
    use(found)
    other = LensesConnectorOffsets.read(operation)
    assert other.schema_mismatch is None
    use(other)


@examples(50)
@given(connector=spoilt(CONNECTORS), operation=spoilt(OPERATIONS))
def test_what_it_does_not_take_is_named_by_its_field(connector: dict[str, Any], operation: dict[str, Any]) -> None:
    kinds: tuple[type[Resource], ...] = (LensesConnector, LensesConnectorOffsets)
    for kind, raw in zip(kinds, (connector, operation), strict=True):
        found = kind.read(raw | {"metadata": METADATA[kind]})
        if found.schema_mismatch is not None:
            told(found.schema_mismatch.words, of=min(found.schema_mismatch.fields).partition(".")[0])
            assert any(field in found.schema_mismatch.words for field in found.schema_mismatch.fields)
        use(found)


@examples(8)
@given(bad=st.lists(spoilt(CONNECTORS), min_size=3, max_size=3))
@virtual_time
async def test_good_ones_converge_beside_bad_ones(bad: list[dict[str, Any]]) -> None:
    kube = FakeKube([])
    for number, one in enumerate(bad):
        kube.apply(f"bad-{number}")
        held = kube.objects["payments", f"bad-{number}"]
        kube.objects["payments", f"bad-{number}"] = _parts(one) | {"metadata": held["metadata"]}
        kube.apply(f"good-{number}")
    async with operator(FakeLenses(), kube) as op:
        await asyncio.sleep(60)
        for number in range(len(bad)):
            assert op.said(f"good-{number}") == ("True", "Running", "Owned")
            assert op.kube.status(f"bad-{number}").ready is not None
        assert not op.lenses.asked(*DESTROYS)
        assert all(len(event.message) <= MESSAGE_LIMIT for event in op.events)


@examples(8)
@given(bad=st.lists(spoilt(OPERATIONS), min_size=3, max_size=3))
@virtual_time
async def test_an_operation_is_carried_out_beside_bad_ones(bad: list[dict[str, Any]]) -> None:
    kept = OffsetsKube()
    for number, one in enumerate(bad):
        kept.apply(f"bad-{number}", connectorRef={"name": "another"})
        held = kept.objects[f"bad-{number}"]
        kept.objects[f"bad-{number}"] = _parts(one) | {"metadata": held["metadata"]}
    async with offsets_operator(OffsetsLenses(), offsets=kept) as op:
        await op.runs()
        op.offsets.apply("good")
        await op.until_reason("Applied", "good", 1500)
        await op.until_state("RUNNING")


def _parts(one: dict[str, Any]) -> dict[str, Any]:
    return {part: value for part, value in one.items() if part in ("spec", "status")}
