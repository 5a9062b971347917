"""The documents that are of interest, from files, directories and standard input."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from lenses_operator.manifests.nodes import Path, Problem, Remark, Tree, Written, trees
from lenses_operator.resources.base import API_VERSION, GROUP
from lenses_operator.resources.connector import KIND as CONNECTOR
from lenses_operator.resources.connector_offsets import KIND as OFFSETS

STDIN = FilePath("-")
ENDINGS = frozenset({".yaml", ".yml", ".json"})
REFERENCES = frozenset({"Secret", "ConfigMap"})
_WRITTEN = ("name", "namespace", "labels", "annotations")
"""Fields of metadata that a person writes."""


class ManifestError(Exception):
    """A file or directory that cannot be read at all."""


@dataclass(frozen=True)
class Place:
    """A place for people: `file:line`."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass
class Document:
    """One object as its manifest says. `written`, `remarks` and `problems` are about this object alone.

    `at`: where it is in its YAML document, which may be a list of objects; `lines` are those of the whole document.
    """

    kind: str
    namespace: str
    name: str
    body: Mapping[str, Any]
    file: str
    line: int
    at: Path
    lines: Mapping[Path, int] = field(repr=False)
    written: list[Written] = field(default_factory=list, repr=False)
    remarks: list[Remark] = field(default_factory=list, repr=False)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """Of the field, or of the nearest one around it that is there."""
        full = (*self.at, *path)
        for length in range(len(full), len(self.at), -1):
            if full[:length] in self.lines:
                return self.lines[full[:length]]
        return self.line

    def place(self, path: Path = ()) -> Place:
        return Place(self.file, self.line_of(path) if path else self.line)


@dataclass(frozen=True)
class Other:
    """An object of another kind, and its place: `at` in its `tree`."""

    body: Mapping[str, Any]
    place: Place
    tree: Tree = field(repr=False)
    at: Path = ()


@dataclass
class Manifests:
    """Everything that was read. `unreadable`: what is no manifest at all, and where. `others`: of other kinds."""

    connectors: list[Document] = field(default_factory=list)
    offsets: list[Document] = field(default_factory=list)
    references: list[Document] = field(default_factory=list)
    unreadable: list[tuple[Place, str]] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)
    passed_over: int = 0
    """Documents that are no objects."""

    def add(self, document: Document) -> None:
        by_kind = {CONNECTOR: self.connectors, OFFSETS: self.offsets}
        by_kind.get(document.kind, self.references).append(document)


def read(sources: Iterable[FilePath], namespace: str) -> Manifests:
    """`namespace`: of documents that name none. Raises ManifestError for a path that cannot be read."""
    found = Manifests()
    for file in _files(sources):
        for tree in trees(_text(file)):
            _sort(tree, str(file) if file != STDIN else "<stdin>", namespace, found)
    reject_doubles(found)
    return found


def of_objects(bodies: Iterable[Mapping[str, Any]]) -> Manifests:
    """Objects that come from no file, each with its namespace; their lines are 0."""
    found = Manifests()
    for body in bodies:
        metadata = {key: body["metadata"][key] for key in _WRITTEN if key in body["metadata"]}
        kept = {key: value for key, value in body.items() if key != "status"} | {"metadata": metadata}
        found.add(Document(kept["kind"], metadata["namespace"], metadata["name"], kept, "", 0, (), {}))
    return found


def _files(sources: Iterable[FilePath]) -> Iterator[FilePath]:
    """Directories with all that is below them, in order, hidden ones left out; no file twice."""
    seen: set[FilePath] = set()
    for source in sources:
        below = _below(source) if source != STDIN and source.is_dir() else [source]
        for file in below:
            resolved = file if file == STDIN else file.resolve()
            if resolved not in seen:
                seen.add(resolved)
                yield file


def files_below(directory: FilePath, endings: Collection[str]) -> list[FilePath]:
    """All with one of these endings, in order; hidden ones and those of hidden directories are left out."""

    def hidden(file: FilePath) -> bool:
        return any(part.startswith(".") for part in file.relative_to(directory).parts)

    return sorted(one for one in directory.rglob("*") if one.suffix in endings and one.is_file() and not hidden(one))


def _below(directory: FilePath) -> list[FilePath]:
    found = files_below(directory, ENDINGS)
    if not found:
        raise ManifestError(f"{directory}: no .yaml, .yml or .json file in it")
    return found


def _text(file: FilePath) -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig") if file == STDIN else file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ManifestError(f"{file}: not UTF-8 text") from None
    except OSError as error:
        raise ManifestError(f"{file}: {error.strerror or error}") from error


def _sort(tree: Tree, file: str, namespace: str, found: Manifests) -> None:
    if not isinstance(tree.value, dict):
        found.unreadable += [(Place(file, problem.line), problem.message) for problem in tree.problems]
        found.passed_over += not tree.problems
        return
    _sort_object(tree, tree.value, (), file, namespace, found)


def _sort_object(tree: Tree, body: Mapping[str, Any], at: Path, file: str, namespace: str, found: Manifests) -> None:
    """`at`: the object's place in its document, which may be a list of objects."""
    kind, version = body.get("kind"), body.get("apiVersion")
    place = Place(file, tree.lines[at])
    if isinstance(kind, str) and kind.endswith("List") and isinstance(body.get("items"), list):
        for index, item in enumerate(body["items"]):
            if isinstance(item, dict):
                _sort_object(tree, item, (*at, "items", index), file, namespace, found)
        return
    ours = isinstance(version, str) and version.partition("/")[0] == GROUP
    if ours and (kind not in (CONNECTOR, OFFSETS) or version != API_VERSION):
        found.unreadable.append((place, f"this version knows no {kind} of {version}; it knows {API_VERSION}"))
    elif kind in (CONNECTOR, OFFSETS) and not ours:
        found.unreadable.append((place, f"apiVersion of a {kind} must be {API_VERSION}"))
    elif ours or (kind in REFERENCES and version == "v1"):
        document = _document(tree, body, at, file, namespace)
        if isinstance(document, str):
            found.unreadable.append((place, document))
        else:
            found.add(document)
    else:
        found.others.append(Other(body, place, tree, at))


def _document(tree: Tree, body: Mapping[str, Any], at: Path, file: str, namespace: str) -> Document | str:
    """Or why it is none."""
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str) or not name:
        return f"{body['kind']} without metadata.name"
    given = metadata.get("namespace")
    where = given if isinstance(given, str) and given else namespace
    depth = len(at)
    written = [replace(one, path=one.path[depth:]) for one in tree.written if one.path[:depth] == at]
    remarks = [replace(one, path=one.path[depth:]) for one in tree.remarks if one.path[:depth] == at]
    problems = [one for one in tree.problems if one.path[:depth] == at]
    line = tree.lines[at]
    return Document(str(body["kind"]), where, name, body, file, line, at, tree.lines, written, remarks, problems)


def reject_doubles(found: Manifests) -> None:
    """The same object twice: only the last one applied would count."""
    seen: dict[tuple[str, str, str], Place] = {}
    for document in (*found.connectors, *found.offsets, *found.references):
        key = (document.kind, document.namespace, document.name)
        if key in seen:
            message = f"{document.kind} {document.namespace}/{document.name} is given again, first in {seen[key]}"
            problem = Problem(document.line, message)
            document.problems += [] if problem in document.problems else [problem]
        seen.setdefault(key, document.place())
