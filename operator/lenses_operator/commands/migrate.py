"""`lenses-operator migrate`: manifests from other operators' resources and from Kafka Connect's own files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from lenses_operator.commands.access import LensesAccess, optional_lenses_options
from lenses_operator.commands.migrate_types import typed_secrets
from lenses_operator.commands.output import say
from lenses_operator.conversion import confluent, connect_files, lenses_files, strimzi
from lenses_operator.conversion.files import write_connector
from lenses_operator.conversion.migrating import Migrated, Note, Notes, Origin, Target, finished
from lenses_operator.conversion.places import Places
from lenses_operator.conversion.text import SEPARATOR, connector_documents
from lenses_operator.conversion.yaml_source import Lined, Unreadable, documents
from lenses_operator.manifests.documents import files_below

Reader = Callable[[bytes, Notes], Iterator[Origin | Unreadable]]
"""The connectors of one file. Raises Unreadable where the file as a whole cannot be read, yields it for a part."""

READ_BY: dict[str, Callable[[Lined], bool]] = {
    "strimzi": strimzi.is_strimzi,
    "confluent": confluent.is_confluent,
    "lenses": lenses_files.is_lenses,
}
STANDARD_INPUT = "standard input"
RENDERED = {
    "kustomization.yaml": "kustomize build",
    "kustomization.yml": "kustomize build",
    "Chart.yaml": "helm template",
}
"""Files that tell that those beside them are a part of something."""

EPILOG = """\b
Example:
  {example}

Exit status: 0 if everything was converted, even with warnings on standard error; 1 if something could not be; 2 for a
wrong option.
"""


@click.group()
def migrate() -> None:
    """Convert connectors described elsewhere into LensesConnector manifests.

    Nothing is changed anywhere. Only the files are read; where Lenses is given, Connect is asked which keys are
    passwords. What has no equivalent is told on standard error, with its file and line.
    """


@dataclass
class Outcome:
    """Of all files: `done` and `failed` in the order of their places."""

    places: Places
    done: list[Migrated] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    failed: list[Note] = field(default_factory=list)


def _add(name: str, text: str, example: str, read: Reader, suffixes: tuple[str, ...]) -> None:
    """Adds the command `name` for one kind of file."""
    kinds = ", ".join(f"*{suffix}" for suffix in suffixes)

    @migrate.command(name, help=text, short_help=text.splitlines()[0], epilog=EPILOG.format(example=example))
    @click.option("-f", "--filename", "named", multiple=True, metavar="FILE", help="A file; - is standard input.")
    @click.argument("more", nargs=-1, metavar="[FILE]...")
    @click.option("--environment", required=True, help="The connectors' Lenses environment.")
    @click.option("--cluster", help="Their Kafka Connect cluster, as Lenses names it.")
    @click.option("-n", "--namespace", help="The resources' namespace.")
    @optional_lenses_options
    @click.option(
        "--ask-types/--no-ask-types",
        default=True,
        show_default=True,
        help="Where Lenses is given, ask Connect which keys are passwords. No values of connectors are sent for it.",
    )
    @click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        help="The directory to write to, a file for each connector; without it standard output.",
    )
    def command(
        named: tuple[str, ...],
        more: tuple[str, ...],
        environment: str,
        cluster: str | None,
        namespace: str | None,
        out: Path | None,
        lenses: LensesAccess | None,
        ask_types: bool,
    ) -> None:
        outcome = Outcome(Places(out))
        for source in _sources((*named, *more), suffixes, kinds):
            _convert(source, read, Target(environment, cluster, namespace), outcome)
        try:
            _write(outcome.done, out)
        except OSError as error:
            raise click.ClickException(str(error)) from None
        if ask_types and lenses is not None:
            outcome.notes += typed_secrets(lenses, outcome.done)
        for note in outcome.notes:
            say(str(note))
        for note in outcome.failed:
            say(f"{note} (not converted)")
        sys.exit(1 if outcome.failed else 0)


@dataclass(frozen=True)
class Source:
    """One argument: a file, or the files of a directory and of those below it."""

    given: str
    paths: tuple[str, ...]


def _sources(given: tuple[str, ...], suffixes: tuple[str, ...], kinds: str) -> Iterator[Source]:
    """In the order given, a directory's files by name. Raises click.UsageError."""
    if not given:
        raise click.UsageError("Name at least one file with -f; - is standard input.")
    for name in given:
        if name == "-" or not Path(name).is_dir():
            yield Source(name, (name,))
            continue
        found = tuple(map(str, files_below(Path(name), frozenset(suffixes))))
        if not found:
            raise click.UsageError(f"{name} holds none of {kinds}, nor does a directory below it.")
        yield Source(name, found)


