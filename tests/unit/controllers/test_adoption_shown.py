"""Adoption of what Lenses shows as a reference, or as a mask of whatever notation: what can be compared, is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from unit.controllers.fakes import NAME, RUNNING, Connector, Operator, operator
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time

DRIFT = 60.0
SECRET = ("payments", RefName("Secret", "db"))
BY_SECRET: dict[str, Any] = {"configFrom": [{"key": "db.password", "secretKeyRef": {"name": "db", "key": "pw"}}]}
REFERENCE = "${vault:secret/new:pw}"
WRITES = ("create_connector", "delete_connector", "put_resource")


def wanting(key: str, value: str) -> dict[str, Any]:
    return {"config": {"topic": "orders", "file": "/data/orders", key: value}}


@pytest.fixture
async def op() -> AsyncIterator[Operator]:
    async with operator(drift=DRIFT) as started:
        yield started


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (REFERENCE, "${vault:secret/old:pw}"),
        ("${topic}-${timestamp}", "${topic}"),
        (f"jdbc:x?password={REFERENCE}", "jdbc:x?password=${env:PW}"),
        ("plain", REFERENCE),
    ],
)
@pytest.mark.parametrize("policy", ["IfIdentical", "Always"])
async def test_a_reference_that_differs_is_no_match(op: Operator, wanted: str, shown: str, policy: str) -> None:
    op.lenses.connectors[NAME] = Connector({**SENT, "format": shown})
    await op.applies(seconds=3 * DRIFT, adoptionPolicy=policy, **wanting("format", wanted))
    if policy == "IfIdentical":
        assert op.said() == ("False", "NotAdopted", "NotAdopted")
        assert "changed format" in op.message()
        assert op.lenses.asked(*WRITES) == []
    else:
        assert op.said() == RUNNING
        assert op.held.config["format"] == wanted


@pytest.mark.parametrize("shown", [REFERENCE, "what a worker has made of it"])
async def test_the_same_reference_and_what_may_be_made_of_it_match(op: Operator, shown: str) -> None:
    op.lenses.connectors[NAME] = Connector({**SENT, "format": shown})
    await op.applies(seconds=3 * DRIFT, **wanting("format", REFERENCE))
    assert op.said() == RUNNING
    assert op.lenses.asked(*WRITES) == []
    assert ("format" in op.event("Adopted").message) == (shown != REFERENCE)


@pytest.mark.parametrize(
    "mask",
    [
        "••••••••",
        "********",
        "●●●",
        "[hidden]",
        "<sensitive>",
        "(redacted)",
        "xxxxxxxx",
        "REDACTED",
        "####",
        "se****et",
    ],
)
async def test_a_mask_of_any_notation_is_never_taken_for_a_value(op: Operator, mask: str) -> None:
    """Neither at the adoption, nor as a baseline after a write of our own."""
    op.kube.references[SECRET] = RefData("1", {"pw": b"hunter2"})
    op.lenses.connectors[NAME] = Connector({**SENT, "db.password": "theirs"})
    op.lenses.shows = lambda config: config | {"name": "orders", "db.password": mask}
    await op.applies(seconds=5 * DRIFT, **BY_SECRET)
    assert op.said() == RUNNING
    assert "Taken as equal, because Lenses does not show them: db.password" in op.event("Adopted").message
    assert op.lenses.asked(*WRITES) == []
    op.kube.references[SECRET] = RefData("2", {"pw": b"hunter3"})
    await asyncio.sleep(5 * DRIFT)
    assert op.lenses.asked(*WRITES) == [("delete_connector", "orders"), ("create_connector", "orders")]
    assert op.held.config["db.password"] == "hunter3"
    assert op.said() == RUNNING


UNNAMED = "es.net.http.auth.pin"
"""A key that does not say that it is a secret's: its type does."""
MASKS = ["REDACTED", "<set>", "(n/a)", "se****et", "#-#-#", "•• ••"]


