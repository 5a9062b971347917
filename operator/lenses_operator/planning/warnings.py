"""What the API server, or a tool before it, would change or lose without a word, and names Lenses may not take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lenses_operator.domain import lenses_names
from lenses_operator.domain.redaction import HIDDEN
from lenses_operator.domain.value_masking import ValueMasker, may_be_secret
from lenses_operator.manifests.comments import is_cut
from lenses_operator.manifests.documents import Document, Other, Place
from lenses_operator.manifests.nodes import Path, Remark, Written

CONFIG = ("spec", "config")
EXACT = 2**53
"""The largest integer up to which all are exact in a program that keeps numbers as floats."""
SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"
FLUX = "kustomize.toolkit.fluxcd.io/"
LONG = 60
"""Characters of a value that a warning shows."""


def warnings_of(document: Document, *, substituted: bool = False) -> list[tuple[Place, str]]:
    """Of names and the configuration; elsewhere the schema says what fits. `substituted`: Flux replaces `${…}` here."""
    found = [*_names(document), *_values(document), *_cut(document), *_large(document, CONFIG, "quote it")]
    return [*found, *_dollars(document, substituted=substituted)]


def warnings_of_offsets(document: Document) -> list[tuple[Place, str]]:
    """Of numbers that a tool on the way may round."""
    return list(_large(document, ("spec", "offsets"), "write the offsets in spec.offsetsJson, which is text"))


def substitutes(others: Iterable[Other]) -> bool:
    """Whether a Flux Kustomization among the files replaces variables."""
    return any(
        str(one.body.get("apiVersion")).startswith(FLUX) and isinstance(_in(one.body, "spec", "postBuild"), Mapping)
        for one in others
    )


def has_references(document: Document) -> bool:
    """Whether Flux, if it applies this with postBuild, would change a value of the configuration."""
    return bool(_referring(document)) and not _is_left_alone(document)


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


def _warning(one: Written) -> str:
    key = one.path[-1]
    if one.value is None:
        return f'spec.config.{key} has no value: the key is dropped without a word. Write "" for an empty one'
    arrives = ("true" if one.value else "false") if isinstance(one.value, bool) else str(one.value)
    if may_be_secret(str(key)):
        return f"spec.config.{key} arrives as another text than is written ({HIDDEN}): quote it"
    return (
        f'spec.config.{key}: {one.written} arrives as {arrives}; write {arrives} if you mean that, else "{one.written}"'
    )


def _cut(document: Document) -> Iterator[tuple[Place, str]]:
    for one in document.remarks:
        if one.path[:2] == CONFIG and len(one.path) == 3 and is_cut(str(one.path[-1]), one.value, one.comment):
            yield Place(document.file, one.line), _cut_warning(one)


def _cut_warning(one: Remark) -> str:
    key = str(one.path[-1])
    if one.value is None:
        return f"spec.config.{key}: all of it is a comment, which a # begins; quote the value if it is none"
    shown = ValueMasker((), str)(key, str(one.value))
    shown = shown if len(shown) <= LONG else f"…{shown[-LONG:]}"
    return f"spec.config.{key}: a # behind a blank begins a comment, so `{shown}` is all of the value; quote it if not"


def _large(document: Document, start: Path, instead: str) -> Iterator[tuple[Place, str]]:
    why = (
        "what keeps numbers as floats, such as Helm and jq, rounds it on the way, and an Argo CD Application with "
        f"ServerSideApply=true stays OutOfSync with it for ever; {instead}"
    )
    for path, value in _leaves(_in(document.body, *start), start):
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT:
            yield document.place(path), f"{'.'.join(map(str, path))} is beyond 2^53: {why}"


def _dollars(document: Document, *, substituted: bool) -> Iterator[tuple[Place, str]]:
    if _is_left_alone(document):
        return
    why = (
        "Flux's postBuild replaces ${…} before Connect sees it, by nothing where it knows no such variable, or fails; "
        f"annotate the resource with {SUBSTITUTE}: disabled, or write $${{"
    )
    for key in _referring(document) if substituted else ():
        yield document.place((*CONFIG, key)), f"spec.config.{key}: {why}"
    for key, value in () if substituted else _texts(document):
        if "$${" in value:
            why = "$${ arrives as it is written; only Flux's postBuild makes ${ of it"
            yield document.place((*CONFIG, key)), f"spec.config.{key}: {why}"


def _referring(document: Document) -> list[str]:
    """Keys whose value holds a `${` that is not written `$${`."""
    return [key for key, value in _texts(document) if re.search(r"(?<!\$)\$\{", value)]


def _texts(document: Document) -> list[tuple[str, str]]:
    config = _in(document.body, *CONFIG)
    pairs = config.items() if isinstance(config, Mapping) else ()
    return [(str(key), value) for key, value in pairs if isinstance(value, str)]


def _is_left_alone(document: Document) -> bool:
    return any(_in(document.body, "metadata", part, SUBSTITUTE) == "disabled" for part in ("annotations", "labels"))


def _in(body: Any, *path: str | int) -> Any:
    """None where there is nothing."""
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _leaves(below, (*path, index))
    else:
        yield path, value
