"""From a connector as Lenses shows it to the manifest whose application adopts it and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from lenses_operator.conversion.manifest import Manifest, NotExpressible, Values, check, sent
from lenses_operator.conversion.values import PLACEHOLDER, with_config
from lenses_operator.domain.drift import compare, hides
from lenses_operator.domain.masks import may_be_masked
from lenses_operator.domain.render import ConfigInvalid
from lenses_operator.domain.sensitive import is_partly_masked, is_sensitive
from lenses_operator.lenses.models import ConnectorDetails

STATES = {"PAUSED": "paused", "STOPPED": "stopped"}
_NO_CONFIG_KEYS = frozenset(
    {"name", "lrn", "state", "type", "className", "workerId", "version", "author", "icon", "cluster", "tasks", "code"}
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
    labels: Mapping[str, str] | None = None,
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
        labels=labels or {},
    )
    unknown = {
        key
        for key, value in config.items()
        if key in details.hidden_keys or hides(key, value) or (key in passwords and may_be_masked(value))
    }
    secret = {
        key for key, value in config.items() if (key in passwords and "${" not in value) or is_sensitive(key, value)
    }
    manifest, objects = with_config(manifest, config, secret | unknown, unknown)
    check(manifest)
    _check_adoption(manifest, objects, details, unknown)
    return Exported(manifest, objects, tuple(_notes(details, config, unknown)))


def _withheld(details: ConnectorDetails) -> Iterator[str]:
    """Keys that are there and not shown at all."""
    yield from details.hidden_keys - (details.config or {}).keys() - _NO_CONFIG_KEYS


def _tasks_max(value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,9}", value, re.ASCII):
        raise NotExpressible("tasks.max is not a plain positive integer, which is all that spec.tasksMax can say")
    return int(value)


def _check_adoption(
    manifest: Manifest, objects: tuple[Values, ...], details: ConnectorDetails, unknown: Collection[str]
) -> None:
    """Held against what Lenses shows by the rules that decide about adoption; what is `unknown` is not compared."""
    try:
        wanted = sent(manifest, objects)
    except ConfigInvalid as failure:
        raise NotExpressible(str(failure)) from None
    difference = compare(wanted, details.config or {}, None, details.hidden_keys | set(unknown))
    if difference:
        raise NotExpressible(f"it would not be taken for the same ({difference.describe()})")


def _notes(details: ConnectorDetails, config: Mapping[str, str], unknown: Collection[str]) -> Iterator[str]:
    if unknown:
        yield f"Lenses hides {', '.join(sorted(unknown))}: fill in the placeholders in its Secret before applying it"
    partly = sorted(key for key, value in config.items() if key not in unknown and is_partly_masked(value))
    if partly:
        yield f"a part of {', '.join(partly)} seems to be hidden: the next change would write it as it is shown"
    if details.state not in {"RUNNING", "FAILED", *STATES}:
        yield f"its state is {details.state or 'not shown'}, exported as running"
