"""From a connector as Lenses shows it to the manifest whose application adopts it and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from lenses_operator.conversion.manifest import LONGEST, Manifest, NotExpressible, Source, Values, check, sent
from lenses_operator.domain.drift import compare, is_masked
from lenses_operator.domain.naming import object_name
from lenses_operator.domain.references import RefKind
from lenses_operator.domain.render import ConfigInvalid
from lenses_operator.domain.sensitive import is_partly_masked, is_sensitive
from lenses_operator.lenses.models import ConnectorDetails

PLACEHOLDER = "REPLACE_ME"
STATES = {"PAUSED": "paused", "STOPPED": "stopped"}
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_NO_CONFIG_KEYS = frozenset(
    {"name", "cluster", "lrn", "state", "tasks", "class", "className", "type", "workerId", "version", "topics"}
)
"""Fields of the details, which Lenses may hide as well as keys of the configuration."""


@dataclass(frozen=True)
class Exported:
    """`notes`: what a person has to know or do, one line each, without values."""

    manifest: Manifest
    objects: tuple[Values, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[Values, ...]:
        return tuple(one for one in self.objects if one.kind == "Secret")

    @property
    def config_maps(self) -> tuple[Values, ...]:
        return tuple(one for one in self.objects if one.kind == "ConfigMap")


def exported(
    environment: str,
    details: ConnectorDetails,
    name: str,
    namespace: str | None = None,
    passwords: Collection[str] = (),
) -> Exported:
    """`name`: the resource's. `passwords`: keys that Connect itself takes for passwords.

    Raises NotExpressible where no resource would be taken for the same as this connector.
    """
    if details.config_hidden or details.config is None:
        raise NotExpressible("Lenses does not show its configuration; use a token that may read it")
    config = dict(details.config)
    config.pop("name", None)
    config |= dict.fromkeys(_withheld(details), PLACEHOLDER)
    manifest = Manifest(
        name=name,
        environment=environment,
        cluster=details.cluster,
        connector=details.name,
        class_name=config.pop("connector.class", details.class_name or ""),
        tasks_max=_tasks_max(config.pop("tasks.max", None)),
        state=STATES.get(details.state or ""),
        namespace=namespace,
    )
    unknown = {key for key, value in config.items() if key in details.hidden_keys or is_masked(value)}
    secret = {
        key for key, value in config.items() if (key in passwords and "${" not in value) or is_sensitive(key, value)
    }
    manifest, objects = with_config(manifest, config, secret | unknown, unknown)
    check(manifest)
    _check_adoption(manifest, objects, details)
    return Exported(manifest, objects, tuple(_notes(details, config, unknown)))


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
    name = f"{manifest.name}-{'secrets' if kind == 'Secret' else 'values'}"
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


def _withheld(details: ConnectorDetails) -> Iterator[str]:
    """Keys that are there and not shown at all."""
    yield from details.hidden_keys - (details.config or {}).keys() - _NO_CONFIG_KEYS


def _tasks_max(value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,9}", value, re.ASCII):
        raise NotExpressible("tasks.max is not a plain positive integer, which is all that spec.tasksMax can say")
    return int(value)


def _check_adoption(manifest: Manifest, objects: tuple[Values, ...], details: ConnectorDetails) -> None:
    """Held against what Lenses shows by the rules that decide about adoption."""
    try:
        wanted = sent(manifest, objects)
    except ConfigInvalid as failure:
        raise NotExpressible(str(failure)) from None
    difference = compare(wanted, details.config or {}, None, details.hidden_keys)
    if difference:
        raise NotExpressible(f"it would not be taken for the same ({difference.describe()})")


def _notes(details: ConnectorDetails, config: Mapping[str, str], unknown: Collection[str]) -> Iterator[str]:
    if unknown:
        yield f"Lenses hides {', '.join(sorted(unknown))}: fill in the placeholders in its Secret before applying it"
    partly = sorted(key for key, value in config.items() if is_partly_masked(value))
    if partly:
        yield f"a part of {', '.join(partly)} seems to be hidden: the next change would write it as it is shown"
    if details.state not in {"RUNNING", "FAILED", *STATES}:
        yield f"its state is {details.state or 'not shown'}, exported as running"
