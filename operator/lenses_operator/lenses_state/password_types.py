"""Which keys of a connector class are of Connect's type PASSWORD: Connect hides their values when it validates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from lenses_operator.domain.masks import may_be_masked
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.models import ConnectorRequest, ValidationField

MADE_UP = "x"
"""What is sent for every key when Connect is asked about a class: no value of a real connector, and no database's."""
NAME = "lenses-operator-types"
_NOT_THE_CLASS_OWN = ("transforms", "predicates", "key.converter", "value.converter", "header.converter", "errors.")


def own_keys(keys: Iterable[str]) -> set[str]:
    """Those which the class itself may define."""
    own = {key for key in keys if not key.startswith(_NOT_THE_CLASS_OWN) and ".override." not in key}
    return own - {"name", "connector.class", "tasks.max"}


async def password_keys(
    client: LensesClient, environment: str, cluster: str, class_name: str, keys: Collection[str]
) -> frozenset[str]:
    """Asks Connect, with a made-up value for every key. Raises LensesError."""
    config = {"connector.class": class_name, **dict.fromkeys(sorted(keys), MADE_UP)}
    request = ConnectorRequest(name=NAME, cluster=cluster, configuration=config)
    return hidden_keys((await client.validate(environment, request)).fields, config)


def hidden_keys(fields: Iterable[ValidationField], sent: Mapping[str, str]) -> frozenset[str]:
    """Keys of what was sent whose values do not come back as they were sent, but as a mask."""
    return frozenset(
        one.name
        for one in fields
        if one.value and one.value != sent.get(one.name, one.value) and may_be_masked(one.value)
    )
