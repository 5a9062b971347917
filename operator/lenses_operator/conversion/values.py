"""Which values are in the resource itself, and which in a Secret or ConfigMap."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from lenses_operator.conversion.manifest import LONGEST, Manifest, Source, Values
from lenses_operator.domain.naming import object_name
from lenses_operator.domain.references import RefKind

PLACEHOLDER = "REPLACE_ME"
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


def with_config(
    manifest: Manifest, config: Mapping[str, str], secret: Collection[str] = (), unknown: Collection[str] = ()
) -> tuple[Manifest, tuple[Values, ...]]:
    """The manifest with this configuration; `secret` keys come from a Secret, values too long from a ConfigMap."""
    long = {key for key, value in config.items() if len(value) > LONGEST and key not in secret}
    apart = [_apart(manifest, "Secret", config, secret, unknown), _apart(manifest, "ConfigMap", config, long)]
    here = {key: value for key, value in config.items() if key not in secret and key not in long}
    objects = tuple(values for values, _ in apart if values.data)
    return replace(manifest, config=here, config_from=tuple(one for _, ones in apart for one in ones)), objects


def _apart(
    manifest: Manifest, kind: RefKind, config: Mapping[str, str], keys: Collection[str], unknown: Collection[str] = ()
) -> tuple[Values, tuple[Source, ...]]:
    """These keys as the data of one object, and the references to them."""
    name = f"{manifest.name}-connector-{'secrets' if kind == 'Secret' else 'values'}"
    data_keys = _data_keys(sorted(keys))
    data = {data_keys[key]: PLACEHOLDER if key in unknown else config[key] for key in data_keys}
    values = Values(kind, name, data, frozenset(data_keys[key] for key in unknown), manifest.namespace)
    return values, tuple(Source(key, kind, name, data_keys[key]) for key in data_keys)


def _data_keys(keys: list[str]) -> dict[str, str]:
    """What each key is called in a Secret or ConfigMap, which take fewer characters."""
    found: dict[str, str] = {key: key for key in keys if _DATA_KEY.fullmatch(key) and key not in (".", "..")}
    for key in keys:
        if key not in found:
            near, number = object_name(key), 1
            while (candidate := near if number == 1 else f"{near}-{number}") in found.values():
                number += 1
            found[key] = candidate
    return found