def by_type(op: Operator, shown: str) -> None:
    """Somebody else's connector, with a password that only its type tells, for which Lenses shows this."""
    op.lenses.passwords = frozenset({UNNAMED})
    op.lenses.connectors[NAME] = Connector({**SENT, UNNAMED: "theirs"})
    op.lenses.shows = lambda config: config | {"name": "orders", UNNAMED: shown}


@pytest.mark.parametrize("policy", ["IfIdentical", "Always"])
@pytest.mark.parametrize("mask", MASKS)
async def test_what_is_shown_for_a_password_by_type_is_no_value(mask: str, policy: str) -> None:
    """Counted equal, named, and never compared afterwards, by another process either."""
    async with operator(drift=DRIFT) as op:
        by_type(op, mask)
        await op.applies(seconds=5 * DRIFT, adoptionPolicy=policy, **wanting(UNNAMED, "hunter2"))
        assert op.said() == RUNNING
        assert f"Taken as equal, because Lenses does not show them: {UNNAMED}" in op.event("Adopted").message
        assert op.lenses.asked(*WRITES) == []
        assert len(op.lenses.asked("validate")) == 1
        lenses, kube = op.lenses, op.kube
    async with operator(lenses, kube, drift=DRIFT) as op:
        await asyncio.sleep(5 * DRIFT)
        assert op.lenses.asked(*WRITES) == []
        assert len(op.lenses.asked("validate")) == 1


@pytest.mark.parametrize("mask", MASKS)
async def test_a_mask_that_was_exported_as_a_value_is_not_taken_for_the_same(op: Operator, mask: str) -> None:
    by_type(op, mask)
    await op.applies(seconds=5 * DRIFT, **wanting(UNNAMED, mask))
    assert op.said() == RUNNING
    assert f"Taken as equal, because Lenses does not show them: {UNNAMED}" in op.event("Adopted").message


@pytest.mark.parametrize("mask", MASKS)
async def test_of_another_type_it_is_a_value(op: Operator, mask: str) -> None:
    op.lenses.connectors[NAME] = Connector({**SENT, UNNAMED: mask})
    await op.applies(seconds=5 * DRIFT, **wanting(UNNAMED, "hunter2"))
    assert op.said() == ("False", "NotAdopted", "NotAdopted")
    assert f"changed {UNNAMED}" in op.message()
    assert len(op.lenses.asked("validate")) == 1, "asked once"
    assert op.lenses.asked(*WRITES) == []


async def test_a_value_of_a_password_that_is_shown_and_differs_is_a_difference(op: Operator) -> None:
    """Kafka Connect itself shows them: what is plainly another value is not taken over as equal."""
    by_type(op, "theirs")
    await op.applies(seconds=5 * DRIFT, **wanting(UNNAMED, "hunter2"))
    assert op.said() == ("False", "NotAdopted", "NotAdopted")
    assert op.lenses.asked("validate") == [], "nothing is in doubt"


@pytest.mark.parametrize("error", [errors.Forbidden, errors.ServerError, errors.LensesUnreachable])
async def test_nothing_is_taken_over_while_connect_cannot_be_asked(op: Operator, error: Any) -> None:
    by_type(op, "REDACTED")
    op.lenses.always("validate", error("validate"))
    await op.applies(seconds=5 * DRIFT, **wanting(UNNAMED, "hunter2"))
    assert op.said() == ("False", "NotAdopted", "NotAdopted")
    assert op.lenses.asked(*WRITES) == []
    assert len(op.lenses.asked("validate")) <= 12, "at each look, and no more"
    await op.recovers("validate", seconds=5 * DRIFT)


@pytest.mark.parametrize("policy", ["Never", "IfIdentical"])
async def test_connect_is_not_asked_where_nothing_is_in_doubt(op: Operator, policy: str) -> None:
    mask = "REDACTED" if policy == "Never" else "plain"
    op.lenses.connectors[NAME] = Connector({**SENT, UNNAMED: mask})
    await op.applies(seconds=5 * DRIFT, adoptionPolicy=policy, **wanting(UNNAMED, "plain"))
    assert op.lenses.asked("validate") == []
