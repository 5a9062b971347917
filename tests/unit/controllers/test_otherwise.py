"""A Lenses that answers otherwise than its description says: nothing is lost, taken, hammered or refused for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.answers import from_answer
from lenses_operator.lenses.models import ConnectorDetails
from lenses_operator.resources.base import RESTART
from unit.controllers.fakes import NAME, Connector, FakeKube, FakeLenses, Operator, operator
from unit.controllers.virtualtime import now
from unit.resources.make import CLASS, SENT

pytestmark = pytest.mark.virtual_time

PLACE = ("connect-eu", "orders")
RUNNING = ("True", "Running", "Owned")
NOT_FOUND = errors.ConnectorOrClusterNotFound("get_connector", detail="Connector orders not found")
WRITES = ("create_connector", "delete_connector", "put_resource", "set_state", "reset_offsets")
CODES = [400, 409, 500, 502, 503]


def answer(operation: str, status: int, words: str) -> errors.LensesError:
    return from_answer(operation, status, f'{{"error": "{words}", "fields": [], "errorType": "X"}}'.encode())


async def runs(op: Operator, **spec: Any) -> None:
    await op.applies(seconds=120, **spec)
    assert op.connector is not None
    op.lenses.calls.clear()
    op.events.clear()
    op.kube.statuses.clear()


def reasons(op: Operator) -> set[str]:
    return {status.ready.reason for status in op.kube.statuses if status.ready}


class Rebalance:
    """For some seconds after each create and delete, whoever wants to change something is told so."""

    def __init__(self, lenses: FakeLenses, seconds: float, error: Callable[[str], errors.LensesError]) -> None:
        self.lenses, self.seconds, self.error = lenses, seconds, error
        self.until = 0.0
        self._gate = lenses._gate
        lenses._gate = self.gate  # type: ignore[method-assign]

    async def gate(self, operation: str, *what: str) -> errors.LensesError | None:
        if operation in (*WRITES, "validate") and now() < self.until:
            self.lenses.calls.append((operation, *what))
            raise self.error(operation)
        found = await self._gate(operation, *what)
        if operation in ("create_connector", "delete_connector"):
            self.until = now() + self.seconds
        return found


class TestRebalances:
    @pytest.mark.parametrize("seconds", [3.0, 20.0, 40.0])
    @pytest.mark.parametrize("words", ["Request cannot be completed because a rebalance is expected", "No."])
    @pytest.mark.parametrize("status", CODES)
    async def test_an_update_goes_through_whatever_they_are_told_as(
        self, op: Operator, status: int, words: str, seconds: float
    ) -> None:
        await runs(op)
        Rebalance(op.lenses, seconds, lambda operation: answer(operation, status, words))
        await op.applies(seconds=seconds + 40, config={"topic": "new"})
        assert op.said() == RUNNING
        assert op.connector == Connector({"topic": "new", "connector.class": CLASS})
        assert len(op.lenses.asked("delete_connector")) == 1
        assert reasons(op) <= {"Progressing", "LensesUnavailable", "ConnectRebalancing", "Running"}
        assert op.reasons() == ["ConfigUpdated"]

    @pytest.mark.parametrize("status", CODES)
    async def test_while_it_is_away_status_shows_none(self, op: Operator, status: int) -> None:
        await runs(op)
        Rebalance(op.lenses, 40.0, lambda operation: answer(operation, status, "No."))
        await op.applies(seconds=20, config={"topic": "new"})
        assert op.kube.status().state is None
        assert op.kube.status().tasks == ()

    @pytest.mark.parametrize("operation", ["validate", "create_connector"])
    async def test_an_agent_that_could_not_be_called_is_no_refusal(self, op: Operator, operation: str) -> None:
        failed = from_answer(operation, 400, b'{"type": "agent_rpc_error", "title": "no", "status": 400}')
        op.lenses.fail(operation, *[failed] * 4)
        await op.applies(seconds=60)
        assert op.said() == RUNNING
        assert "ConfigInvalid" not in reasons(op)

    async def test_a_refusal_of_a_connector_that_does_not_exist_is_tried_again_for_good(self, op: Operator) -> None:
        op.lenses.always("create_connector", answer("create_connector", 400, "No."))
        await op.applies(seconds=3 * 3600)
        assert op.said() == ("False", "ConfigInvalid", "None")
        op.lenses.always("create_connector", None)
        await asyncio.sleep(600)
        assert op.said() == RUNNING


class TestNamesThatAreTaken:
    @pytest.mark.parametrize("words", ["Connector orders already exists", "No."])
    @pytest.mark.parametrize("status", CODES)
    async def test_ours_that_was_hidden_stays_well(self, op: Operator, status: int, words: str) -> None:
        await runs(op)
        op.lenses.always("get_connector", NOT_FOUND)
        op.lenses.always("create_connector", answer("create_connector", status, words))
        hidden, op.lenses.connectors = op.lenses.connectors, {}
        await asyncio.sleep(50)
        op.lenses.connectors = hidden
        op.lenses.always("get_connector", None)
        await asyncio.sleep(60)
        assert op.said() == RUNNING
        assert op.lenses.asked("delete_connector") == []
        assert "ConfigInvalid" not in reasons(op)

    @pytest.mark.parametrize("words", ["Connector orders already exists", "No."])
    @pytest.mark.parametrize("status", CODES)
    async def test_a_strangers_that_was_hidden_is_not_touched(
        self, lenses: FakeLenses, status: int, words: str
    ) -> None:
        theirs = Connector(SENT | {"topic": "theirs"})
        async with operator(lenses, FakeKube(lenses.calls)) as op:
            lenses.always("get_connector", NOT_FOUND)
            lenses.always("create_connector", answer("create_connector", status, words))
            await op.applies()
            lenses.connectors[NAME] = theirs
            lenses.always("get_connector", None)
            await asyncio.sleep(60)
            assert op.said() == ("False", "NotAdopted", "NotAdopted")
            await op.deletes(seconds=60)
            assert not op.kube.there()
            assert lenses.connectors[NAME] is theirs
            assert lenses.asked("delete_connector", "set_state", "put_resource") == []


class TestLists:
    FAILURES = pytest.mark.parametrize(
        "failure",
        [
            errors.ServerError("list_connectors", detail="too large"),
            errors.UnusableAnswer("list_connectors", status=200),
            errors.LensesUnreachable("list_connectors", reason="timeout"),
            errors.Forbidden("list_connectors"),
        ],
        ids=lambda failure: type(failure).__name__,
    )

    @FAILURES
    async def test_while_only_they_fail_everything_else_goes_on(
        self, op: Operator, failure: errors.LensesError
    ) -> None:
        await runs(op)
        op.lenses.always("list_connectors", failure)
        await asyncio.sleep(60)
        op.kube.apply(config={"topic": "new"})
        await op.applies("later")
        assert op.connector == Connector({"topic": "new", "connector.class": CLASS})
        assert op.said() == op.said("later") == RUNNING
        op.kube.apply(config={"topic": "new"}, state="paused")
        await op.deletes("later")
        assert op.said() == ("True", "Paused", "Owned")
        assert not op.kube.there("later")
        assert "later" not in op.lenses.connectors

    async def test_what_is_well_stays_so_and_is_looked_at_with_its_drift_check(self) -> None:
        async with operator(drift=300.0) as op:
            for number in range(20):
                op.kube.apply(f"c{number}")
            await asyncio.sleep(700)
            op.kube.statuses.clear()
            op.lenses.calls.clear()
            op.lenses.always("list_connectors", errors.ServerError("list_connectors"))
            await asyncio.sleep(600)
            assert op.kube.statuses == []
            assert 35 <= len(op.lenses.asked("get_connector")) <= 45
            op.lenses.connectors["c3"].config["topic"] = "by-hand"
            await asyncio.sleep(310)
            assert op.lenses.connectors["c3"].config["topic"] == "orders"

    async def test_what_was_called_into_question_while_all_was_away_is_well_again_by_details(
        self, op: Operator
    ) -> None:
        await runs(op)
        op.lenses.down(errors.ServerError("list_connectors"))
        await asyncio.sleep(60)
        assert op.said()[1] == "LensesUnavailable"
        op.lenses.down(None)
        op.lenses.always("list_connectors", errors.ServerError("list_connectors"))
        await asyncio.sleep(60)
        assert op.said() == RUNNING

    async def test_a_first_one_that_hangs_is_not_waited_for_by_what_has_to_be_done(self, lenses: FakeLenses) -> None:

        async def hangs(environment: str) -> Any:
            await asyncio.sleep(25)
            raise errors.LensesUnreachable("list_connectors", reason="timeout")

        lenses.list_connectors = hangs  # type: ignore[method-assign]
        async with operator(lenses, FakeKube(lenses.calls)) as op:
            await op.applies(seconds=10)
            assert op.said() == RUNNING


class TestCaches:
    @staticmethod
    def cached(op: Operator, seconds: float) -> Callable[[], None]:
        """Details are as they were at this moment, for so long; what ends it early is returned."""
        lenses, shown = op.lenses, op.lenses._details(NAME)
        details, until = lenses._details, now() + seconds

        def old(name: str) -> ConnectorDetails:
            return shown if now() < until else details(name)

        lenses._details = old  # type: ignore[method-assign]

        def end() -> None:
            lenses._details = details  # type: ignore[method-assign]

        return end

    @pytest.mark.parametrize("seconds", [5.0, 20.0, 40.0])
    async def test_an_update_is_made_once(self, op: Operator, seconds: float) -> None:
        await runs(op)
        op.lenses.fail("get_connector", None, NOT_FOUND)
        op.kube.apply(config={"topic": "new"})
        while not op.lenses.asked("delete_connector"):
            await asyncio.sleep(0.0005)
        await asyncio.sleep(0.01)
        op.lenses.connectors.setdefault(NAME, Connector(dict(SENT)))
        self.cached(op, seconds)
        op.lenses.connectors[NAME] = Connector({"topic": "new", "connector.class": CLASS})
        await asyncio.sleep(120)
        assert op.said() == RUNNING
        assert len(op.lenses.asked("delete_connector")) == 1
        applied = op.kube.status().applied_config
        assert applied is not None
        assert applied.not_compared == ()

    async def test_a_deletion_that_get_denies_is_not_hammered(self, op: Operator) -> None:
        await runs(op)
        self.cached(op, 40.0)
        await op.deletes(seconds=38)
        assert op.kube.there()
        assert len(op.lenses.asked("delete_connector")) <= 8
        await asyncio.sleep(60)
        assert not op.kube.there()
        assert op.reasons()[-1] == "Deleted"

    async def test_one_that_only_get_shows_is_not_hammered_with_deletes(self, op: Operator) -> None:
        """DELETE answers 404, GET shows it: a cache, or a right that is missing."""
        await runs(op)
        op.lenses.always("delete_connector", NOT_FOUND)
        await op.deletes(seconds=20)
        assert len(op.lenses.asked("delete_connector")) <= 6
        assert op.kube.there()
        op.lenses.always("delete_connector", None)
        await asyncio.sleep(90)
        assert not op.kube.there()
        assert op.connector is None

    async def test_a_lost_one_that_is_only_hidden_is_not_created_again_and_again(self, op: Operator) -> None:
        await runs(op)
        op.lenses.always("get_connector", NOT_FOUND)
        op.lenses.fail("list_connectors", *[])
        listed = op.lenses.list_connectors

        async def empty(environment: str) -> list[Any]:
            await listed(environment)
            return []

        op.lenses.list_connectors = empty  # type: ignore[method-assign]
        await asyncio.sleep(600)
        assert 1 <= len(op.lenses.asked("create_connector")) <= 20
        assert op.kube.status().state is None
        op.lenses.list_connectors = listed  # type: ignore[method-assign]
        op.lenses.always("get_connector", None)
        await asyncio.sleep(70)
        assert op.said() == RUNNING


class TestRightsThatAreLost:
    @staticmethod
    def blind(op: Operator, seeing: bool = False) -> None:
        """What the token may not see is filtered to nothing."""
        for operation in ("get_connector", "delete_connector"):
            op.lenses.always(operation, None if seeing else NOT_FOUND)
        hidden = {} if seeing else op.lenses.connectors
        if seeing:
            op.lenses.connectors = op.lenses.hidden_ones  # type: ignore[attr-defined]
        else:
            op.lenses.hidden_ones = hidden  # type: ignore[attr-defined]
            op.lenses.connectors = {}

    @pytest.mark.parametrize("seconds", [20.0, 3600.0])
    async def test_nothing_is_let_go_by_who_saw_others_before(self, op: Operator, seconds: float) -> None:
        op.lenses.connectors["theirs"] = Connector(dict(SENT))
        await runs(op)
        self.blind(op)
        await op.deletes(seconds=seconds)
        assert op.kube.there()
        assert "Deleted" not in op.reasons()
        if seconds > 100:
            assert op.said() == ("False", "DeletionBlocked", "Owned")
            assert "lost a permission" in op.message()
            assert "Retain" in op.message()
        self.blind(op, seeing=True)
        await asyncio.sleep(120)
        assert not op.kube.there()
        assert op.connector is None
        assert op.reasons()[-1] == "Deleted"

    async def test_what_we_deleted_ourselves_is_no_sign_of_it(self, op: Operator) -> None:
        op.kube.apply("other")
        await runs(op)
        op.lenses.connectors.pop(NAME)
        op.kube.delete("other")
        await op.deletes(seconds=60)
        assert not op.kube.there()
        assert not op.kube.there("other")
        assert sorted(set(op.reasons()) - {"Deleting"}) == ["Deleted", "NotFound"]

    async def test_it_is_never_said_to_be_deleted_without_a_delete(self, op: Operator) -> None:
        await runs(op)
        self.blind(op)
        await op.deletes(seconds=120)
        assert op.reasons()[-1] == "NotFound"
        assert "Deleted" not in op.reasons()

    async def test_an_old_acceptance_does_not_count(self) -> None:
        """For a connector that a Recreate has deleted hours before."""
        async with operator(poll=3600) as op:
            await runs(op)
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


class TestClaims:
    async def test_one_on_which_no_create_was_sent_deletes_nothing(self, op: Operator) -> None:
        op.lenses.always("validate", answer("validate", 503, "busy"))
        await op.applies(seconds=10)
        assert [status.ownership.state for status in op.kube.statuses][:2] == ["Claiming", "None"]
        theirs = op.lenses.connectors[NAME] = Connector(SENT | {"topic": "theirs"})
        await op.deletes(seconds=60)
        assert not op.kube.there()
        assert op.lenses.connectors[NAME] is theirs
        assert op.lenses.asked("delete_connector") == []


class TestOthersValues:
    async def test_what_another_gave_to_the_connector_that_ours_becomes_stays_noted_in_status(
        self, lenses: FakeLenses, kube: FakeKube
    ) -> None:
        """The create was never answered, the spec has changed and the operator begun anew: a claim that nobody can
        check any more. A further restart forgets with which Secret."""
        async with operator(lenses, kube) as op:
            lenses.always("create_connector", errors.AgentNotConnected("create_connector"))
            await op.applies(seconds=2)
            assert op.said()[2] == "Claiming"
        lenses.connectors[NAME] = Connector({"password": "theirs", "connector.class": CLASS})
        kube.apply(config={"topic": "new", "file": "/data/new"})
        lenses.always("delete_connector", answer("delete_connector", 503, "Not now"))
        lenses.always("create_connector", None)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(60)
            applied = kube.status().applied_config
            assert op.said()[2] == "Owned"
            assert applied is not None
            assert applied.former_traces


class TestNotFound:
    @pytest.mark.parametrize("operation", ["set_state", "validate"])
    async def test_of_a_connector_or_a_plugin_says_nothing_of_the_cluster(self, op: Operator, operation: str) -> None:
        await runs(op)
        op.lenses.always(operation, errors.ConnectorOrClusterNotFound(operation, detail="Not found"))
        await op.applies(seconds=40, state="paused", config={"topic": "new"})
        assert "ClusterNotFound" not in reasons(op)
        assert len(op.lenses.asked(operation)) <= 8
        op.lenses.always(operation, None)
        await asyncio.sleep(90)
        assert op.said()[:2] == ("True", "Paused")


class TestRestarts:
    async def test_each_is_asked_for_and_no_two_within_a_second(self, op: Operator) -> None:
        await runs(op)
        begun = now()
        for value in ("1", "2", "3"):
            op.kube._edit("payments", "orders", annotations={RESTART: value})
            op.kube._changed("payments", "orders")
            await asyncio.sleep(0.3)
        assert len(op.lenses.asked("set_state")) == 1
        await asyncio.sleep(10)
        assert 2 <= len(op.lenses.asked("set_state")) <= now() - begun
        assert op.kube.status().last_handled_restart == "3"


class TestAsCode:
    async def test_auto_updates_in_place_where_it_is_offered(self, op: Operator) -> None:
        await runs(op, updateStrategy="Auto")
        for topic in ("new", "newer"):
            await op.applies(updateStrategy="Auto", config={"topic": topic})
        assert op.connector == Connector({"topic": "newer", "connector.class": CLASS})
        assert op.lenses.asked("delete_connector", "create_connector") == []
        assert len(op.lenses.asked("get_resource")) == 1, "once in an environment"
        assert op.said() == RUNNING

    async def test_auto_recreates_where_it_is_not(self, op: Operator) -> None:
        op.lenses.as_code = False
        await runs(op, updateStrategy="Auto")
        await op.applies(updateStrategy="Auto", config={"topic": "new"})
        assert op.connector == Connector({"topic": "new", "connector.class": CLASS})
        assert op.lenses.asked("put_resource") == []
        assert len(op.lenses.asked("delete_connector")) == 1

    @pytest.mark.parametrize(
        "no", [answer("get_resource", 403, "no"), errors.MissingAgentCapability("get_resource", status=404)]
    )
    async def test_auto_asks_again_where_it_was_not(self, op: Operator, no: errors.LensesError) -> None:
        """A right was given since, or Lenses upgraded."""
        op.lenses.always("get_resource", no)
        await runs(op, updateStrategy="Auto")
        for topic in ("new", "newer"):
            await op.applies(updateStrategy="Auto", config={"topic": topic})
        assert len(op.lenses.asked("delete_connector")) == 2
        assert len(op.lenses.asked("get_resource")) == 1
        op.lenses.always("get_resource", None)
        await asyncio.sleep(600)
        await op.applies(updateStrategy="Auto", config={"topic": "newest"})
        assert len(op.lenses.asked("put_resource")) == 1

    @pytest.mark.parametrize(
        "no",
        [
            errors.MissingAgentCapability("put_resource", status=405),
            *(answer("put_resource", status, "no") for status in (400, 401, 402, 403, 429)),
            errors.LensesUnreachable("put_resource", maybe_done=False),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_an_operator_that_begins_anew_knows_that_a_write_refused_for_certain_changed_nothing(
        self, lenses: FakeLenses, no: errors.LensesError
    ) -> None:
        """Though Lenses hides a value, and what was wanted once is wanted again."""
        lenses.hide("password")
        kube = FakeKube(lenses.calls)
        config = {"topic": "orders", "password": "plain"}
        async with operator(lenses, kube) as op:
            await runs(op, updateStrategy="InPlace", config=config)
            lenses.always("put_resource", no)
            await op.applies(seconds=120, updateStrategy="InPlace", config=config | {"topic": "new"})
            assert op.lenses.asked("put_resource")
            assert op.said()[0] != "True"
        lenses.calls.clear()
        kube.apply(updateStrategy="InPlace", config=config)
        async with operator(lenses, kube) as op:
            await asyncio.sleep(400)
            assert op.said() == RUNNING
            assert op.lenses.asked("put_resource") == []

    @pytest.mark.parametrize(("state", "shown"), [("paused", "PAUSED"), ("stopped", "STOPPED")])
    async def test_auto_creates_what_is_to_be_held_without_running_it(
        self, op: Operator, state: str, shown: str
    ) -> None:
        op.lenses.connectors["witness"] = Connector(dict(SENT))
        await op.applies(updateStrategy="Auto", state=state)
        assert op.lenses.asked("put_resource") == [("put_resource", "orders", shown)]
        assert op.lenses.asked("create_connector", "set_state") == []
        assert op.said() == ("True", shown.capitalize(), "Owned")
        assert op.reasons() == ["Created"]

    @pytest.mark.parametrize("invalid", [False, True])
    async def test_what_cannot_be_put_at_rest_is_created_the_other_way_and_no_failure(
        self, op: Operator, *, invalid: bool
    ) -> None:
        """Also where create goes on to refuse it: it is asked once more whether there is such a way."""
        op.lenses.connectors["witness"] = Connector(dict(SENT))
        op.lenses.always("put_resource", errors.MissingAgentCapability("put_resource", status=405))
        op.lenses.refuses = lambda _: invalid
        await op.applies(seconds=240, updateStrategy="Auto", state="paused")
        assert op.said()[:2] == (("False", "ConfigInvalid") if invalid else ("True", "Paused"))
        if not invalid:
            assert reasons(op) == {"Progressing", "Paused"}
        op.kube.statuses.clear()
        await asyncio.sleep(3600)
        assert reasons(op) <= {"ConfigInvalid"}

    async def test_nothing_is_put_by_a_token_that_sees_nothing(self, op: Operator) -> None:
        """It may have lost its rights, and a PUT overwrites what it does not see."""
        await op.applies(updateStrategy="Auto", state="paused")
        assert op.lenses.asked("put_resource") == []
        assert op.said() == ("True", "Paused", "Owned")

    async def test_nothing_is_put_once_what_the_list_shows_is_not_seen_any_more(self, op: Operator) -> None:
        """The list is from before the right was lost."""
        op.lenses.connectors["witness"] = Connector(dict(SENT))
        await op.applies(updateStrategy="Auto", state="paused")
        await op.deletes(seconds=60)
        puts = op.lenses.asked("put_resource")
        op.lenses.always("get_connector", errors.ConnectorOrClusterNotFound("GetConnector", detail="Not found"))
        await op.applies(updateStrategy="Auto", state="paused")
        assert op.lenses.asked("create_connector")
        assert op.lenses.asked("put_resource") == puts != []

    @pytest.mark.parametrize("strategy", ["InPlace", "Auto"])
    async def test_what_was_accepted_and_does_not_show_is_said_and_nothing_is_deleted(
        self, op: Operator, strategy: str
    ) -> None:
        await runs(op, updateStrategy=strategy)
        op.lenses.heeds_puts = False
        await op.applies(seconds=25, updateStrategy=strategy, config={"topic": "new", "file": "/data/orders"})
        assert "UpdateNotApplied" not in reasons(op)
        await asyncio.sleep(10)
        assert op.said() == ("False", "UpdateNotApplied", "Owned")
        await asyncio.sleep(3600)
        assert op.said() == ("False", "UpdateNotApplied", "Owned")
        assert 2 <= len(op.lenses.asked("put_resource")) <= 20
        assert op.lenses.asked("delete_connector", "create_connector") == []
        op.lenses.heeds_puts = True
        await asyncio.sleep(400)
        assert op.said() == RUNNING

    async def test_what_shows_late_is_well(self, op: Operator) -> None:
        await runs(op, updateStrategy="InPlace")
        end = TestCaches.cached(op, 1000.0)
        await op.applies(seconds=40, updateStrategy="InPlace", config={"topic": "new", "file": "/data/orders"})
        assert op.said()[1] == "UpdateNotApplied"
        end()
        await asyncio.sleep(310)
        assert op.said() == RUNNING
        assert len(op.lenses.asked("put_resource")) <= 5


class TestNoRefusal:
    @pytest.mark.parametrize("operation", ["validate", "create_connector"])
    async def test_a_404_says_nothing_of_a_configuration(self, op: Operator, operation: str) -> None:
        """However often: a token that has lost a right is answered so for everything."""
        op.lenses.always(operation, errors.ConnectorOrClusterNotFound(operation, detail="Not found"))
        await op.applies(seconds=900)
        assert not reasons(op) & {"ConfigInvalid", "PluginNotFound"}
        op.lenses.always(operation, None)
        await asyncio.sleep(120)
        assert op.said() == RUNNING