def _convert(source: Source, read: Reader, target: Target, outcome: Outcome) -> None:
    """Nothing that could be converted is a failure as well: a wrong file, or the wrong command for it."""
    before = len(outcome.done) + len(outcome.failed)
    for path in source.paths:
        _convert_file(path, read, target, outcome)
    for path in source.paths:
        if Path(path).name in RENDERED:
            outcome.notes.append(
                Note(path, None, f"files are taken as they are: convert what {RENDERED[Path(path).name]} prints")
            )
    if len(outcome.done) + len(outcome.failed) == before:
        name = STANDARD_INPUT if source.given == "-" else source.given
        outcome.failed.append(Note(name, None, "there is no connector in it that this command reads"))


def _convert_file(path: str, read: Reader, target: Target, outcome: Outcome) -> None:
    """A part that cannot be read does not keep the others back."""
    notes = Notes(STANDARD_INPUT if path == "-" else path)
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        for found in read(raw, notes):
            _finish(found, target, notes, outcome)
    except OSError as error:
        outcome.failed.append(Note(notes.file, None, error.strerror or "cannot be read"))
    except Unreadable as problem:
        outcome.failed.append(Note(notes.file, problem.line, str(problem)))
    outcome.notes += sorted(notes.found, key=lambda note: note.line or 0)


def _finish(found: Origin | Unreadable, target: Target, notes: Notes, outcome: Outcome) -> None:
    problem: Unreadable | None = None
    if isinstance(found, Unreadable):
        problem = found
    else:
        try:
            outcome.done.append(finished(found, target, notes, outcome.places))
        except Unreadable as failure:
            problem = failure
    if problem is not None:
        outcome.failed.append(Note(notes.file, problem.line, str(problem)))


def _write(done: list[Migrated], out: Path | None) -> None:
    """Raises OSError."""
    if out is None:
        click.echo(SEPARATOR.join(connector_documents(one.manifest, one.objects) for one in done), nl=False)
        return
    for one in done:
        write_connector(out, one.manifest, one.objects, one.stem)


def _resources(
    fits: Callable[[Lined], bool], origin_of: Callable[[Lined, Notes], Origin]
) -> Callable[[bytes, Notes], Iterator[Origin | Unreadable]]:
    """The reader for one kind of Kubernetes resource; others in the same file are told and passed over."""

    def read(raw: bytes, notes: Notes) -> Iterator[Origin | Unreadable]:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise Unreadable("not UTF-8") from None
        for body in documents(text):
            if not fits(body):
                notes.say(body.line, _passed_over(body))
                continue
            try:
                yield origin_of(body, notes)
            except Unreadable as problem:
                yield problem

    return read


def _passed_over(body: Lined) -> str:
    what = f"{body.get('apiVersion')} {body.get('kind')}" if "kind" in body else "a document that names no kind"
    command = next((command for command, fits in READ_BY.items() if fits(body)), None)
    return f"{what} is skipped" + (f": lenses-operator migrate {command} reads it" if command else "")


def _properties(raw: bytes, notes: Notes) -> Iterator[Origin | Unreadable]:
    yield connect_files.from_properties(raw, notes)


def _json(raw: bytes, notes: Notes) -> Iterator[Origin | Unreadable]:
    yield from connect_files.from_json(raw, notes)


_add(
    "strimzi",
    "KafkaConnector resources of Strimzi and of IBM Event Streams.\n\n"
    "The label strimzi.io/cluster (eventstreams.ibm.com/cluster) names the cluster, unless --cluster does.",
    "kubectl get kafkaconnectors -o yaml \\\n    | lenses-operator migrate strimzi --environment prod -f -",
    _resources(strimzi.is_strimzi, strimzi.origin_of),
    (".yaml", ".yml", ".json"),
)
_add(
    "confluent",
    "Connector resources of Confluent for Kubernetes.\n\n"
    "spec.connectClusterRef names the cluster, unless --cluster does.",
    "lenses-operator migrate confluent --environment prod \\\n    -f connectors/ --out lenses",
    _resources(confluent.is_confluent, confluent.origin_of),
    (".yaml", ".yml", ".json"),
)
_add(
    "properties",
    "Properties files of a standalone Kafka Connect worker.",
    "lenses-operator migrate properties --environment prod \\\n    --cluster connect-eu -f orders.properties",
    _properties,
    (".properties",),
)
_add(
    "json",
    "JSON as Kafka Connect's REST API takes and gives it.\n\n"
    "An object of name and config, a bare configuration, a list of these, or what GET /connectors?expand=info gives.",
    "lenses-operator migrate json --environment prod \\\n    --cluster connect-eu -f orders.json",
    _json,
    (".json",),
)
_add(
    "lenses",
    "Lenses' own files: what lenses-cli exports, and KafkaConnector resources of lenses.io.\n\n"
    "clusterName or spec.cluster names the cluster, unless --cluster does.",
    "lenses-operator migrate lenses --environment prod -f landscape/connectors",
    _resources(lenses_files.is_lenses, lenses_files.origin_of),
    (".yaml", ".yml", ".json"),
)
