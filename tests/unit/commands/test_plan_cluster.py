"""What a plan makes of the resources that the cluster has already."""

from __future__ import annotations

from lenses_operator.planning.planner import Options
from lenses_operator.planning.result import Action
from unit.commands.planned import Rig, applied, manifest, problem
from unit.resources.make import body


async def test_the_status_of_the_cluster_decides_what_is_owned(rig: Rig) -> None:
    rig.holds()
    rig.exists(topic="old")
    assert (await rig.one(manifest())).reason == "NotAdopted"
    rig.holds(applied())
    assert (await rig.one(manifest())).action is Action.CHANGE
    rig.holds(applied(notCompared=["topic"], added=["extra"]))
    rig.exists(topic="old", extra="server's")
    assert (await rig.one(manifest())).action is Action.UNCHANGED
    rig.lenses.connectors.clear()
    assert (await rig.one(manifest())).action is Action.CREATE


async def test_a_new_restart_annotation(rig: Rig) -> None:
    rig.holds()
    text = manifest().replace(
        "namespace: payments", 'namespace: payments, annotations: {connect.lenses.io/restart: "1"}'
    )
    there = applied()
    rig.holds({**there, "status": {**there["status"], "observedGeneration": 1}})
    rig.exists()
    item = await rig.one(text)
    assert (item.action, item.states) == (Action.STATE, [])
    assert "restarts the connector" in item.notes[0]
    rig.exists(state="PAUSED")
    item = await rig.one(text)
    assert item.states == ["resume"]
    assert "restarts the connector" in item.notes[0], "after it was resumed, as the operator does"
    rig.holds(applied())
    assert (await rig.one(text)).notes == [], "the resource is new to the operator: the connector is started anyway"


async def test_one_of_the_cluster_that_is_in_no_file_owns_the_connector(rig: Rig) -> None:
    rig.holds()
    older = body("older")
    rig.holds({**older, "spec": {**older["spec"], "name": "orders"}})
    assert "LensesConnector older" in problem(await rig.one(manifest()))[1]


async def test_what_cannot_be_changed(rig: Rig) -> None:
    rig.holds(body(environment="stage"))
    item = await rig.one(manifest())
    assert item.reason == "Invalid"
    assert problem(item)[1] == "spec.environment cannot be changed; make a new LensesConnector"


async def test_a_resource_that_is_being_deleted(rig: Rig) -> None:
    rig.holds(body(deleting=True))
    assert (await rig.one(manifest())).reason == "Deleting"


async def test_deletions_only_when_asked_for(rig: Rig) -> None:
    rig.holds()
    for name, policy in (("gone", "Delete"), ("kept", "Retain"), ("reset", "DeleteWithOffsets")):
        rig.holds(body(name, deletionPolicy=policy, status={"ownership": {"state": "Owned"}}))
    rig.holds(body("stranger", status={"ownership": {"state": "NotAdopted"}}))
    loser = body("loser", uid="z", age=5, status={"ownership": {"state": "Owned"}})
    rig.holds({**loser, "spec": {**loser["spec"], "name": "orders"}})
    rig.exists()
    rig.holds(applied())
    assert [item.action for item in (await rig.plan(manifest())).items] == [Action.UNCHANGED]
    result = await rig.plan(manifest(), options=Options(prune=True))
    said = {item.name: item.notes[0] for item in result.items if item.action is Action.DELETE}
    assert list(said) == ["gone", "kept", "loser", "reset", "stranger"]
    assert said["gone"] == "The connector is deleted; its offsets stay."
    assert "Retain" in said["kept"]
    assert "offsets are reset" in said["reset"]
    assert "never owned" in said["stranger"]
    assert "belongs to another resource" in said["loser"]
