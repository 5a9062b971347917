"""What a connector is to be: its manifest as a resource, and its configuration as far as it can be rendered here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lenses_operator.domain.action_plan import Unknown
from lenses_operator.domain.redaction import Redactor
from lenses_operator.domain.references import RefData, References, RefName, entries
from lenses_operator.domain.render import Rendered, render
from lenses_operator.manifests.documents import Document
from lenses_operator.manifests.references import FROM_FILE, Located
from lenses_operator.planning.cluster import Cluster, MayNotReadError
from lenses_operator.resources.connector import ConnectorSpec, LensesConnector

PLACEHOLDER = "(not known here)"
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""What is not in the cluster yet is younger than everything that is."""


def resource_of(document: Document, before: Mapping[str, Any] | None, order: int) -> LensesConnector:
    """The resource after the manifest was applied. `order`: of those that are new the first ones come to be first."""
    given = {
        "name": document.name,
        "namespace": document.namespace,
        "annotations": document.body["metadata"].get("annotations") or {},
    }
    new = {"uid": f"new-{order:08}", "generation": 1, "creationTimestamp": LATEST + timedelta(seconds=order)}
    spec = {key: value for key, value in document.body["spec"].items() if value is not None}
    body: dict[str, Any] = {"metadata": {**new, **given}, "spec": spec}
    if before is not None:
        body = {"metadata": {**before["metadata"], **given}, "spec": spec, "status": before.get("status") or {}}
    return LensesConnector.parse(body)


class Sources:
    """Secrets and ConfigMaps: from the files, else from the cluster, each read once."""

    def __init__(self, given: Mapping[Located, RefData], cluster: Cluster | None) -> None:
        self._given = given
        self._cluster = cluster
        self._read: dict[Located, RefData | MayNotReadError | None] = {}
        self._redactors: dict[str, Redactor] = {}

    def redactor(self, namespace: str) -> Redactor:
        """For every Secret of the namespace in the files: Lenses may show one that is referred to no more."""
        if namespace not in self._redactors:
            secrets = [
                data
                for located, data in self._given.items()
                if located.namespace == namespace and located.ref.kind == "Secret"
            ]
            self._redactors[namespace] = Redactor(secret_values(secrets))
        return self._redactors[namespace]

    async def find(self, located: Located) -> RefData | None:
        """None: there is none. Raises MayNotReadError where that cannot be known."""
        given = self._given.get(located)
        if self._cluster is None:
            if given is None:
                raise MayNotReadError
            return given
        if located not in self._read:
            try:
                self._read[located] = await self._cluster.read(located)
            except MayNotReadError as error:
                self._read[located] = error
        found = self._read[located]
        if given is not None:
            # Applying it changes nothing if it is as it is there; else it gets a version nobody knows yet.
            same = isinstance(found, RefData) and found.data == given.data
            return RefData(found.resource_version if same and isinstance(found, RefData) else FROM_FILE, given.data)
        if isinstance(found, MayNotReadError):
            raise MayNotReadError
        return found


@dataclass(frozen=True)
class Wanted:
    """`unread`: references that could not be read. `secrets`: every value of the Secrets that could."""

    rendered: Rendered = field(repr=False)
    unknown: Unknown = field(default_factory=Unknown)
    unread: tuple[RefName, ...] = ()
    secrets: frozenset[str] = field(default=frozenset(), repr=False)


async def wanted_of(resource: LensesConnector, sources: Sources) -> Wanted:
    """Raises ConfigInvalid, ReferenceNotFound."""
    spec, namespace = resource.spec, resource.metadata.namespace
    found: dict[RefName, RefData | None] = {}
    unread: list[RefName] = []
    for ref in sorted({entry.ref for entry in entries(spec)}):
        try:
            found[ref] = await sources.find(Located(namespace, ref))
        except MayNotReadError:
            unread.append(ref)
    secrets = secret_values(data for ref, data in found.items() if ref.kind == "Secret" and data is not None)
    rendered = render(spec, {**found, **_placeholders(spec, unread)})
    return Wanted(rendered, _unknown(spec, unread, found), tuple(unread), secrets)


def secret_values(secrets: Iterable[RefData]) -> frozenset[str]:
    """All of them, as text."""
    return frozenset(raw.decode(errors="ignore") for data in secrets for raw in data.data.values())


def _placeholders(spec: ConnectorSpec, unread: list[RefName]) -> References:
    """Stand-ins with the keys that are asked for."""
    return {
        ref: RefData(
            FROM_FILE,
            {entry.key: PLACEHOLDER.encode() for entry in entries(spec) if entry.ref == ref and entry.key is not None},
        )
        for ref in unread
    }


def _unknown(spec: ConnectorSpec, unread: list[RefName], found: References) -> Unknown:
    """A map that cannot be read may bring any key, and may override whatever came before it."""
    if not unread:
        return Unknown()
    listed = list(entries(spec))
    keys: set[str] = set()
    for entry in listed:
        named = entry.target or entry.key
        if named is not None:
            (keys.add if entry.ref in unread else keys.discard)(named)
        elif entry.ref in unread:
            before = listed[: entry.index]
            keys |= {one.target or one.key or "" for one in before if one.key is not None}
            keys |= {key for one in before if one.key is None for key in _data(found.get(one.ref))}
        else:
            keys -= set(_data(found.get(entry.ref)))
    keys -= {key for key, value in spec.config.items() if value is not None}
    return Unknown(frozenset(keys), more=any(entry.key is None and entry.ref in unread for entry in listed))


def _data(found: RefData | None) -> Mapping[str, bytes]:
    return found.data if found is not None else {}
