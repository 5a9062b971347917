"""Plans over Secrets and references: what is known of them, what is not, and nothing of it is shown."""

from __future__ import annotations

import pytest

from lenses_operator.domain.redaction import HIDDEN
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.domain.render import render
from lenses_operator.manifests.references import Located
from lenses_operator.planning.result import Action, Change
from unit.commands.planned import Rig, applied, manifest, problem
from unit.resources.make import resource

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: payments}
stringData: {password: planted-secret}
"""
DB = Located("payments", RefName("Secret", "db"))
FROM_SECRET = "[{key: db.login, secretKeyRef: {name: db, key: password}}]"


def secretive(rig: Rig) -> tuple[str, str]:
    """What is to be planned over a connector that has other secrets, in every place where one can be."""
    given = {
        "db.login": "older",
        "url": "jdbc://me:planted-inline@db",
        "a.password": "planted-old",
        "x": "planted-secret",
    }
    rig.exists(**given)
    return SECRET, manifest(configFrom=FROM_SECRET, config="url: jdbc://me:planted-new@db")


async def test_secrets_are_never_shown(rig: Rig) -> None:
    result = await rig.plan(*secretive(rig))
    assert "planted" not in str(result.data())
    assert {change.key: (change.old, change.new) for change in result.items[0].changes} == {
        "a.password": (HIDDEN, None),
        "db.login": (HIDDEN, HIDDEN),
        "url": (f"jdbc://me:{HIDDEN}@db", f"jdbc://me:{HIDDEN}@db"),
        "x": (HIDDEN, None),
    }


@pytest.mark.parametrize(
    "words",
    [
        {"db.login": ["planted-secret is bad"], "topic": ["so is planted-secret"]},
        {"url?password=planted-secret": ["is unknown"], "planted-secret": ["is unknown"]},
    ],
    ids=["of a key", "as a key"],
)
async def test_secrets_that_a_refusal_quotes_are_not_shown(rig: Rig, words: dict[str, list[str]]) -> None:
    rig.lenses.invalid = words
    result = await rig.plan(*secretive(rig))
    assert result.items[0].reason == "ConfigInvalid"
    assert result.items[0].changes == [], "nothing would be changed"
    assert "planted" not in str(result.data())


async def test_what_a_reference_of_the_worker_resolves_to_is_not_shown(rig: Rig) -> None:
    rig.holds(applied())
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
    rig.holds(applied()).refs[Located("payments", RefName("ConfigMap", "names"))] = None
    rig.exists(file="*****", **{"db.login": "me"})
    item = await rig.one(manifest(configFrom="[{key: db.login, configMapKeyRef: {name: names, key: login}}]"))
    assert (item.action, item.unknown) == (Action.UNCHANGED, ["db.login"])


async def test_a_masked_secret_changes_with_its_file(rig: Rig) -> None:
    data = RefData("7", {"password": b"planted-secret"})
    sources = [{"key": "db.login", "secretKeyRef": {"name": "db", "key": "password"}}]
    written = render(resource(configFrom=sources).spec, {DB.ref: data})
    secrets = [{"name": "db", "key": "password", "resourceVersion": "7"}]
    rig.holds(applied(hash=written.hash, secrets=secrets)).refs[DB] = data
    rig.exists(**{"db.login": "*****"})
    assert (await rig.one(SECRET, manifest(configFrom=FROM_SECRET))).action is Action.UNCHANGED
    item = await rig.one(SECRET.replace("planted-secret", "planted-new"), manifest(configFrom=FROM_SECRET))
    assert item.changes == [Change("db.login", HIDDEN, HIDDEN, 13)]


async def test_a_reference_that_is_in_neither(rig: Rig) -> None:
    cluster = rig.holds()
    item = await rig.one(manifest(configFrom=FROM_SECRET))
    assert (item.reason, problem(item)[0]) == ("ReferenceNotFound", 8)
    cluster.refs[DB] = RefData("7", {"password": b"planted"})
    assert (await rig.one(manifest(configFrom=FROM_SECRET))).action is Action.CREATE
    cluster.refs[DB] = None
    assert (await rig.one(manifest(configFrom=FROM_SECRET))).unknown == ["db.login"]


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
