"""Objects as the API server gives them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lenses_operator.resources.base import FINALIZER, rfc3339
from lenses_operator.resources.connector import (
    ConnectorStatus,
    DeletionPolicy,
    LensesConnector,
    OwnershipState,
    WantedState,
)
from unit.resources.make import CREATED, body, resource


def test_defaults() -> None:
    found = resource()
    assert found.spec.state is WantedState.RUNNING
    assert found.spec.deletion_policy is DeletionPolicy.DELETE
    assert found.spec.tasks_max is None
    assert found.status == ConnectorStatus()
    assert found.status.observed_generation == -1
    assert found.status.ownership.state is OwnershipState.NONE
    assert found.status.ready is None


def test_the_connector_is_named_like_the_object_unless_told_otherwise() -> None:
    assert resource("a").connector == ("prod", "connect-eu", "a")
    renamed = LensesConnector.parse(body("a") | {"spec": body("a")["spec"] | {"name": "b"}})
    assert renamed.connector == ("prod", "connect-eu", "b")
    assert str(renamed.connector) == "b on cluster connect-eu of environment prod"


def test_fields_of_later_versions_are_ignored() -> None:
    assert resource(somethingNew={"x": 1}, status={"alsoNew": 1}) == resource()


@pytest.mark.parametrize(
    "spoil",
    [{"environment": None}, {"class": None}, {"state": "sleeping"}, {"deletionPolicy": "Burn"}, {"config": ["a"]}],
)
def test_what_the_crd_would_not_let_through_is_no_connector(spoil: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        resource(**spoil)


@pytest.mark.parametrize(
    ("finalizers", "held"), [((), False), (("other/one",), False), (("other/one", FINALIZER), True)]
)
def test_only_our_own_finalizer_counts(finalizers: tuple[str, ...], held: bool) -> None:
    assert resource(finalizers=finalizers).metadata.has_finalizer is held


def test_times_are_written_as_kubernetes_writes_them() -> None:
    assert rfc3339(CREATED) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("state", "ours"),
    [("None", False), ("Claiming", True), ("Owned", True), ("Conflict", False), ("NotAdopted", False)],
)
def test_claiming_and_owned_are_ours(state: str, ours: bool) -> None:
    assert OwnershipState(state).ours is ours
