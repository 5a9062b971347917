"""What the API server would change or lose without a word, which only the file shows, and names Lenses may not take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lenses_operator.domain import lenses_names
from lenses_operator.domain.redaction import HIDDEN
from lenses_operator.domain.value_masking import SENSITIVE
from lenses_operator.manifests.documents import Document, Place
from lenses_operator.manifests.nodes import Written

CONFIG = ("spec", "config")
EXACT = 2**53
"""The largest integer up to which all are exact as floating point, by which Argo CD compares."""
LONG = (
    "an integer beyond 2^53 arrives whole, but an Argo CD Application with ServerSideApply=true stays OutOfSync "
    "with it for ever: quote it"
)


def warnings_of(document: Document) -> list[tuple[Place | None, str]]:
    """Of names and the configuration; elsewhere the schema says what fits."""
    return [*_names(document), *_values(document), *_long(document)]


def _names(document: Document) -> Iterator[tuple[Place, str]]:
    spec = document.body.get("spec")
    if not isinstance(spec, Mapping):
        return
    judges = {
        "environment": lenses_names.odd_environment,
        "cluster": lenses_names.odd_cluster,
        "name": lenses_names.odd_connector,
    }
    for name, judge in judges.items():
        value = spec.get(name)
        odd = judge(value) if isinstance(value, str) else None
        if odd:
            yield document.place(("spec", name)), f"spec.{name}: {odd}"


def _values(document: Document) -> list[tuple[Place, str]]:
    return [
        (Place(document.file, one.line), _warning(one))
        for one in document.written
        if one.path[:2] == CONFIG and len(one.path) == 3 and not isinstance(one.value, float)
    ]


def _long(document: Document) -> Iterator[tuple[Place, str]]:
    spec = document.body.get("spec")
    config = spec.get("config") if isinstance(spec, Mapping) else None
    for key, value in (config if isinstance(config, Mapping) else {}).items():
        if isinstance(value, int) and abs(value) > EXACT:
            yield document.place((*CONFIG, key)), f"spec.config.{key}: {LONG}"


def _warning(one: Written) -> str:
    key = one.path[-1]
    if one.value is None:
        return f'spec.config.{key} has no value: the key is dropped without a word. Write "" for an empty one'
    arrives = ("true" if one.value else "false") if isinstance(one.value, bool) else str(one.value)
    if SENSITIVE.search(str(key)):
        return f"spec.config.{key} arrives as another text than is written ({HIDDEN}): quote it"
    return (
        f'spec.config.{key}: {one.written} arrives as {arrives}; write {arrives} if you mean that, else "{one.written}"'
    )
