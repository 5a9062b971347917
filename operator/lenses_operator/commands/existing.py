"""The connectors that Lenses has, read whole: their details, and which of their keys Connect takes for passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from lenses_operator.commands.terminal import progress
from lenses_operator.domain.naming import Connector, object_names
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import ConnectorOrClusterNotFound, LensesError
from lenses_operator.lenses.models import ConnectorDetails
from lenses_operator.lenses_state.password_types import own_keys, password_keys


@dataclass
class Existing:
    """By cluster and name: `details`; `names` of resources; `failed` and why; `gone` since they were listed."""

    names: Mapping[Connector, str] = field(default_factory=dict)
    details: dict[Connector, ConnectorDetails] = field(default_factory=dict)
    passwords: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    failed: dict[Connector, str] = field(default_factory=dict)
    gone: list[Connector] = field(default_factory=list)
    not_asked: dict[tuple[str, str], str] = field(default_factory=dict)

    def passwords_of(self, details: ConnectorDetails) -> frozenset[str]:
        return self.passwords.get(_class_of(details), frozenset())


async def read(
    client: LensesClient,
    environment: str,
    clusters: Collection[str] = (),
    globs: Collection[str] = (),
    *,
    ask_types: bool = True,
) -> Existing:
    """Raises LensesError where the connectors cannot even be listed."""
    listed = {Connector(item.cluster, item.name) for item in await client.list_connectors(environment)}
    found = Existing(object_names(listed))  # of all of them, so that a filter gives none another name
    chosen = [
        one
        for one in sorted(listed)
        if (not clusters or one.cluster in clusters) and (not globs or any(fnmatchcase(one.name, g) for g in globs))
    ]
    with progress("reading connectors", len(chosen)) as step:
        await asyncio.gather(*(_read_one(client, environment, one, found, step) for one in chosen))
    if ask_types:
        keys = _keys_by_class(found.details.values())
        with progress("asking about classes", len(keys)) as step:
            await asyncio.gather(*(_ask(client, environment, one, keys[one], found, step) for one in keys))
    return found


async def _read_one(
    client: LensesClient, environment: str, one: Connector, found: Existing, step: Callable[[], None]
) -> None:
    try:
        found.details[one] = await client.get_connector(environment, one.cluster, one.name)
    except ConnectorOrClusterNotFound:
        found.gone.append(one)
    except LensesError as error:
        found.failed[one] = str(error)
    step()


def _class_of(details: ConnectorDetails) -> tuple[str, str]:
    return details.cluster, (details.config or {}).get("connector.class") or details.class_name or ""


def _keys_by_class(details: Collection[ConnectorDetails]) -> dict[tuple[str, str], set[str]]:
    """The keys that connectors of each cluster and class use, as far as the class itself may define them."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in details:
        found.setdefault(_class_of(one), set()).update(own_keys(one.config or {}))
    return {one: keys for one, keys in sorted(found.items()) if one[1] and keys}


async def _ask(
    client: LensesClient,
    environment: str,
    one: tuple[str, str],
    keys: Collection[str],
    found: Existing,
    step: Callable[[], None],
) -> None:
    cluster, class_name = one
    try:
        found.passwords[one] = await password_keys(client, environment, cluster, class_name, keys)
    except LensesError as error:
        found.not_asked[one] = str(error)
    step()
