"""A connector that a cache shows as it was, or that a lost right hides, is neither hammered, let go nor made again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.lenses.memory_connector import MemoryConnector
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.lenses import errors
from unit.controllers.fakes import CONNECTOR, NAME, RUNNING, Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.support import NOT_FOUND, THEIRS, cached
from unit.resources.make import CLASS, SENT

pytestmark = pytest.mark.virtual_time


class TestCaches:
    @pytest.mark.parametrize("seconds", [5.0, 20.0, 40.0])
    async def test_an_update_is_made_once(self, op: Operator, seconds: float) -> None:
        await op.runs(seconds=120)
        op.lenses.fail("get_connector", None, NOT_FOUND)
        op.kube.apply(config={"topic": "new"})
        while not op.lenses.asked("delete_connector"):
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.01)
        op.lenses.connectors.setdefault(NAME, Connector(dict(SENT)))
        cached(op, seconds)
        op.lenses.connectors[NAME] = Connector({"topic": "new", "connector.class": CLASS})
        await asyncio.sleep(120)
        assert op.said() == RUNNING
        assert len(op.lenses.asked("delete_connector")) == 1
        assert op.kube.applied().not_compared == ()

    async def test_a_deletion_that_get_denies_is_not_hammered(self, op: Operator) -> None:
        await op.runs(seconds=120)
        cached(op, 40.0)
        await op.deletes(seconds=38)
        assert op.kube.there()
        assert len(op.lenses.asked("delete_connector")) <= 8
        await asyncio.sleep(60)
        assert not op.kube.there()
        assert op.reasons()[-1] == "Deleted"

    async def test_one_that_only_get_shows_is_not_hammered_with_deletes(self, op: Operator) -> None:
        """DELETE answers 404, GET shows it: a cache, or a right that is missing."""
        await op.runs(seconds=120)
        op.lenses.always("delete_connector", NOT_FOUND)
        await op.deletes(seconds=20)
        assert len(op.lenses.asked("delete_connector")) <= 6
        assert op.kube.there()
        op.lenses.always("delete_connector", None)
        await asyncio.sleep(90)
        assert not op.kube.there()
        assert op.connector is None

    async def test_a_lost_one_that_is_only_hidden_is_not_created_again_and_again(self, op: Operator) -> None:
        await op.runs(seconds=120)
        op.lenses.always("get_connector", NOT_FOUND)
        listed = op.lenses.list_connectors

        async def empty(environment: str) -> list[Any]:
            await listed(environment)
            return []

        op.lenses.list_connectors = empty  # type: ignore[method-assign]
        await asyncio.sleep(600)
        assert 1 <= len(op.lenses.asked("create_connector")) <= 20
        assert op.kube.status().state is None
        op.lenses.list_connectors = listed  # type: ignore[method-assign]
        await op.recovers("get_connector", seconds=70)


class TestRightsThatAreLost:
    @staticmethod
    @contextmanager
    def blind(op: Operator) -> Iterator[None]:
        """What the token may not see is filtered to nothing."""
        hidden, op.lenses.connectors = op.lenses.connectors, {}
        for operation in ("get_connector", "delete_connector"):
            op.lenses.always(operation, NOT_FOUND)
        yield
        op.lenses.connectors = hidden
        for operation in ("get_connector", "delete_connector"):
            op.lenses.always(operation, None)

    @pytest.mark.parametrize("seconds", [20.0, 3600.0])
    async def test_nothing_is_let_go_by_who_saw_others_before(self, op: Operator, seconds: float) -> None:
        op.lenses.connectors["theirs"] = Connector(dict(SENT))
        await op.runs(seconds=120)
        with self.blind(op):
            await op.deletes(seconds=seconds)
            assert op.kube.there()
            assert "Deleted" not in op.reasons()
            if seconds > 100:
                assert op.said() == ("False", "DeletionBlocked", "Owned")
                assert "lost a permission" in op.message()
                assert "Retain" in op.message()
        await asyncio.sleep(120)
        assert not op.kube.there()
        assert op.connector is None
        assert op.reasons()[-1] == "Deleted"

    async def test_a_list_from_between_the_denials_says_nothing_of_the_second(self) -> None:
        """Ours is hidden for a while, and then the token sees nothing."""
        async with operator(poll=60) as op:
            op.lenses.connectors["theirs"] = Connector(dict(SENT))
            await op.runs(seconds=120)
            await self.listed(op)
            await asyncio.sleep(45)
            ours = op.lenses.connectors.pop(NAME)
            await op.deletes(seconds=5)
            await self.listed(op)
            op.lenses.connectors[NAME] = ours
            with self.blind(op):
                await asyncio.sleep(90)
                assert op.kube.there()
                assert "NotFound" not in op.reasons()
                assert op.said() == ("False", "DeletionBlocked", "Owned")
            await asyncio.sleep(300)
            assert op.connector is None
            assert op.reasons()[-1] == "Deleted"

    @staticmethod
    async def listed(op: Operator) -> None:
        op.lenses.calls.clear()
        while not op.lenses.asked("list_connectors"):
            await asyncio.sleep(0.1)

    async def test_lists_are_not_made_for_each_denial(self, op: Operator) -> None:
        op.lenses.connectors["theirs"] = Connector(dict(SENT))
        names = [f"c{number}" for number in range(40)]
        for name in names:
            op.kube.apply(name)
        await op.runs(seconds=120)
        for name in names:
            del op.lenses.connectors[name]
            op.kube.delete(name)
            await asyncio.sleep(0.1)
        await asyncio.sleep(60)
        assert not any(op.kube.there(name) for name in names)
        assert len(op.lenses.asked("list_connectors")) < 12, "four by themselves"

    async def test_what_we_deleted_ourselves_is_no_sign_of_it(self, op: Operator) -> None:
        op.kube.apply("other")
        await op.runs(seconds=120)
        op.lenses.connectors.pop(NAME)
        op.kube.delete("other")
        await op.deletes(seconds=60)
        assert not op.kube.there()
        assert not op.kube.there("other")
        assert sorted(set(op.reasons()) - {"Deleting"}) == ["Deleted", "NotFound"]

    @pytest.mark.parametrize("token", [None, "its own"])
    async def test_a_new_process_knows_by_the_others_that_there_were_some(
        self, lenses: FakeLenses, kube: FakeKube, token: str | None
    ) -> None:
        """Its lists have never shown any."""
        kube.references["payments", RefName("Secret", "token")] = RefData("1", {"token": b"another"})
        brings = {} if token is None else {"tokenSecretRef": {"name": "token", "key": "token"}}
        async with operator(lenses, kube) as op:
            op.kube.apply("other")
            await op.runs(seconds=120, **brings)
        async with operator(lenses, kube) as op:
            lenses.always("create_connector", errors.AlreadyExists("create_connector"))
            with self.blind(op):
                await op.deletes(seconds=75)
                assert op.kube.there() is (token is None), "what another token sees says nothing of it"
                if token is None:
                    assert op.said() == ("False", "DeletionBlocked", "Owned")
                    assert "lost a permission" in op.message()
            await asyncio.sleep(120)
            assert not op.kube.there()
            assert (op.connector is None) is (token is None)

    async def test_where_lists_fail_two_denials_are_no_proof(self, lenses: FakeLenses, kube: FakeKube) -> None:
        async with operator(lenses, kube) as op:
            await op.runs(seconds=120)
        lenses.always("list_connectors", errors.ServerError("list_connectors", detail="too large"))
        async with operator(lenses, kube) as op:
            with self.blind(op):
                await op.deletes(seconds=3600)
                assert op.kube.there()
                assert op.said() == ("False", "DeletionBlocked", "Owned")
                assert "too large" in op.message()
            lenses.always("list_connectors", None)
            await asyncio.sleep(700)
            assert op.connector is None
            assert not op.kube.there()
            assert op.reasons()[-1] == "Deleted"

    async def test_where_lists_fail_another_one_that_is_seen_shows_that_the_token_sees(self, op: Operator) -> None:
        op.kube.apply("other")
        await op.runs(seconds=120)
        op.lenses.always("list_connectors", errors.ServerError("list_connectors", detail="too large"))
        op.lenses.connectors.pop(NAME)
        await op.deletes(seconds=700)
        assert not op.kube.there()
        assert op.reasons()[-1] == "NotFound"

    async def test_it_is_never_said_to_be_deleted_without_a_delete(self, op: Operator) -> None:
        await op.runs(seconds=120)
        with self.blind(op):
            await op.deletes(seconds=120)
        assert op.reasons()[-1] == "NotFound"
        assert "Deleted" not in op.reasons()

    async def test_an_old_acceptance_does_not_count(self) -> None:
        """For a connector that a Recreate has deleted hours before."""
        async with operator(poll=3600) as op:
            await op.runs(seconds=120)
            op.lenses.refuses = lambda config: config["topic"] == "new"
            await op.applies(seconds=7200, config={"topic": "new"})
            op.lenses.calls.clear()
            op.lenses.fail("get_connector", NOT_FOUND, NOT_FOUND)
            op.lenses.fail("delete_connector", NOT_FOUND)
            await op.deletes(seconds=10)
            assert op.kube.there()
            await asyncio.sleep(60)
            assert op.connector is None
            assert not op.kube.there()


class TestShownBetween:
    """Absence is proven over a time in which nobody here has seen it; an operation on its offsets looks, too."""

    @staticmethod
    async def look_of_another(op: Operator, ours: MemoryConnector) -> None:
        op.lenses.connectors[NAME] = ours
        observed = await op.core.connectors._loader._sessions.own.reader.details(CONNECTOR)
        assert observed.present
        del op.lenses.connectors[NAME]

    async def test_it_is_not_taken_for_lost(self) -> None:
        async with operator(poll=1) as op:
            await op.applies(seconds=60)
            op.lenses.calls.clear()
            ours = op.lenses.connectors.pop(NAME)
            for _ in range(10):
                await asyncio.sleep(8)
                await self.look_of_another(op, ours)
            assert op.lenses.asked("create_connector") == []
            await asyncio.sleep(60)
            assert len(op.lenses.asked("create_connector")) == 1, "gone for good"

    @pytest.mark.parametrize("turn", [0.0, 2.0], ids=["while it is validated", "while it waits for its turn"])
    async def test_it_is_not_created_though_it_was_lost_when_the_pass_began(self, turn: float) -> None:
        async with operator(poll=1) as op:
            await op.applies(seconds=120)
            ours = op.lenses.connectors.pop(NAME)
            op.lenses.turn = turn
            validate = op.lenses.validate

            async def slowly(*what: Any) -> Any:
                if not turn:
                    await self.look_of_another(op, ours)
                    op.lenses.connectors[NAME] = ours
                return await validate(*what)

            op.lenses.validate = slowly  # type: ignore[assignment]
            op.lenses.calls.clear()
            while not op.lenses.asked("validate"):
                await asyncio.sleep(0.1)
            if turn:
                await asyncio.sleep(1)
                await self.look_of_another(op, ours)
                op.lenses.connectors[NAME] = ours
            await asyncio.sleep(60)
            assert op.lenses.asked("create_connector") == []
            assert op.said() == RUNNING

    async def test_it_is_not_let_go_as_not_found(self) -> None:
        async with operator(poll=1) as op:
            await op.applies(seconds=60)
            ours = op.lenses.connectors.pop(NAME)
            op.kube.delete()
            for _ in range(6):
                await asyncio.sleep(20)
                await self.look_of_another(op, ours)
            assert op.kube.there()
            await asyncio.sleep(90)
            assert not op.kube.there()
            assert op.reasons()[-1] == "NotFound"


class TestNotAdopted:
    @pytest.mark.parametrize("seconds", [0.5, 5, 12])
    async def test_one_that_is_hidden_for_a_moment_is_not_claimed(self, seconds: float) -> None:
        async with operator(poll=1) as op:
            op.lenses.connectors[NAME] = Connector(dict(THEIRS))
            await op.applies(adoptionPolicy="Never")
            assert op.said()[2] == "NotAdopted"
            theirs = op.lenses.connectors.pop(NAME)
            await asyncio.sleep(seconds)
            op.lenses.connectors[NAME] = theirs
            await asyncio.sleep(120)
            assert op.said()[2] == "NotAdopted"
            assert "Claiming" not in {str(status.ownership.state) for status in op.kube.statuses}
            assert op.lenses.asked("create_connector") == []

    async def test_its_name_is_taken_once_it_is_gone_for_good(self) -> None:
        async with operator(poll=1) as op:
            op.lenses.connectors[NAME] = Connector(dict(THEIRS))
            await op.applies(adoptionPolicy="Never")
            del op.lenses.connectors[NAME]
            await asyncio.sleep(60)
            assert op.said() == RUNNING
