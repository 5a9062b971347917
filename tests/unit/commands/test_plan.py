"""What a plan says of each situation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.domain.redaction import HIDDEN
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.domain.render import render
from lenses_operator.lenses import errors
from lenses_operator.manifests.references import Located
from lenses_operator.planning.planner import Options
from lenses_operator.planning.result import Action, Change
from unit.commands.planned import FakeCluster, Rig, manifest
from unit.resources.make import body, resource

NEW = Options(owned=False)
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: payments}
stringData: {password: planted-secret}
"""
FROM_SECRET = "[{key: db.login, secretKeyRef: {name: db, key: password}}]"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


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
    ((place, message),) = item.problems
    assert place is not None
    assert place.line == 9
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
    ((place, message),) = item.problems
    assert place is not None
    assert place.line == 7
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


async def test_secrets_are_never_shown(rig: Rig) -> None:
    rig.exists(
        **{
            "db.login": "older",
            "url": "jdbc://me:planted-inline@db",
            "a.password": "planted-old",
            "x": "planted-secret",
        }
    )
    rig.lenses.invalid = {"db.login": ["planted-secret is bad"], "topic": ["so is planted-secret"]}
    result = await rig.plan(SECRET, manifest(configFrom=FROM_SECRET, config="url: jdbc://me:planted-new@db"))
    assert "planted" not in str(result.data())
    changes = {change.key: (change.old, change.new) for change in result.items[0].changes}
    assert changes == {}  # refused: nothing would be changed
    rig.lenses.invalid = {"url?password=planted-secret": ["is unknown"], "planted-secret": ["is unknown"]}
    result = await rig.plan(SECRET, manifest(configFrom=FROM_SECRET, config="url: jdbc://me:planted-new@db"))
    assert result.items[0].reason == "ConfigInvalid"
    assert "planted" not in str(result.data())
    rig.lenses.invalid = {}
    result = await rig.plan(SECRET, manifest(configFrom=FROM_SECRET, config="url: jdbc://me:planted-new@db"))
    changes = {change.key: (change.old, change.new) for change in result.items[0].changes}
    assert "planted" not in str(result.data())
    assert changes == {
        "a.password": (HIDDEN, None),
        "db.login": (HIDDEN, HIDDEN),
        "url": (f"jdbc://me:{HIDDEN}@db", f"jdbc://me:{HIDDEN}@db"),
        "x": (HIDDEN, None),
    }


