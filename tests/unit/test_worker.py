"""A pass from outside: what is told of it, and when the next one is."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.cache.operations import OperationCache
from lenses_operator.kube.api import KubeError
from lenses_operator.observability.logging import TextFormatter, request_id
from lenses_operator.resources.base import ObjectKey
from lenses_operator.worker import Worker
from unit.offsets.make import operation
from unit.resources.make import resource

ORDERS = resource(name="orders", generation=3).key
BACK = operation().key


@dataclass
class Controller:
    answers: list[float | Exception | None]
    seen: list[tuple[ObjectKey, str]] = field(default_factory=list)

    async def reconcile(self, key: ObjectKey) -> float | None:
        self.seen.append((key, request_id()))
        logging.getLogger("lenses_operator.test").info("within")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Rig:
    def __init__(self, *answers: float | Exception | None) -> None:
        self.connectors, self.offsets = Controller(list(answers)), Controller([None])
        self.again: list[tuple[ObjectKey, float]] = []
        self.ended: list[tuple[str, str]] = []
        self.cache, self.operations = ConnectorCache(), OperationCache()
        self.passes = Worker(
            lambda key: (self.offsets if key.kind == BACK.kind else self.connectors).reconcile(key),
            self.cache,
            self.operations,
            again=lambda key, delay: self.again.append((key, delay)),
            ended=self._ended,
        )

    def _ended(self, kind: str, result: str, seconds: float) -> None:
        assert seconds >= 0
        self.ended.append((kind, result))


async def test_each_pass_has_an_id_of_its_own() -> None:
    rig = Rig(None, None)
    for key in (ORDERS, BACK, ORDERS):
        await rig.passes.run(key)
    assert [key for key, _ in rig.connectors.seen] == [ORDERS, ORDERS]
    [(key, last)] = rig.offsets.seen
    assert key == BACK
    ids = {one for _, one in rig.connectors.seen} | {last}
    assert len(ids) == 3
    assert all(len(one) == 8 for one in ids)
    assert request_id() == ""


async def test_results() -> None:
    rig = Rig(None, 7.5)
    await rig.passes.run(ORDERS)
    await rig.passes.run(ORDERS)
    await rig.passes.run(BACK)
    assert rig.ended == [
        ("LensesConnector", "success"),
        ("LensesConnector", "requeue_after"),
        ("LensesConnectorOffsets", "success"),
    ]
    assert rig.again == [(ORDERS, 7.5)]


@pytest.mark.parametrize("failure", [KubeError("patch", 500, "away"), ValueError("boom")])
async def test_a_failure_is_told_counted_and_tried_again_later_and_later(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(failure, failure, None, failure)
    for _ in range(4):
        await rig.passes.run(ORDERS)
    assert [result for _, result in rig.ended] == ["error", "error", "success", "error"]
    first, second, third = [delay for _, delay in rig.again]
    assert first == third < second
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 3
    assert all(bool(record.exc_info) is isinstance(failure, ValueError) for record in told)


def told(caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """The fields of the last line."""
    _, _, fields = caplog.text.splitlines()[-1].partition("within [")
    return dict(pair.split("=") for pair in fields.rstrip("]").split())


CONNECTOR = {"environment": "prod", "cluster": "connect-eu", "connector": "lines"}


async def test_every_line_names_what_the_pass_is_about(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "lenses_operator")
    caplog.handler.setFormatter(TextFormatter("%(message)s"))
    rig = Rig(None, None, None)

    async def fields(key: ObjectKey) -> dict[str, Any]:
        await rig.passes.run(key)
        found = told(caplog)
        assert len(found.pop("request")) == 8
        assert (found.pop("kind"), found.pop("namespace"), found.pop("name")) == key
        return found

    assert await fields(ORDERS) == {}, "it is gone"
    last = resource("orders", generation=3)
    last = last.model_copy(update={"spec": last.spec.model_copy(update={"name": "lines"})})
    rig.cache.upsert(last)
    assert await fields(ORDERS) == CONNECTOR | {"generation": "3"}
    rig.operations.upsert(operation(generation=2))
    assert await fields(BACK) == CONNECTOR | {"generation": "2"}
    rig.cache.remove(last.key, last.metadata.uid)
    rig.cache.record_lost(last)
    assert await fields(ORDERS) == CONNECTOR | {"generation": "3"}
