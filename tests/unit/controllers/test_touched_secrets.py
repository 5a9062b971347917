"""A Secret that is written anew with the same data bounces nothing, while the operator runs and over its restart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lenses_operator.domain.references import RefData, RefName
from unit.controllers.fakes import FakeLenses, Operator, Task, operator

pytestmark = pytest.mark.virtual_time

SECRET = ("payments", RefName("Secret", "db"))
SPEC: dict[str, Any] = {"configFrom": [{"key": "password", "secretKeyRef": {"name": "db", "key": "pw"}}]}
WRITES = ("create_connector", "delete_connector", "put_resource")
SHOWN = {
    "masked": lambda config: config | {"name": "orders", "password": "********"},
    "in the clear": lambda config: config | {"name": "orders"},
}
DRIFT = 60.0
KEY = b"k" * 32


@pytest.fixture(params=list(SHOWN))
def lenses(request: pytest.FixtureRequest) -> FakeLenses:
    found = FakeLenses()
    found.shows = SHOWN[request.param]
    return found


def write(op: Operator, version: str, data: bytes = b"hunter") -> None:
    op.kube.references[SECRET] = RefData(version, {"pw": data})


async def begin(op: Operator, key: bytes | None = KEY) -> None:
    op.kube.digest_key = key
    write(op, "1")
    await op.applies(seconds=3 * DRIFT, **SPEC)
    assert op.said()[1] == "Running"
    op.lenses.calls.clear()
    op.kube.statuses.clear()


async def rest(op: Operator) -> list[tuple[str, ...]]:
    await asyncio.sleep(3 * DRIFT)
    assert op.said()[1] == "Running"
    return op.lenses.asked(*WRITES)


async def test_touched_while_it_runs(lenses: FakeLenses) -> None:
    async with operator(lenses, drift=DRIFT) as op:
        await begin(op)
        for version in "23456":
            write(op, version)
            assert await rest(op) == []
        assert op.kube.statuses == [], "no status is written for it either"


async def test_touched_while_it_is_down(lenses: FakeLenses) -> None:
    async with operator(lenses, drift=DRIFT) as op:
        await begin(op)
    for version in "23":
        write(op, version)
        async with operator(lenses, op.kube, drift=DRIFT) as op:
            assert await rest(op) == []
            assert op.kube.statuses == []
    write(op, "4", b"another")
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        assert await rest(op) == [("delete_connector", "orders"), ("create_connector", "orders")]
        assert op.held.config["password"] == "another"
    write(op, "5", b"another")
    lenses.calls.clear()
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        assert await rest(op) == []


async def test_changed_and_changed_back_while_it_is_down(lenses: FakeLenses) -> None:
    async with operator(lenses, drift=DRIFT) as op:
        await begin(op)
    write(op, "2", b"another")
    write(op, "3")
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        assert await rest(op) == []


async def test_a_status_of_an_operator_without_digests_gets_one_without_a_write(lenses: FakeLenses) -> None:
    async with operator(lenses, drift=DRIFT) as op:
        await begin(op, None)
        applied = op.kube.applied()
        assert applied.secrets_digest is None
    op.kube.digest_key = KEY
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        assert await rest(op) == []
        applied = op.kube.applied()
        assert applied.secrets_digest is not None
        assert len(op.kube.statuses) == 1
    write(op, "2")
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        assert await rest(op) == []


@pytest.mark.parametrize("key", [None, b"x" * 32], ids=["lost", "another one"])
async def test_without_the_key_the_resource_version_decides(lenses: FakeLenses, key: bytes | None) -> None:
    async with operator(lenses, drift=DRIFT) as op:
        await begin(op)
    op.kube.digest_key = key
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        assert await rest(op) == []
    write(op, "2", b"another")
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        await rest(op)
        assert op.held.config["password"] == "another", "a change is never missed"


@pytest.mark.parametrize("key", [KEY, None], ids=["with a key", "without one"])
async def test_what_create_has_refused_is_not_tried_again_for_it(lenses: FakeLenses, key: bytes | None) -> None:
    """Going back takes the connector down for a moment: once, and not with each restart."""
    async with operator(lenses, drift=DRIFT) as op:
        await begin(op, key)
        lenses.refuses = lambda config: config.get("password") == "bad"
        write(op, "2", b"bad")
        await asyncio.sleep(6 * DRIFT)
        assert "RolledBack" in op.reasons()
    if key:
        write(op, "3", b"bad")
    lenses.calls.clear()
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        await asyncio.sleep(6 * DRIFT)
        assert op.said()[1] == "ConfigInvalid"
        assert op.lenses.asked(*WRITES) == []


async def test_a_trace_is_shown_still_after_a_restart(lenses: FakeLenses) -> None:
    """The values are known: they are those that the connector has."""
    async with operator(lenses, drift=DRIFT) as op:
        await begin(op)
    write(op, "2")
    async with operator(lenses, op.kube, drift=DRIFT) as op:
        op.held.tasks = [Task(0, "FAILED", "Oh: login with hunter refused")]
        await asyncio.sleep(3 * DRIFT)
        assert op.said()[1] == "TaskFailed"
        assert "login with [redacted] refused" in op.message()


async def test_changed_after_the_pass_and_before_the_first_list_of_secrets() -> None:
    """No event tells of it but that list, which tells of all the others, too."""
    async with operator(FakeLenses(), drift=86400.0) as op:
        await begin(op)
        write(op, "2", b"changed")
        metadata = {"namespace": "payments", "name": "db", "resourceVersion": "2"}
        op.feed.reference(None, "Secret", {"metadata": metadata, "data": {"pw": "Y2hhbmdlZA=="}})
        await asyncio.sleep(30)
        assert op.held.config["password"] == "changed"
