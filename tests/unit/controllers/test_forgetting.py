"""Nothing of a Secret stays in the operator once nobody needs it; what somebody needs stays."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable
from typing import Any

import pytest

from lenses_operator.controllers.connector.forget import PAUSE
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from lenses_operator.lenses.tokens import TokenSource
from unit.controllers.fakes import NAME, RUNNING, Connector, FakeKube, FakeLenses, Operator, Task, operator

pytestmark = pytest.mark.virtual_time

LONG = 3 * PAUSE + 1
MANY = 1000


class TokenLenses(FakeLenses):
    """Each token has a client of its own, of the one Lenses; `tokens` tells which was sent last."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[str] = []

    def with_tokens(self, tokens: TokenSource) -> TokenLenses:
        return Client(self, tokens)


class Client(TokenLenses):
    def __init__(self, whole: TokenLenses, tokens: TokenSource) -> None:
        self.__dict__.update(whole.__dict__)
        self.own = tokens

    async def _gate(self, operation: str, *what: str) -> errors.LensesError | None:
        self.tokens[:] = [self.own.current()]
        return await super()._gate(operation, *what)


@pytest.fixture
def lenses() -> TokenLenses:
    return TokenLenses()


def secret(op: Operator, name: str, version: str = "1", **data: str) -> None:
    values = {key: value.encode() for key, value in data.items()}
    op.kube.references["payments", RefName("Secret", name)] = RefData(version, values)


def spec(name: str, **more: Any) -> dict[str, Any]:
    """A connector with a password and a token from this Secret."""
    given = [{"secretKeyRef": {"name": name, "key": "password"}, "key": "password"}]
    return {"configFrom": given, "tokenSecretRef": {"name": name, "key": "token"}, **more}


def held(op: Operator, *planted: str) -> set[str]:
    """Which of these values, or texts with one of them, can be reached from the operator's own objects."""
    not_ours = {id(op.kube), id(op.lenses), id(op.kube.__dict__), id(op.lenses.__dict__), id(op.events)}
    seen, found = set(not_ours), set()
    todo: list[object] = [op.__dict__, *_timers()]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, type) or type(one).__name__ in ("module", "function", "frame"):
            continue
        seen.add(id(one))
        if isinstance(one, str | bytes):
            text = one if isinstance(one, str) else one.decode(errors="replace")
            found |= {value for value in planted if value in text}
        else:
            todo += gc.get_referents(one)
            todo += _closed_over(one)
    return found


def _closed_over(one: object) -> Iterable[object]:
    return [cell.cell_contents for cell in getattr(one, "__closure__", None) or ()]


def _timers() -> Iterable[object]:
    return getattr(asyncio.get_running_loop(), "_scheduled", ())


async def test_nothing_is_kept_of_a_thousand_that_came_and_went() -> None:
    async with operator(TokenLenses(), poll=3600.0) as op:
        for number in range(MANY):
            secret(op, f"s{number}", password=f"planted-{number:04}-word", token=f"planted-{number:04}-token")
            wanted = spec(f"s{number}")
            if number % 50:  # each token has a poller of its own
                del wanted["tokenSecretRef"]
            op.kube.apply(f"c{number}", **wanted)
        await asyncio.sleep(300)
        assert len(op.lenses.connectors) == MANY
        known = {"planted-0050-word", "planted-0050-token"}
        assert held(op, *known) == known
        for number in range(MANY):
            op.kube.delete(f"c{number}")
        await asyncio.sleep(1200)
        assert not op.kube.objects
        await asyncio.sleep(LONG)
        assert held(op, "planted") == set()
        controller = op.core.connectors._loader
        assert not controller._memories
        assert not controller._inputs._confidential
        assert not controller._sessions._resource_tokens
        assert not op.cache._by_connector
        assert not op.cache._by_reference
        assert not op.cache._released
        assert not op.environments._pollers
        assert controller._forgetting._timer is None, "with nothing to forget, nobody looks"


async def test_a_rotated_value_is_cut_out_of_an_old_trace_as_long_as_the_connector_has_a_resource(op: Operator) -> None:
    secret(op, "s", password="planted-old", token="t")
    await op.applies(**spec("s"))
    secret(op, "s", "2", password="planted-new", token="t")
    await asyncio.sleep(600 + LONG)
    assert op.held.config["password"] == "planted-new"
    op.held.tasks = [Task(0, "FAILED", "no login with planted-old nor planted-new")]
    await asyncio.sleep(60)
    assert op.said()[1] == "TaskFailed"
    error = op.kube.status().tasks[0].error
    assert error == "no login with [redacted] nor [redacted]"


async def test_also_after_it_went_to_another_resource(op: Operator) -> None:
    secret(op, "s", password="planted-old", token="t")
    await op.applies("first", raw={"name": "orders"}, **spec("s", deletionPolicy="Retain"))
    await op.applies("second", raw={"name": "orders"}, adoptionPolicy="Always")
    await op.deletes("first", seconds=LONG)
    assert op.said("second") == RUNNING
    assert held(op, "planted-old") == {"planted-old"}
    await op.deletes("second", seconds=60 + LONG)
    assert held(op, "planted-old") == set()


async def test_a_delete_and_an_apply_forget_nothing_in_between(op: Operator) -> None:
    """Lenses may show for a while what was there before."""
    secret(op, "s", password="planted-old", token="t")
    await op.applies(**spec("s"))
    await op.deletes(seconds=PAUSE / 2)
    assert not op.kube.there()
    await op.applies(seconds=LONG)
    assert held(op, "planted-old") == {"planted-old"}


@pytest.mark.parametrize("how", ["deleting", "buried"])
async def test_a_token_stays_while_a_deletion_may_need_it(op: Operator, lenses: TokenLenses, how: str) -> None:
    secret(op, "s", password="planted-word", token="planted-token")
    await op.applies(**spec("s"))
    lenses.always("delete_connector", errors.ServerError("delete_connector", detail="down"))
    del op.kube.references["payments", RefName("Secret", "s")]
    if how == "deleting":
        op.kube.delete()
    else:
        op.kube.vanish()
    await asyncio.sleep(1200 + LONG)
    assert NAME in lenses.connectors
    lenses.always("delete_connector", None)
    await asyncio.sleep(700)
    assert not lenses.connectors
    assert lenses.tokens == ["planted-token"]
    assert not op.kube.objects
    await asyncio.sleep(LONG)
    assert held(op, "planted") == set()


async def test_a_token_that_no_resource_brings_any_more_goes(op: Operator) -> None:
    secret(op, "s", password="planted-word", token="planted-token")
    await op.applies(tokenSecretRef={"name": "s", "key": "token"})
    await op.applies(seconds=60 + LONG)
    assert op.said() == RUNNING
    assert not op.core.connectors._loader._sessions._resource_tokens


async def test_one_that_is_released_and_kept_by_others_is_not_remembered(
    op: Operator, lenses: FakeLenses, kube: FakeKube
) -> None:
    lenses.connectors[NAME] = Connector({})
    kube.apply(adoptionPolicy="Never")
    await asyncio.sleep(30)
    kube.objects["payments", "orders"]["metadata"]["finalizers"].append("other/keeps-it")
    kube.delete()
    await asyncio.sleep(30)
    assert kube.there()
    assert not op.core.connectors._loader._memories
    assert not op.environments._pollers
