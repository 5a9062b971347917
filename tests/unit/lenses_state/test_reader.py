"""Absence only with proof."""

from __future__ import annotations

from typing import cast

import pytest

from lenses_operator.lenses import errors
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.models import ConnectorListItem
from lenses_operator.lenses_state.poller import View
from lenses_operator.lenses_state.reader import DOUBTED_FOR, Reader
from unit.controllers.fakes import CONNECTOR, Connector, FakeLenses
from unit.resources.make import SENT

pytestmark = pytest.mark.virtual_time


class Rig:
    def __init__(self) -> None:
        self.lenses = FakeLenses()
        self.at = 1000.0
        self.reader = Reader(cast("LensesClient", self.lenses), lambda: self.at)

    def calls(self) -> list[str]:
        return [call[0] for call in self.lenses.calls]


@pytest.fixture
async def rig() -> Rig:
    return Rig()


async def test_what_is_there_needs_no_proof(rig: Rig) -> None:
    rig.lenses.connectors["orders"] = Connector(SENT)
    observed = await rig.reader.details(CONNECTOR)
    assert observed.present
    assert observed.config == SENT | {"name": "orders"}
    assert rig.calls() == ["get_connector"]


async def test_absence_takes_the_agents_404_and_a_good_answer_of_the_cluster_after_it(rig: Rig) -> None:
    assert not (await rig.reader.details(CONNECTOR)).present
    assert rig.calls() == ["get_connector", "get_cluster_info"]


@pytest.mark.parametrize(("seconds", "asked"), [(0, 1), (2.9, 1), (3.1, 2)])
async def test_a_good_answer_serves_three_seconds(rig: Rig, seconds: float, asked: int) -> None:
    await rig.reader.details(CONNECTOR)
    rig.at += seconds
    await rig.reader.details(CONNECTOR._replace(name="another"))
    assert rig.calls().count("get_cluster_info") == asked


async def test_of_one_cluster_says_nothing_of_another(rig: Rig) -> None:
    rig.lenses.clusters.add("us")
    await rig.reader.details(CONNECTOR)
    await rig.reader.details(CONNECTOR._replace(cluster="us"))
    await rig.reader.details(CONNECTOR._replace(environment="dev"))
    assert rig.calls().count("get_cluster_info") == 3


async def test_a_cluster_that_does_not_answer_is_no_proof_and_is_not_remembered_as_well(rig: Rig) -> None:
    rig.lenses.fail("get_cluster_info", errors.ServerError("get_cluster_info"))
    with pytest.raises(errors.ServerError):
        await rig.reader.details(CONNECTOR)
    assert not (await rig.reader.details(CONNECTOR)).present
    assert rig.calls().count("get_cluster_info") == 2


async def test_a_404_that_leaves_here_is_about_the_cluster(rig: Rig) -> None:
    rig.lenses.clusters.clear()
    with pytest.raises(errors.ConnectorOrClusterNotFound) as raised:
        await rig.reader.details(CONNECTOR)
    assert raised.value.operation == "get_cluster_info"


@pytest.mark.parametrize(
    "failure",
    [
        errors.UnusableAnswer("get_connector", status=404),
        errors.EnvironmentNotFound("get_connector"),
        errors.NotFound("get_connector"),
        errors.LensesUnreachable("get_connector"),
    ],
    ids=["HTML 404", "HQ's 404", "a bare 404", "nothing"],
)
async def test_anything_but_the_agents_own_404_is_no_absence(rig: Rig, failure: errors.LensesError) -> None:
    rig.lenses.fail("get_connector", failure)
    with pytest.raises(type(failure)):
        await rig.reader.details(CONNECTOR)


async def test_what_was_missed_and_is_seen_again_is_remembered_while_anybody_goes_by_that() -> None:
    rig = Rig()
    await rig.reader.details(CONNECTOR)
    rig.lenses.connectors["orders"] = Connector(SENT)
    rig.lenses.connectors["another"] = Connector(SENT)
    rig.at += 5
    for name in ("orders", "another"):
        await rig.reader.details(CONNECTOR._replace(name=name))
    assert rig.reader.sightings.seen_at(CONNECTOR) == rig.at
    assert rig.reader.sightings.seen_at(CONNECTOR._replace(name="another")) == float("-inf"), "it was never missed"
    rig.at += 2 * DOUBTED_FOR
    await rig.reader.details(CONNECTOR._replace(name="a third"))
    assert rig.reader.sightings.seen_at(CONNECTOR) == float("-inf")


def view(asked_at: float) -> View:
    entry = ConnectorListItem(name="orders", cluster="connect-eu", state="RUNNING")
    return View(asked_at, {("connect-eu", "orders"): entry})


@pytest.mark.parametrize(("asked_at", "known"), [(9, False), (10, False), (10.1, True)])
def test_a_list_counts_if_it_was_asked_for_after_our_last_request(asked_at: float, known: bool) -> None:
    found = Rig().reader.listed(CONNECTOR, view(asked_at), 10)
    assert (found is not None) is known


def test_what_is_not_in_the_list_may_exist_all_the_same() -> None:
    assert Rig().reader.listed(CONNECTOR._replace(name="other"), view(10), 0) is None


async def test_plugins_of_the_cluster_are_read_once_in_half_a_minute(rig: Rig) -> None:
    rig.lenses.plugin_list += [rig.lenses.plugin_list[0].model_copy(update={"cluster": "us"})]
    for seconds in (0, 29, 2):
        rig.at += seconds
        assert {plugin.cluster for plugin in await rig.reader.plugins(CONNECTOR)} == {"connect-eu"}
    assert rig.calls() == ["list_plugins"] * 2
