"""Secrets among what was converted, by the types that Connect gives to keys: names of keys do not tell all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator

from lenses_operator.commands.access import LensesAccess
from lenses_operator.conversion.migrating import Migrated, Note
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses_state.password_types import own_keys, password_keys

Class = tuple[str, str, str]
"""Environment, cluster, and the class itself."""


def typed_secrets(access: LensesAccess, done: Collection[Migrated]) -> list[Note]:
    """What has not been told yet. A class that Connect cannot be asked about is told of. Raises click.UsageError."""
    keys: dict[Class, set[str]] = {}
    for one in done:
        keys.setdefault(_class_of(one), set()).update(own_keys(one.manifest.config))
    asked = asyncio.run(_ask(access, {place: found for place, found in sorted(keys.items()) if found}))
    return [note for one in done for note in _notes(one, asked.get(_class_of(one), frozenset()))]


def _class_of(one: Migrated) -> Class:
    return one.manifest.environment, one.manifest.cluster, one.manifest.class_name


def _notes(one: Migrated, found: frozenset[str] | LensesError) -> Iterator[Note]:
    if isinstance(found, LensesError):
        text = f"{one.manifest.class_name} was not asked for its passwords, so keys and values alone decided: {found}"
        yield Note(one.file, None, text)
        return
    for key, value in one.manifest.config.items():
        if key in found - one.told and value and "${" not in value:
            text = f"{key} is a password to Connect: move it to a Secret (spec.configFrom)"
            yield Note(one.file, one.lines.get(key), text)


async def _ask(access: LensesAccess, keys: dict[Class, set[str]]) -> dict[Class, frozenset[str] | LensesError]:
    async with access.client() as client:

        async def ask(place: Class) -> frozenset[str] | LensesError:
            try:
                return await password_keys(client, *place, keys[place])
            except LensesError as error:
                return error

        return dict(zip(keys, await asyncio.gather(*map(ask, keys)), strict=True))
