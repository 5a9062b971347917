"""Which connectors are taken over, which are left to a person, and what counts as a surprise."""

from __future__ import annotations

from typing import Any

from lenses_operator.commands.adopt.candidates import candidates, surprise
from lenses_operator.commands.existing import Existing
from lenses_operator.domain.naming import Connector, object_names
from lenses_operator.lenses.models import ConnectorDetails
from lenses_operator.planning.result import Action, Change, Item
from lenses_operator.resources.connector import ConnectorKey
from unit.resources.make import CLASS


def existing(*found: ConnectorDetails) -> Existing:
    details = {Connector(one.cluster, one.name): one for one in found}
    return Existing(object_names(details), details)


def details(name: str = "orders", **changes: Any) -> ConnectorDetails:
    config = {"connector.class": CLASS, "topic": "orders", "file": "/data"}
    return ConnectorDetails(**{"name": name, "cluster": "connect", "state": "RUNNING", "config": config, **changes})


def test_each_gets_a_manifest() -> None:
    made = candidates("prod", existing(details(), details("Other One")), {}, "payments", {"team": "a"})
    assert [one.name for one in made.found] == ["other-one", "orders"]
    body = made.found[0].body
    assert body["metadata"] == {"name": "other-one", "namespace": "payments", "labels": {"team": "a"}}
    assert body["spec"]["name"] == "Other One"
    assert (made.left, made.taken) == ({}, {})


def test_what_a_resource_names_already_is_no_candidate() -> None:
    owners = {ConnectorKey("prod", "connect", "orders"): "web/orders"}
    made = candidates("prod", existing(details()), owners, "payments", {})
    assert (made.found, list(made.taken.values())) == ([], ["web/orders"])


def test_what_a_person_has_to_do_first() -> None:
    hidden = details("hidden", config={"connector.class": CLASS, "password": "[hidden]"})
    unseen = details("unseen", config=None)
    made = candidates("prod", existing(hidden, unseen, details("same")), {}, "payments", {}, {"same"})
    assert made.found == []
    assert [one.name for one in made.incomplete] == ["hidden"]
    assert {one.name: words for one, words in made.left.items()} == {
        "hidden": "Lenses hides password: write it with --out, fill it in and apply it yourself",
        "same": "there is a LensesConnector same of another connector in namespace payments",
        "unseen": "Lenses does not show its configuration; use a token that may read it",
    }


def test_a_secret_value_is_in_a_secret_alone() -> None:
    config = {"connector.class": CLASS, "password": "planted-value"}
    [one] = candidates("prod", existing(details(config=config)), {}, "payments", {}).found
    assert "planted-value" not in str(one.body)
    assert [value["stringData"] for value in one.values] == [{"password": "planted-value"}]


def item(action: Action, **more: Any) -> Item:
    return Item("LensesConnector", "payments", "orders", action, **more)


def test_only_a_mere_takeover_is_no_surprise() -> None:
    assert surprise(item(Action.ADOPT)) is None
    changes = [Change("a", "1", "2")]
    for one in (
        item(Action.CREATE),
        item(Action.REFUSED),
        item(Action.ADOPT, changes=changes),
        item(Action.ADOPT, states=["resume"]),
    ):
        assert surprise(one)
