"""What a plan says of each situation: the manifests, against what Lenses has."""

from __future__ import annotations

import pytest

from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.lenses import errors
from lenses_operator.planning.planner import Options
from lenses_operator.planning.result import Action, Change
from unit.commands.planned import Rig, manifest, problem

NEW = Options(owned=False)


async def test_create(rig: Rig) -> None:
    result = await rig.plan(manifest())
    (item,) = result.items
    assert (item.action, item.states) == (Action.CREATE, [])
    assert str(item.place).endswith("m.yaml:1")
    assert rig.lenses.asked("validate") == [("validate", "orders")]
    assert (result.exit_code, result.summary) == (
        2,
        "Plan: 1 to create, 0 to change, 0 to adopt, 0 refused, 0 unchanged",
    )


async def test_create_paused(rig: Rig) -> None:
    item = await rig.one(manifest(state="paused"))
    assert (item.action, item.states) == (Action.CREATE, ["pause"])
    assert "runs for a moment" in item.notes[0]


async def test_unchanged_asks_no_validation(rig: Rig) -> None:
    rig.exists()
    result = await rig.plan(manifest())
    assert (result.items[0].action, result.exit_code) == (Action.UNCHANGED, 0)
    assert rig.lenses.asked("validate") == []


async def test_change_key_by_key_with_lines(rig: Rig) -> None:
    rig.exists(topic="old", gone="x")
    item = await rig.one(manifest(config="added: 5", tasksMax=2))
    assert item.action is Action.CHANGE
    assert item.changes == [
        Change("added", None, "5", 12),
        Change("gone", "x", None),
        Change("tasks.max", None, "2", 8),
        Change("topic", "old", "orders", 10),
    ]
    assert (item.update, item.states) == ("Recreate", [])


async def test_change_in_place(rig: Rig) -> None:
    rig.exists(topic="old")
    assert (await rig.one(manifest(updateStrategy="InPlace"))).update == "InPlace"


@pytest.mark.parametrize(
    ("wanted", "is_", "states"),
    [
        ("paused", "RUNNING", ["pause"]),
        ("stopped", "PAUSED", ["stop"]),
        ("running", "STOPPED", ["resume"]),
        ("running", "PAUSED", ["resume"]),
    ],
)
async def test_state(rig: Rig, wanted: str, is_: str, states: list[str]) -> None:
    rig.exists(state=is_)
    item = await rig.one(manifest(state=wanted))
    assert (item.action, item.states, item.update) == (Action.STATE, states, None)


async def test_a_change_while_paused_waits_and_is_validated(rig: Rig) -> None:
    rig.exists(topic="old")
    item = await rig.one(manifest(state="paused"))
    assert (item.action, item.update, item.states) == (Action.CHANGE, "Waiting", ["pause"])
    assert rig.lenses.asked("validate")


async def test_a_paused_connector_that_is_to_run_is_recreated_and_not_resumed(rig: Rig) -> None:
    rig.exists(topic="old", state="PAUSED")
    item = await rig.one(manifest())
    assert (item.update, item.states) == ("Recreate", [])


async def test_refused_by_connect_with_the_line_of_the_key(rig: Rig) -> None:
    rig.lenses.invalid = {"topic": ["no such topic"]}
    result = await rig.plan(manifest())
    (item,) = result.items
    assert (item.action, item.reason, result.exit_code) == (Action.REFUSED, "ConfigInvalid", 1)
    line, message = problem(item)
    assert line == 9
    assert "topic: no such topic" in message


async def test_a_refused_change_still_shows_the_state_change(rig: Rig) -> None:
    rig.exists(topic="old")
    rig.lenses.invalid = {"topic": ["no"]}
    item = await rig.one(manifest(state="paused"))
    assert (item.action, item.states) == (Action.REFUSED, ["pause"])


@pytest.mark.parametrize("fault", [errors.BadRequest("validate"), errors.ServerError("validate", status=500)])
async def test_a_class_that_is_not_installed(rig: Rig, fault: errors.LensesError) -> None:
    rig.lenses.always("validate", fault)
    item = await rig.one(manifest(class_="org.apache.kafka.connect.file.FileStreamSorceConnector"))
    assert item.reason == "PluginNotFound"
    line, message = problem(item)
    assert line == 7
    assert "Nearest installed: org.apache.kafka.connect.file.FileStreamSourceConnector" in message


async def test_a_cluster_that_is_not_there(rig: Rig) -> None:
    item = await rig.one(manifest(cluster="nowhere"))
    assert (item.action, item.reason) == (Action.REFUSED, "ClusterNotFound")


async def test_a_token_that_is_not_accepted(rig: Rig) -> None:
    rig.lenses.always("list_connectors", errors.Unauthorized("list_connectors"))
    result = await rig.plan(manifest("a"), manifest("b"))
    assert [item.reason for item in result.items] == ["Unauthorized"] * 2
    assert "--token-file" in result.items[0].problems[0][1]
    assert rig.lenses.asked("get_connector") == []


async def test_adoption_of_strangers(rig: Rig) -> None:
    rig.exists("same")
    rig.exists("other", topic="old")
    rig.exists("taken", topic="old")
    rig.exists("never")
    result = await rig.plan(
        manifest("same"),
        manifest("other"),
        manifest("taken", adoptionPolicy="Always"),
        manifest("never", adoptionPolicy="Never"),
        options=NEW,
    )
    same, other, taken, never = result.items
    assert (same.action, same.changes) == (Action.ADOPT, [])
    assert (other.action, other.reason) == (Action.REFUSED, "NotAdopted")
    assert [change.key for change in other.changes] == ["topic"]
    assert (taken.action, taken.update, len(taken.changes)) == (Action.ADOPT, "Recreate", 1)
    assert never.reason == "NotAdopted"
    assert result.exit_code == 1


async def test_two_manifests_for_one_connector(rig: Rig) -> None:
    result = await rig.plan(manifest("first", name="orders"), manifest("second", name="orders"))
    first, second = result.items
    assert (first.action, second.action, second.reason) == (Action.CREATE, Action.REFUSED, "Conflict")
    assert "LensesConnector first" in second.problems[0][1]
    assert "m.yaml:1" in second.problems[0][1]


async def test_policy(rig: Rig) -> None:
    policy = Policy((Rule(namespaces=("lake",)),))
    item = await rig.one(manifest(), options=Options(policy=policy))
    assert item.reason == "NotAllowed"
    assert rig.lenses.asked("get_connector") == []


async def test_who_is_not_allowed_keeps_nobody_from_a_connector(rig: Rig) -> None:
    policy = Policy((Rule(namespaces=("payments",)),))
    foreign = manifest().replace("namespace: payments", "namespace: web")
    first, second = (await rig.plan(foreign, manifest(), options=Options(policy=policy))).items
    assert (first.reason, second.action) == ("NotAllowed", Action.CREATE)


async def test_suspended(rig: Rig) -> None:
    rig.exists(topic="old")
    result = await rig.plan(manifest(suspend="true"))
    assert (result.items[0].action, result.exit_code) == (Action.SUSPENDED, 0)


async def test_only_some_environments(rig: Rig) -> None:
    result = await rig.plan(manifest(), manifest("b", environment="stage"), options=Options(frozenset({"stage"})))
    assert [item.name for item in result.items] == ["b"]
    assert "1 LensesConnectors of other environments are left out." in result.notes
    assert rig.lenses.asked("list_connectors") == [("list_connectors", "stage")]
    odd = manifest(environment="{a: b}")
    assert (await rig.plan(odd, options=Options(frozenset({"stage"})))).items == []