async def test_what_a_reference_of_the_worker_resolves_to_is_not_shown(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    rig.cluster.add(applied())
    rig.exists(login="planted")
    item = await rig.one(manifest(config='login: "${vault:db:login}"'))
    assert item.changes == [Change("login", HIDDEN, "${vault:db:login}", 11)]


async def test_references_that_cannot_be_read(rig: Rig) -> None:
    rig.exists(**{"db.login": "whatever", "topic": "old", "more": "perhaps from the map"})
    sources = "[{configMapRef: {name: defaults}}, {key: db.login, secretKeyRef: {name: db, key: password}}]"
    item = await rig.one(manifest(configFrom=sources))
    assert (item.action, item.unknown) == (Action.CHANGE, ["db.login"])
    assert [change.key for change in item.changes] == ["topic"]
    assert "ConfigMap defaults, Secret db" in item.notes[0]
    # Placeholders are not Connect's business; its types are asked for with made-up values.
    assert rig.lenses.asked("validate") == [("validate", "lenses-operator-types")]
    rig.exists(**{"db.login": "whatever"})
    assert (await rig.one(manifest(configFrom=sources))).action is Action.UNCHANGED


async def test_a_key_that_the_manifest_itself_gives_is_known(rig: Rig) -> None:
    rig.exists(**{"db.login": "old"})
    item = await rig.one(manifest(configFrom=FROM_SECRET, config="db.login: me"))
    assert (item.unknown, [change.key for change in item.changes]) == ([], ["db.login"])


async def test_what_is_not_known_does_not_make_a_masked_key_look_changed(rig: Rig) -> None:
    rig.cluster = FakeCluster(refs={Located("payments", RefName("ConfigMap", "names")): None})
    rig.cluster.add(applied())
    rig.exists(file="*****", **{"db.login": "me"})
    item = await rig.one(manifest(configFrom="[{key: db.login, configMapKeyRef: {name: names, key: login}}]"))
    assert (item.action, item.unknown) == (Action.UNCHANGED, ["db.login"])


async def test_a_masked_secret_changes_with_its_file(rig: Rig) -> None:
    there = Located("payments", RefName("Secret", "db"))
    rig.cluster = FakeCluster(refs={there: RefData("7", {"password": b"planted-secret"})})
    written = render(
        resource(configFrom=[{"key": "db.login", "secretKeyRef": {"name": "db", "key": "password"}}]).spec,
        {there.ref: RefData("7", {"password": b"planted-secret"})},
    )
    secrets = [{"name": "db", "key": "password", "resourceVersion": "7"}]
    rig.cluster.add(applied(hash=written.hash, secrets=secrets))
    rig.exists(**{"db.login": "*****"})
    assert (await rig.one(SECRET, manifest(configFrom=FROM_SECRET))).action is Action.UNCHANGED
    item = await rig.one(SECRET.replace("planted-secret", "planted-new"), manifest(configFrom=FROM_SECRET))
    assert item.changes == [Change("db.login", HIDDEN, HIDDEN, 13)]


async def test_a_reference_that_is_in_neither(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    item = await rig.one(manifest(configFrom=FROM_SECRET))
    assert (item.reason, item.problems[0][0].line if item.problems[0][0] else 0) == ("ReferenceNotFound", 8)
    rig.cluster.refs[Located("payments", RefName("Secret", "db"))] = RefData("7", {"password": b"planted"})
    assert (await rig.one(manifest(configFrom=FROM_SECRET))).action is Action.CREATE
    rig.cluster.refs[Located("payments", RefName("Secret", "db"))] = None
    assert (await rig.one(manifest(configFrom=FROM_SECRET))).unknown == ["db.login"]


def applied(name: str = "orders", state: str = "Owned", **changes: object) -> dict[str, Any]:
    """As the cluster has it after the operator wrote it."""
    found = {"hash": render(resource(name).spec).hash, "time": "2026-01-01T00:00:00Z", **changes}
    return body(name, status={"ownership": {"state": state}, "appliedConfig": found})


async def test_the_status_of_the_cluster_decides_what_is_owned(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    rig.exists(topic="old")
    assert (await rig.one(manifest())).reason == "NotAdopted"
    rig.cluster.add(applied())
    assert (await rig.one(manifest())).action is Action.CHANGE
    rig.cluster.add(applied(notCompared=["topic"], added=["extra"]))
    rig.exists(topic="old", extra="server's")
    assert (await rig.one(manifest())).action is Action.UNCHANGED
    rig.lenses.connectors.clear()
    assert (await rig.one(manifest())).action is Action.CREATE


async def test_a_new_restart_annotation(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    text = manifest().replace(
        "namespace: payments", 'namespace: payments, annotations: {connect.lenses.io/restart: "1"}'
    )
    there = applied()
    rig.cluster.add({**there, "status": {**there["status"], "observedGeneration": 1}})
    rig.exists()
    item = await rig.one(text)
    assert (item.action, item.states) == (Action.STATE, [])
    assert "restarts the connector" in item.notes[0]
    rig.exists(state="PAUSED")
    item = await rig.one(text)
    assert item.states == ["resume"]
    assert "restarts the connector" in item.notes[0], "after it was resumed, as the operator does"
    rig.cluster.add(applied())
    assert (await rig.one(text)).notes == [], "the resource is new to the operator: the connector is started anyway"


async def test_two_manifests_for_one_connector(rig: Rig) -> None:
    result = await rig.plan(manifest("first", name="orders"), manifest("second", name="orders"))
    first, second = result.items
    assert (first.action, second.action, second.reason) == (Action.CREATE, Action.REFUSED, "Conflict")
    assert "LensesConnector first" in second.problems[0][1]
    assert "m.yaml:1" in second.problems[0][1]


async def test_one_of_the_cluster_that_is_in_no_file_owns_the_connector(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    older = body("older")
    rig.cluster.add({**older, "spec": {**older["spec"], "name": "orders"}})
    assert "LensesConnector older" in (await rig.one(manifest())).problems[0][1]


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


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("jdbc:x?user=a&password=planted&b=1", f"jdbc:x?user=a&password={HIDDEN}&b=1"),
        ('{"apiKey": "planted"}', f'{{"apiKey": {HIDDEN}}}'),
        ("https://me:planted@host/", f"https://me:{HIDDEN}@host/"),
        ("tokens.per.second", "tokens.per.second"),
    ],
)
async def test_passwords_inside_values(rig: Rig, value: str, shown: str) -> None:
    rig.exists(odd=value)
    assert (await rig.one(manifest())).changes == [Change("odd", shown, None)]


async def test_what_cannot_be_changed(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    rig.cluster.add(body(environment="stage"))
    item = await rig.one(manifest())
    assert (item.reason, item.problems[0][1]) == (
        "Invalid",
        "spec.environment cannot be changed; make a new LensesConnector",
    )


async def test_a_resource_that_is_being_deleted(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    rig.cluster.add(body(deleting=True))
    assert (await rig.one(manifest())).reason == "Deleting"


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


async def test_deletions_only_when_asked_for(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    for name, policy in (("gone", "Delete"), ("kept", "Retain"), ("reset", "DeleteWithOffsets")):
        rig.cluster.add(body(name, deletionPolicy=policy, status={"ownership": {"state": "Owned"}}))
    rig.cluster.add(body("stranger", status={"ownership": {"state": "NotAdopted"}}))
    loser = body("loser", uid="z", age=5, status={"ownership": {"state": "Owned"}})
    rig.cluster.add({**loser, "spec": {**loser["spec"], "name": "orders"}})
    rig.exists()
    rig.cluster.add(applied())
    assert [item.action for item in (await rig.plan(manifest())).items] == [Action.UNCHANGED]
    result = await rig.plan(manifest(), options=Options(prune=True))
    said = {item.name: item.notes[0] for item in result.items if item.action is Action.DELETE}
    assert list(said) == ["gone", "kept", "loser", "reset", "stranger"]
    assert said["gone"] == "The connector is deleted; its offsets stay."
    assert "Retain" in said["kept"]
    assert "offsets are reset" in said["reset"]
    assert "never owned" in said["stranger"]
    assert "belongs to another resource" in said["loser"]


async def test_warnings_of_what_would_not_arrive(rig: Rig) -> None:
    result = await rig.plan(manifest(config="a: 0644\nb: yes\nc:\nd: 1.0\ndb.password: 0123\ne: 1\nf: true"))
    assert [place.line for place, _ in result.warnings if place] == [11, 12, 13, 14, 15]
    said = [message for _, message in result.warnings]
    assert "a: 0644 arrives as 420" in said[0]
    assert "c has no value" in said[2]
    assert "0123" not in said[4]
    assert result.exit_code == 2


async def test_warnings_of_integers_that_argo_cd_compares_inexactly(rig: Rig) -> None:
    edge = f"a: {2**53}\nb: {-(2**53)}\nc: '{2**53 + 1}'\nd: true"
    assert (await rig.plan(manifest(config=edge))).warnings == []
    result = await rig.plan(manifest(config=f"a: {2**53 + 1}\nb: {-(2**53) - 1}\ndb.password: {2**60 + 1}"))
    assert [place.line for place, _ in result.warnings if place] == [11, 12, 13]
    assert all("OutOfSync" in message and message.endswith("quote it") for _, message in result.warnings)
    assert not any(str(2**60 + 1) in message for _, message in result.warnings)
    assert [item.action for item in result.items] == [Action.CREATE], "a warning, never a refusal"


async def test_warnings_of_names_that_lenses_may_not_take(rig: Rig) -> None:
    rig.lenses.clusters.add("connect_eu")
    result = await rig.plan(manifest(environment="Prod", cluster="connect_eu", name="'a:b'"))
    assert [(place.line, message.partition(":")[0]) for place, message in result.warnings if place] == [
        (5, "spec.environment"),
        (6, "spec.cluster"),
        (8, "spec.name"),
    ]
    assert [item.action for item in result.items] == [Action.CREATE], "a warning, never a refusal"
    assert (await rig.plan(manifest(name="'a -> b'"))).warnings == []


@pytest.mark.parametrize("spec", ["", "spec: 5\n", "spec: {environment: 5, cluster: [], name: {}}\n"])
async def test_names_that_are_none_are_the_schemas_business(rig: Rig, spec: str) -> None:
    head = manifest().partition("spec:")[0]
    assert (await rig.plan(head + spec)).warnings == []


OFFSETS = """\
apiVersion: connect.lenses.io/v1alpha1
kind: LensesConnectorOffsets
metadata: {name: back, namespace: payments}
spec: {connectorRef: {name: orders}, action: Reset}
"""


async def test_offsets(rig: Rig) -> None:
    item = await rig.one(OFFSETS)
    assert item.action is Action.OFFSETS
    assert "not in the files" in item.notes[0]
    assert "forgets all its offsets" in item.notes[1]
    rig.exists()
    _, item = (await rig.plan(manifest(), OFFSETS)).items
    assert item.notes[1] == "now: 1 partitions still have an offset"
    alter = OFFSETS.replace(
        "Reset", "Alter, offsets: [{partition: {p: 0}, offset: {at: 5}}, {partition: {p: 1}, drop: true}]"
    )
    _, item = (await rig.plan(manifest(), alter)).items
    assert item.notes[1] == 'now: {"p": 0} is at {"at": 7} instead of {"at": 5}'
    rig.lenses.offsets = '[{"partition": {"p": 0}, "offset": {"at": 5}}]'
    _, item = (await rig.plan(manifest(), alter)).items
    assert item.notes[1] == "The offsets are like that now."
    rig.cluster = FakeCluster()
    done = {
        "metadata": {**body("back")["metadata"], "generation": 1},
        "spec": {"connectorRef": {"name": "orders"}, "action": "Reset"},
        "status": {"appliedGeneration": 1},
    }
    rig.cluster.add(done, "LensesConnectorOffsets")
    assert (await rig.one(OFFSETS)).action is Action.UNCHANGED
    invalid = OFFSETS.replace("action: Reset", "action: Alter, offsetsJson: '[]'")
    assert (await rig.one(invalid)).reason == "OffsetsInvalid"
