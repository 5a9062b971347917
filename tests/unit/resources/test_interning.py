"""What is kept by the thousand holds once what is alike, and is otherwise as if it did not."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping

import httpx
from pydantic import BaseModel

from lenses_operator.interning import intern_fields
from lenses_operator.lenses.models import ConnectorListItem
from lenses_operator.resources.connector import LensesConnector, OwnershipState
from unit.lenses.fakes import rig

CONDITION = {
    "type": "Ready",
    "status": "True",
    "reason": "Running",
    "message": "The connector runs, as do its tasks.",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-02T03:04:05Z",
}


def body(name: str) -> dict[str, object]:
    """Read from JSON each time, as from a server: equal text is not the same object."""
    text = {
        "metadata": {
            "name": name,
            "namespace": "payments",
            "uid": f"uid-{name}",
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"team of many": "a team's name"},
        },
        "spec": {
            "environment": "prod-eu",
            "cluster": "connect-eu",
            "class": "com.example.Sink",
            "config": {"some.key": name},
        },
        "status": {"conditions": [CONDITION], "tasks": [{"id": 0, "state": "RUNNING", "workerId": "w-1:8083"}]},
    }
    parsed: dict[str, object] = json.loads(json.dumps(text))
    return parsed


def parsed() -> tuple[LensesConnector, LensesConnector]:
    return LensesConnector.parse(body("one")), LensesConnector.parse(body("two"))


def test_equal_text_is_held_once() -> None:
    one, two = parsed()
    assert one.spec.class_name is two.spec.class_name
    assert one.spec.environment is two.spec.environment
    assert next(iter(one.spec.config)) is next(iter(two.spec.config))
    assert next(iter(one.metadata.labels.items())) == next(iter(two.metadata.labels.items()))
    assert one.metadata.labels["team of many"] is two.metadata.labels["team of many"]
    assert one.status.conditions[0].message is two.status.conditions[0].message
    assert one.status.tasks[0].worker_id is two.status.tasks[0].worker_id


def test_what_was_given_is_known_still_and_held_once_at_every_depth() -> None:
    one, two = parsed()
    raw = LensesConnector.model_validate(body("one"))
    assert raw.spec.model_fields_set == one.spec.model_fields_set
    for mine, other in ((one.spec, two.spec), (one.metadata, two.metadata), (one.status, two.status)):
        assert mine.model_fields_set is other.model_fields_set
    assert one.status.tasks[0].model_fields_set is two.status.tasks[0].model_fields_set
    assert one.status.conditions[0].model_fields_set is two.status.conditions[0].model_fields_set


def models_within(value: object) -> Iterator[BaseModel]:
    """At every depth, whatever holds them."""
    if isinstance(value, BaseModel):
        yield value
        value = vars(value)
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for part in value:
            yield from models_within(part)


def test_none_is_left_out() -> None:
    whole = body("one") | {
        "spec": {
            "environment": "prod-eu",
            "cluster": "connect-eu",
            "class": "com.example.Sink",
            "configFrom": [
                {"prefix": "a.", "configMapRef": {"name": "a"}},
                {"secretRef": {"name": "b"}},
                {"configKey": "c", "configMapKeyRef": {"name": "c", "key": "c"}},
                {"configKey": "d", "secretKeyRef": {"name": "d", "key": "d"}},
            ],
            "autoRestart": {"enabled": True},
            "tokenSecretRef": {"name": "token", "key": "token"},
        },
        "status": {
            "conditions": [CONDITION],
            "tasks": [{"id": 0, "state": "RUNNING"}],
            "ownership": {"state": "Owned"},
            "appliedConfig": {"hash": "x", "secrets": [{"name": "d", "key": "d", "resourceVersion": "1"}]},
            "autoRestart": {"generation": 1, "count": 1},
            "refusedConfig": {"generation": 1, "hash": "x"},
        },
    }
    one, two = (list(models_within(LensesConnector.parse(whole))) for _ in range(2))
    assert len({type(model) for model in one}) == 16
    for mine, other in zip(one, two, strict=True):
        assert mine.model_fields_set is other.model_fields_set, type(mine)


def test_nothing_else_changes() -> None:
    one, two = parsed()
    raw = LensesConnector.model_validate(body("one"))
    assert one == raw
    assert one != two
    assert one.status.to_wire() == raw.status.to_wire()
    assert intern_fields(copy.deepcopy(one)) == one


def test_a_changed_copy_does_not_change_what_others_share() -> None:
    one, two = parsed()
    before = set(two.status.model_fields_set)
    copied = one.status.model_copy(
        update={"ownership": one.status.ownership.model_copy(update={"state": OwnershipState.OWNED})}
    )
    assert "ownership" in copied.model_fields_set
    assert two.status.model_fields_set == before


async def test_the_list_of_lenses_is_kept_so_too() -> None:
    items = [{"name": name, "cluster": "connect-eu", "state": "RUNNING", "className": "com.C"} for name in ("a", "b")]
    listing = await rig(httpx.Response(200, json={"data": items})).client.poll_connectors("env")
    one, two = listing.connectors
    assert one.model_fields_set is two.model_fields_set
    assert one.class_name is two.class_name
    assert one == ConnectorListItem.model_validate(items[0])
