"""What Lenses does not show: `plan` says what the operator would do, or that it cannot know."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.domain.references import RefData, RefName
from lenses_operator.domain.render import render
from lenses_operator.domain.secret_digest import with_digest
from lenses_operator.lenses import errors
from lenses_operator.manifests.references import Located
from lenses_operator.planning.planner import Options
from lenses_operator.planning.result import Action
from lenses_operator.resources.connector import LensesConnector
from unit.commands.planned import FakeCluster, Rig, manifest
from unit.resources.make import body

KEY = b"k" * 32
SECRET = Located("payments", RefName("Secret", "db"))
KEPT_AT = Located("lenses", RefName("Secret", "operator-digest-key"))
ASKS = Options(digest_key=KEPT_AT)
FROM_SECRET = "[{key: db.login, secretKeyRef: {name: db, key: password}}]"
UNNAMED = "es.net.http.auth.pin"


def written(rig: Rig, *, version: str = "7", password: bytes = b"planted", key: bytes | None = KEY) -> None:
    """The operator wrote the connector when the Secret was of this version, which Lenses masks."""
    spec: dict[str, Any] = {"configFrom": [{"key": "db.login", "secretKeyRef": {"name": "db", "key": "password"}}]}
    made = body("orders", **spec)
    resource = LensesConnector.read(made)
    rendered = render(resource.spec, {SECRET.ref: RefData(version, {"password": password})})
    rendered = with_digest(rendered, key, resource.metadata.uid)
    applied = {
        "hash": rendered.hash,
        "time": "2026-01-01T00:00:00Z",
        "secrets": [one.model_dump(by_alias=True) for one in rendered.secret_versions],
        "secretsDigest": rendered.digest or None,
        "notCompared": ["db.login"],
    }
    cluster = rig.cluster = FakeCluster()
    cluster.add(made | {"status": {"ownership": {"state": "Owned"}, "appliedConfig": applied}})
    cluster.refs[SECRET] = RefData("8", {"password": b"planted"})
    cluster.refs[KEPT_AT] = RefData("1", {"key": KEY})
    rig.exists(**{"db.login": "*****"})


async def test_a_secret_that_was_only_touched_is_no_change(rig: Rig) -> None:
    written(rig)
    item = await rig.one(manifest(configFrom=FROM_SECRET), options=ASKS)
    assert (item.action, item.notes) == (Action.UNCHANGED, [])


async def test_one_with_other_data_is(rig: Rig) -> None:
    written(rig, password=b"planted-before")
    item = await rig.one(manifest(configFrom=FROM_SECRET), options=ASKS)
    assert (item.action, [one.key for one in item.changes], item.notes) == (Action.CHANGE, ["db.login"], [])


@pytest.mark.parametrize("why", ["not named", "not there", "not to be read", "no key", "too short"])
async def test_without_the_key_it_says_that_it_cannot_know(rig: Rig, why: str) -> None:
    written(rig)
    assert rig.cluster is not None
    if why == "not there":
        del rig.cluster.refs[KEPT_AT]
    elif why == "not to be read":
        rig.cluster.refs[KEPT_AT] = None
    elif why != "not named":
        rig.cluster.refs[KEPT_AT] = RefData("1", {"other" if why == "no key" else "key": b"short"})
    result = await rig.plan(manifest(configFrom=FROM_SECRET), options=Options() if why == "not named" else ASKS)
    (item,) = result.items
    assert (item.action, [one.key for one in item.changes]) == (Action.CHANGE, ["db.login"])
    (note,) = item.notes
    assert note.startswith("db.login: Lenses does not show what it has, and Secret db was written since")
    assert "(--digest-key)" in note
    assert any("Secret lenses/operator-digest-key" in one for one in result.notes) is (why != "not named")
    assert "planted" not in str(result.data())


async def test_where_status_has_no_digest_the_versions_decide(rig: Rig) -> None:
    """As they do for the operator."""
    written(rig, key=None)
    for options in (Options(), ASKS):
        item = await rig.one(manifest(configFrom=FROM_SECRET), options=options)
        assert (item.action, item.notes) == (Action.CHANGE, [])


async def test_what_changes_anyway_is_not_in_doubt(rig: Rig) -> None:
    written(rig)
    rig.exists(topic="old", **{"db.login": "*****"})
    item = await rig.one(manifest(configFrom=FROM_SECRET))
    assert ([one.key for one in item.changes], item.notes) == (["topic"], [])


async def test_what_is_taken_over_unseen_is_written_anew(rig: Rig) -> None:
    """Always takes what shows nothing, and writes all of it: status keeps no hash at such an adoption."""
    rig.cluster = FakeCluster()
    rig.exists()
    rig.lenses.hides_config = True
    item = await rig.one(manifest(adoptionPolicy="Always"))
    assert (item.action, item.update) == (Action.ADOPT, "Recreate")
    assert "file" in [one.key for one in item.changes]


@pytest.mark.parametrize("policy", ["IfIdentical", "Always"])
@pytest.mark.parametrize("typed", [True, False])
async def test_a_mask_is_known_by_its_keys_type_at_an_adoption(rig: Rig, policy: str, typed: bool) -> None:
    rig.cluster = FakeCluster()
    rig.lenses.passwords = frozenset({UNNAMED} if typed else ())
    rig.exists(**{UNNAMED: "REDACTED"})
    item = await rig.one(manifest(config=f"{UNNAMED}: planted", adoptionPolicy=policy))
    if typed:
        assert (item.action, item.update, item.changes) == (Action.ADOPT, None, [])
        assert item.notes == [f"Taken as equal, because Lenses does not show them: {UNNAMED}."]
    elif policy == "Always":
        assert (item.action, item.update) == (Action.ADOPT, "Recreate")
    else:
        assert item.reason == "NotAdopted"


async def test_while_connect_cannot_be_asked_a_mask_of_unknown_notation_differs(rig: Rig) -> None:
    rig.cluster = FakeCluster()
    rig.lenses.always("validate", errors.ServerError("validate"))
    rig.exists(**{UNNAMED: "REDACTED"})
    assert (await rig.one(manifest(config=f"{UNNAMED}: planted"))).reason == "NotAdopted"
