"""What is said of the resources, and what they ask of Lenses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lenses_operator.diagnosis.census import Census
from lenses_operator.diagnosis.kubernetes import AnyResource
from lenses_operator.diagnosis.results import Result, Verdict
from unit.offsets.make import operation
from unit.resources.make import NOW, resource


def counted(*found: AnyResource, unreadable: tuple[str, ...] = (), now: datetime = NOW) -> Census:
    census = Census(now)
    for one in found:
        census.add(one)
    for name in unreadable:
        census.add_unreadable(name)
    return census


def looked(*found: AnyResource, unreadable: tuple[str, ...] = ()) -> dict[str, Result]:
    return {one.check: one for one in counted(*found, unreadable=unreadable).results()}


SEEN = {"observedGeneration": 1}


def stalled() -> dict[str, Any]:
    more = {"observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "…"}
    conditions = [{"type": "Ready", "status": "False"}, {"type": "Stalled", "status": "True"}]
    return {**SEEN, "conditions": [one | more | {"reason": "ConfigInvalid"} for one in conditions]}


def test_resources_without_trouble() -> None:
    assert looked()["all"].message == "there are none yet"
    assert looked(resource(status=SEEN), operation(status=SEEN))["all"].message.startswith("2, none stalled")


def test_what_is_stalled_is_counted_by_reason() -> None:
    result = looked(resource("b", status=stalled()), resource("a", status=stalled()), resource(status=SEEN))["stalled"]
    assert result.verdict is Verdict.WARNING
    assert result.message == ("2 with reason ConfigInvalid: LensesConnector payments/a, LensesConnector payments/b")


def test_a_deletion_that_hangs() -> None:
    stuck = looked(resource(deleting=True, status=SEEN))["deletion"]
    assert stuck.verdict is Verdict.WARNING
    assert "payments/orders" in stuck.message
    assert '"deletionPolicy":"Retain"' in stuck.remedy
    [young] = counted(resource(deleting=True, status=SEEN), now=NOW - timedelta(days=28, hours=12)).results()
    assert young.check == "all"
    assert "deletion" not in looked(resource(deleting=True, finalizers=(), status=SEEN))


def test_what_no_operator_has_looked_at() -> None:
    result = looked(resource())["looked at"]
    assert result.verdict is Verdict.FAILED
    assert "payments/orders" in result.message


def test_what_is_not_to_be_understood() -> None:
    assert looked(unreadable=("LensesConnector a/b",))["readable"].verdict is Verdict.FAILED


def test_tokens_of_their_own_are_not_tried() -> None:
    found = looked(resource(status=SEEN, tokenSecretRef={"name": "team", "key": "token"}))
    assert (found["own tokens"].verdict, found["all"].verdict) == (Verdict.SKIPPED, Verdict.OK)


def test_what_the_resources_ask_of_lenses() -> None:
    odd = resource("odd", environment="test")
    odd = odd.model_copy(update={"spec": odd.spec.model_copy(update={"name": "a:b"})})
    resources = [
        resource("orders"),
        resource("clicks", environment="test", updateStrategy="InPlace"),
        odd,
        resource("own", environment="test", cluster="us", tokenSecretRef={"name": "team", "key": "token"}),
    ]
    census = counted(*resources)
    assert {(environment, *clusters) for environment, clusters in census.wanted.items()} == {
        ("prod", "connect-eu"),
        ("test", "connect-eu", "us"),
    }
    found = census.wanted["test"]["connect-eu"]
    assert (found.connectors, {*found.odd}, [*found.in_place]) == (2, {"a:b"}, [str(resources[1].key)])
    assert census.users == {"prod": [str(resources[0].key)], "test": [str(resources[1].key), str(resources[2].key)]}
    assert census.namespaces == {"payments"}
