"""What of the files is no manifest of ours: Lenses' own files are planned, connectors of other operators are told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from lenses_operator.conversion import confluent, lenses_files, strimzi
from lenses_operator.conversion.manifest import Manifest
from lenses_operator.conversion.migrating import Migrated, Notes, Target, finished
from lenses_operator.conversion.places import Places
from lenses_operator.conversion.yaml_source import Lined, Unreadable, lined
from lenses_operator.manifests.documents import Document, Manifests, Other, Place, reject_doubles
from lenses_operator.manifests.nodes import Path
from lenses_operator.planning.result import Result
from lenses_operator.resources.base import API_VERSION
from lenses_operator.resources.connector import KIND

_READ_BY = {"strimzi": strimzi.is_strimzi, "confluent": confluent.is_confluent}


def read_others(manifests: Manifests, environments: Collection[str], namespace: str) -> Result:
    """Adds what Lenses' own files describe to `manifests`, as `migrate lenses` would convert it.

    `environments`: those that are asked for; such a file names none. The result holds what there is to tell.
    """
    told, rest, places = Result(), [], Places()
    for other in manifests.others:
        body = lined(other.tree, other.at, other.body)
        if lenses_files.is_lenses(body):
            _convert(other, body, environments, namespace, places, manifests, told)
        else:
            rest.append(other)
            _tell_of_another(other, body, manifests, told)
    manifests.others[:] = rest
    reject_doubles(manifests)
    return told


def _tell_of_another(other: Other, body: Lined, manifests: Manifests, told: Result) -> None:
    command = next((command for command, fits in _READ_BY.items() if fits(body)), None)
    if command is None:
        return
    what = f"{body.get('apiVersion')} {body.get('kind')}: convert it first (lenses-operator migrate {command})"
    if manifests.connectors or manifests.offsets:
        told.notes.append(f"{other.place}: {what}.")
    else:
        told.errors.append((other.place, what))


def _convert(
    other: Other,
    body: Lined,
    environments: Collection[str],
    namespace: str,
    places: Places,
    manifests: Manifests,
    told: Result,
) -> None:
    if len(environments) != 1:
        told.errors.append((other.place, "a file of Lenses names no environment: say which one with --environment"))
        return
    (environment,) = environments
    notes = Notes(other.place.file)
    try:
        origin = lenses_files.origin_of(body, notes)
        migrated = finished(origin, Target(environment, namespace=namespace), notes, places)
    except Unreadable as problem:
        told.errors.append((Place(other.place.file, problem.line or other.place.line), str(problem)))
        return
    told.warnings += [(Place(note.file, note.line or other.place.line), note.text) for note in notes.found]
    for document in _documents(migrated, origin.lines, other.place):
        manifests.add(document)


def _documents(migrated: Migrated, config: Any, place: Place) -> list[Document]:
    """The connector, and ConfigMaps for values that are too long for it."""
    manifest = migrated.manifest
    lines: dict[Path, int] = {("spec", "config", key): line for key, line in config.items()}
    lines[()] = place.line
    namespace = manifest.namespace or ""
    found = [Document(KIND, namespace, manifest.name, _body(manifest), place.file, place.line, (), lines)]
    for values in migrated.objects:
        body = {"apiVersion": "v1", "kind": values.kind, "metadata": {"name": values.name}, "data": dict(values.data)}
        found.append(Document(values.kind, namespace, values.name, body, place.file, place.line, (), {}))
    return found


def _body(manifest: Manifest) -> dict[str, Any]:
    spec = manifest.spec().model_dump(by_alias=True, exclude_unset=True, exclude_none=True, mode="json")
    spec |= {"name": manifest.connector} if manifest.connector != manifest.name else {}
    spec |= {"state": manifest.state} if manifest.state else {}
    metadata = {"name": manifest.name, "namespace": manifest.namespace}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec}
