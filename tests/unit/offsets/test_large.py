"""Offsets as many as are read: the loop goes on while they are compared, kept and shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lenses_operator.aside import AT_ONCE, aside
from lenses_operator.cache.operations import OperationCache
from lenses_operator.controllers.offsets import read_back
from lenses_operator.controllers.offsets import steps as steps_module
from lenses_operator.domain import offsets_status as say
from lenses_operator.domain import offsets_text
from lenses_operator.domain.offsets_before import before_of, text_of
from lenses_operator.domain.offsets_text import (
    KEPT_TEXTS,
    OffsetsInvalid,
    differences,
    gone_on,
    request_text,
    usable,
    weight,
)
from lenses_operator.lenses.models import parse_offsets
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from unit.controllers.virtualtime import virtual_time
from unit.offsets.make import body, spec
from unit.offsets.rig import UNREACHABLE, offsets_operator
from unit.resources.make import owned
from unit.ticking import ticks_during


def text(entries: int, at: int = 0) -> str:
    return json.dumps(
        [{"partition": {"filename": f"/data/in/{n}.csv"}, "offset": {"position": n + at}} for n in range(entries)]
    )


MANY = text(20_000)
MOVED = text(20_000, at=1)
WORK: dict[str, Callable[[], object]] = {
    "parsed": lambda: parse_offsets(MANY),
    "compared": lambda: differences(MOVED, MANY),
    "gone on": lambda: gone_on(MOVED, MANY, MOVED),
    "kept": lambda: before_of(MANY),
    "shown": lambda: say.seen(MANY),
    "sent": lambda: offsets_text._text_of(spec(action="Alter", offsetsJson=MANY)),
    "sent as answered": lambda: offsets_text._text_of(spec(action="Alter", offsetsJson=f'{{"offsets": {MANY}}}')),
    "taken up again": lambda: text_of(None, before_of(MANY).compressed),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
async def test_the_loop_goes_on(work: Callable[[], object]) -> None:
    _, ticks = await ticks_during(aside(len(MANY), work))
    assert ticks > 10, "the loop was held"


@virtual_time
async def test_every_step_does_it_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    beside, called = [False], set[str]()

    async def marked(size: int, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        beside[0] = True
        try:
            return function(*args, **kwargs)
        finally:
            beside[0] = False

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            assert beside[0], f"{name} is called in the loop"
            called.add(name)
            return function(*args, **kwargs)

        return call

    for module in (steps_module, read_back):
        monkeypatch.setattr(module, "aside", marked)
    for module, name in ((offsets_text, "differences"), (steps_module, "gone_on"), (steps_module, "before_of")):
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))
    monkeypatch.setattr(say, "seen", watched("seen", say.seen))
    async with offsets_operator() as op:
        await op.runs()
        await op.operates("Observed", "look", action="Observe")
        op.lenses.fail("alter_offsets", UNREACHABLE)
        await op.operates("Applied")
    assert called == {"differences", "gone_on", "before_of", "seen"}


class TestLongSpecs:
    def test_are_checked_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        checked = []

        def parse(text: str) -> object:
            checked.append(1)
            return parse_offsets(text)

        monkeypatch.setattr(offsets_text, "parse_offsets", parse)
        wanted = spec(action="Alter", offsetsJson=text(5_000, at=7))
        assert request_text(wanted) == wanted.offsets_json
        assert usable(wanted)
        assert checked == [1]

    def test_refusals_as_well(self) -> None:
        wrong = spec(action="Alter", offsetsJson=text(5_000) + "x")
        for _ in range(2):
            with pytest.raises(OffsetsInvalid, match="not JSON"):
                request_text(wrong)
        assert not usable(wrong)

    def test_few_are_kept(self) -> None:
        for number in range(KEPT_TEXTS + 5):
            request_text(spec(action="Alter", offsetsJson=text(500, at=number)))
        assert len(offsets_text._TEXTS) == KEPT_TEXTS

    async def test_a_connectors_pass_weighs_them_beside_the_loop(self) -> None:
        cache = OperationCache()
        connector = owned()
        cache.upsert(LensesConnectorOffsets.read(body(action="Alter", offsetsJson=text(15_000, at=3))))
        [one] = cache.of(connector.key)
        assert weight(one.spec) > AT_ONCE
        _, ticks = await ticks_during(cache.weigh(connector))
        assert ticks > 10, "the loop was held"
        assert cache.holding(connector) is one
