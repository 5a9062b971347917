"""Several creates without a clear answer, of which any may have left what is found."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from unit.controllers.fakes import Operator, operator
from unit.controllers.support import AMBIGUOUS, NOT_FOUND

pytestmark = pytest.mark.virtual_time


@pytest.mark.parametrize("adds", [{}, {"server.default": "1"}, {"size": "1.0E3"}])
@pytest.mark.parametrize("edits", [0, 1, 3])
async def test_what_any_create_has_left_is_ours(adds: dict[str, str], edits: int) -> None:
    """Also one for a spec of before, and also as a server writes it."""
    config: dict[str, Any] = {"topic": "orders", "file": "/data/orders", "size": "1000"}
    async with operator() as op:
        op.lenses.shows = lambda sent: sent | {"name": "orders"} | adds
        op.lenses.fail("create_connector", AMBIGUOUS, carried_out=True)
        op.lenses.always("get_connector", NOT_FOUND)  # a cache, for a while
        await op.applies(seconds=1, config=config)
        for edit in range(edits):
            op.lenses.fail("create_connector", AMBIGUOUS)
            await op.applies(seconds=5, config=config | {"topic": f"edit-{edit}"})
        op.lenses.always("get_connector", None)
        await asyncio.sleep(120)
        assert op.said() == ("True", "Running", "Owned")
        assert op.connector is not None
        assert op.connector.config["topic"] == (f"edit-{edits - 1}" if edits else "orders")
        assert len(op.lenses.asked("delete_connector")) == bool(edits)


@pytest.mark.parametrize(
    ("again", "shown"),
    # Where nothing of a first one is shown, it cannot be told from somebody else's, and is left alone.
    [(True, "masked"), (True, "not"), (True, "nothing of it"), (False, "masked"), (False, "not")],
)
@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("since", ["delete_connector", "create_connector"])
async def test_a_hidden_value_is_the_one_that_is_wanted_in_the_end(
    op: Operator, again: bool, shown: str, back: bool, since: str
) -> None:
    """Either of two creates may have worked, and what they differ in Lenses does not show."""
    match shown:
        case "masked":
            op.lenses.shows = lambda sent: sent | {"name": "orders"} | {"password": "[masked]"}
        case "not":
            op.lenses.hide("password")
        case _:
            op.lenses.hides_config = True
    config = {"topic": "orders", "file": "/data/orders"}
    if again:
        await op.runs(config=config | {"password": "zero"})
    op.lenses.fail("create_connector", AMBIGUOUS, carried_out=True)
    op.kube.apply(config=config | {"password": "one"})
    while not op.lenses.asked(since if again else "create_connector"):
        await asyncio.sleep(0.0005)
    op.lenses.always("get_connector", NOT_FOUND)  # a cache, for a while
    while not op.lenses.asked("create_connector"):
        await asyncio.sleep(0.0005)
    await asyncio.sleep(0.01)
    op.lenses.always("create_connector", AMBIGUOUS)
    await op.applies(seconds=20, config=config | {"password": "two"})
    assert len(op.lenses.asked("create_connector")) > 1
    if back:
        await op.applies(seconds=20, config=config | {"password": "one"})
    for operation in ("get_connector", "create_connector"):
        op.lenses.always(operation, None)
    await asyncio.sleep(120)
    assert op.said() == ("True", "Running", "Owned")
    assert op.held.config["password"] == ("one" if back else "two")
    deletes = len(op.lenses.asked("delete_connector"))
    await asyncio.sleep(1200)
    assert len(op.lenses.asked("delete_connector")) == deletes, "once written it is known"
