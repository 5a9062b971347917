"""Which connectors can be taken over by applying what `export` makes of them, and which need a person first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from lenses_operator.commands.existing import Existing
from lenses_operator.conversion.exporting import Exported, exported
from lenses_operator.conversion.manifest import NotExpressible
from lenses_operator.conversion.text import connector_text, values_text
from lenses_operator.domain.naming import Connector
from lenses_operator.lenses.models import ConnectorDetails
from lenses_operator.planning.result import Action, Item
from lenses_operator.resources.connector import ConnectorKey

FAILED = "FAILED"


@dataclass(frozen=True)
class Candidate:
    """`failing`: it fails already, which is no surprise afterwards."""

    connector: Connector
    exported: Exported
    failing: bool

    @property
    def name(self) -> str:
        """The resource's."""
        return self.exported.manifest.name

    @property
    def values(self) -> list[dict[str, Any]]:
        """Its Secrets and ConfigMaps."""
        return [yaml.safe_load(values_text(one)) for one in self.exported.objects]

    @property
    def body(self) -> dict[str, Any]:
        return dict(yaml.safe_load(connector_text(self.exported.manifest)))


@dataclass
class Candidates:
    """`left`: to a person, and why. `incomplete`: those of them that can be written, with values to be filled in.
    `taken`: those that resources name already."""

    found: list[Candidate] = field(default_factory=list)
    incomplete: list[Candidate] = field(default_factory=list)
    left: dict[Connector, str] = field(default_factory=dict)
    taken: dict[Connector, str] = field(default_factory=dict)


def candidates(
    environment: str,
    existing: Existing,
    owners: Mapping[ConnectorKey, str],
    namespace: str,
    labels: Mapping[str, str],
    present: Collection[str] = (),
) -> Candidates:
    """`owners`: which resource names a connector. `present`: names of resources that are there in the namespace."""
    made = Candidates()
    made.left |= existing.failed
    for one in sorted(existing.details):
        owner = owners.get(ConnectorKey(environment, one.cluster, one.name))
        if owner is not None:
            made.taken[one] = owner
            continue
        details, name = existing.details[one], existing.names[one]
        if name in present:
            made.left[one] = f"there is a LensesConnector {name} of another connector in namespace {namespace}"
            continue
        try:
            found = exported(environment, details, name, namespace, labels, existing.passwords_of(details))
        except NotExpressible as problem:
            made.left[one] = str(problem)
            continue
        candidate = Candidate(one, found, _fails(details))
        hidden = sorted(key for values in found.objects for key in values.unknown)
        if hidden:
            made.left[one] = f"Lenses hides {', '.join(hidden)}: write it with --out, fill it in and apply it yourself"
            made.incomplete.append(candidate)
        else:
            made.found.append(candidate)
    return made


def _fails(details: ConnectorDetails) -> bool:
    return details.state == FAILED or any(task.state == FAILED for task in details.tasks)


def surprise(item: Item) -> str | None:
    """Why applying it would not be a mere takeover; None: it is one."""
    if item.action is not Action.ADOPT or item.changes or item.states or item.update:
        return f"it would be {item.action.value}, which is no mere takeover"
    return None
