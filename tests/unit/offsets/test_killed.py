"""A process that ends at any of an operation's requests: the next one finishes it, and asks for nothing twice."""

from __future__ import annotations

import asyncio
import json

import pytest

from lenses_operator.lenses import errors
from unit.controllers.virtualtime import virtual_time
from unit.offsets.make import ASKED, BEFORE
from unit.offsets.rig import OffsetsLenses, offsets_operator, settled

pytestmark = pytest.mark.virtual_time


class TestKilled:
    """At every request: a process that is gone neither hears the answer nor writes it down."""

    @pytest.mark.parametrize("action", ["Alter", "Reset"])
    @pytest.mark.parametrize("carried_out", [False, True])
    @pytest.mark.parametrize("state", ["running", "paused", "stopped"])
    def test_at_every_call(self, action: str, carried_out: bool, state: str) -> None:
        reached = []
        for boundary in range(1, 40):
            hit = self.killed(boundary, action, carried_out, state)
            if hit is None:
                break
            reached.append(hit)
        assert {"alter_offsets" if action == "Alter" else "reset_offsets", "get_offsets", "status"} <= set(reached)

    def killed(self, boundary: int, action: str, carried_out: bool, state: str) -> str | None:
        """What it was killed at; None where everything had been done before."""
        hit: list[str] = []

        @virtual_time
        async def run() -> None:
            lenses = DyingLenses()
            async with offsets_operator(lenses) as op:
                await op.runs(state=state)
                lenses.arm(boundary, carried_out)
                op.offsets.before_write = lambda _: lenses.dies("status")
                op.offsets.apply(action=action)
                word = {"running": "RUNNING", "paused": "PAUSED", "stopped": "STOPPED"}[state]

                def over() -> bool:
                    done = op.offsets.status().applied_generation == 1 and op.held.state == word
                    return lenses.dead.is_set() or (done and op.said()[1] == word.title())

                await op.until(over)
                hit.extend(lenses.hit)
                op.queue.close()
                op.errors.clear()
            lenses.restore()
            op.offsets.before_write = lambda _: None
            sent = len(lenses.sent) + len(lenses.asked("reset_offsets"))
            async with offsets_operator(lenses, op.kube, op.offsets) as again:
                applied = again.offsets.status().applied_generation == 1
                await again.until_reason("Applied")
                await again.until_state(word)
                await settled(again)
                status = again.offsets.status()
                assert status.before == BEFORE, hit
                assert json.loads(lenses.offsets) == ([] if action == "Reset" else ASKED), hit
                assert again.held.state == word
                if applied:
                    assert len(lenses.sent) + len(lenses.asked("reset_offsets")) == sent, hit
                assert len(lenses.sent) <= 1, hit

        run()
        return hit[0] if hit else None


class DyingLenses(OffsetsLenses):
    """From the nth call on nobody hears an answer; that call itself may be carried out."""

    def __init__(self) -> None:
        super().__init__()
        self.dead = asyncio.Event()
        self.hit: list[str] = []
        self._left = 0
        self._carried_out = False
        self._for_ever: asyncio.Future[None] | None = None

    def arm(self, boundary: int, carried_out: bool) -> None:
        self._left, self._carried_out = boundary, carried_out

    def restore(self) -> None:
        self._left = 0
        self.dead.clear()

    def dies(self, operation: str) -> None:
        """A status that is never written."""
        if self.dead.is_set():
            raise asyncio.CancelledError
        if self._left:
            self._left -= 1
            if not self._left:
                self.hit.append(operation)
                self.dead.set()
                raise asyncio.CancelledError

    async def _gate(self, operation: str, *what: str) -> errors.LensesError | None:
        if operation in ("list_connectors", "get_topics") and not self.dead.is_set():
            return await super()._gate(operation, *what)
        try:
            self.dies(operation)
        except asyncio.CancelledError:
            if not (self._carried_out and self.hit == [operation] and self._for_ever is None):
                await asyncio.get_running_loop().create_future()
            self._for_ever = asyncio.get_running_loop().create_future()
            self.calls.append((operation, *what))
            return Unheard("none", "the process is gone", reason="gone")
        return await super()._gate(operation, *what)


class Unheard(errors.LensesUnreachable):
    """Raised after carrying out; nobody acts on it, since every further call of the dead process hangs."""
