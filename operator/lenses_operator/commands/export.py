"""`lenses-operator export`: manifests for connectors that Lenses has already."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import click

from lenses_operator.commands.access import LensesAccess, lenses_options
from lenses_operator.commands.existing import Existing, read
from lenses_operator.commands.output import say
from lenses_operator.conversion import files
from lenses_operator.conversion.exporting import Exported, exported
from lenses_operator.conversion.manifest import NotExpressible
from lenses_operator.conversion.places import Identity, Places
from lenses_operator.conversion.text import SEPARATOR, connector_documents
from lenses_operator.lenses.errors import LensesError

EXAMPLES = """\b
Examples:
  lenses-operator export --environment prod --namespace payments \\
    --out connectors
  lenses-operator export --environment prod --cluster connect-eu \\
    --name 'orders-*'

Applying what was written takes the connectors over and changes none of them:

\b
  kubectl apply -f connectors/secrets -f connectors

Exit status: 0 if everything asked for was exported, 1 if something was not, 2 for a wrong option.
"""


@click.command(epilog=EXAMPLES)
@lenses_options
@click.option("--environment", required=True, help="The Lenses environment.")
@click.option("--cluster", "clusters", multiple=True, help="Only this Connect cluster; may be given several times.")
@click.option(
    "--name",
    "globs",
    multiple=True,
    metavar="GLOB",
    help="Only connectors named like this; may be given several times.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The directory to write to. Without it everything but Secrets goes to standard output.",
)
@click.option("-n", "--namespace", help="The resources' namespace; without it they name none.")
@click.option(
    "-l",
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    callback=lambda _context, _option, given: _labels(given),
    help="A label of the resources, for operators that look for one; may be given several times.",
)
@click.option(
    "--ask-types/--no-ask-types",
    default=True,
    show_default=True,
    help="Ask Connect, once for each class, which keys are passwords. No values of connectors are sent for it.",
)
def export(
    lenses_url: str,
    token_file: Path,
    ca_file: Path | None,
    environment: str,
    clusters: tuple[str, ...],
    globs: tuple[str, ...],
    out: Path | None,
    namespace: str | None,
    labels: Mapping[str, str],
    ask_types: bool,
) -> None:
    """Write a LensesConnector for each connector that exists. Nothing is changed in Lenses.

    Values that look like secrets go into Secrets, which are written to DIR/secrets, readable to you alone and ignored
    by Git, and never to standard output.
    """
    access = LensesAccess(lenses_url, token_file, ca_file)
    try:
        found = asyncio.run(_read(access, environment, clusters, globs, ask_types=ask_types))
        places = Places(out)
        done = _convert(environment, namespace, labels, found, places)
        secrets = _print([one for _, one in done]) if out is None else _write(out, done)
        if out is not None and not clusters and not globs:
            _tell_left_behind(out, environment, places)
    except LensesError as error:
        _say(f"environment {environment}: {error}")
        sys.exit(1)
    except OSError as error:
        _say(str(error))
        sys.exit(1)
    _sum_up(found, secrets, out)
    sys.exit(1 if found.failed or not (found.details or found.gone) else 0)


def _labels(given: tuple[str, ...]) -> dict[str, str]:
    """Raises click.BadParameter."""
    pairs = [one.partition("=") for one in given]
    if not all(key and equals for key, equals, _ in pairs):
        raise click.BadParameter("write it as KEY=VALUE")
    return {key: value for key, _, value in pairs}


async def _read(
    access: LensesAccess, environment: str, clusters: Collection[str], globs: Collection[str], *, ask_types: bool
) -> Existing:
    async with access.client() as client:
        return await read(client, environment, clusters, globs, ask_types=ask_types)


def _convert(
    environment: str, namespace: str | None, labels: Mapping[str, str], found: Existing, places: Places
) -> list[tuple[str, Exported]]:
    """By cluster and name, each with the stem of its files. What cannot be said joins `found.failed`."""
    done = []
    for one in sorted(found.names.keys() - set(found.gone)):
        place = places.of(Identity(environment, one.cluster, one.name), found.names[one], namespace)
        if one not in found.details:
            continue
        details = found.details[one]
        if place.name != found.names[one]:
            _say(f"{one}: the resource is called {place.name}: {found.names[one]} is that of another connector")
        try:
            passwords = found.passwords_of(details)
            done.append((place.stem, exported(environment, details, place.name, namespace, labels, passwords)))
        except NotExpressible as problem:
            found.failed[one] = str(problem)
    return done


def _print(done: Collection[Exported]) -> int:
    """Returns how many Secrets were left out."""
    click.echo(SEPARATOR.join(connector_documents(one.manifest, one.config_maps) for one in done), nl=False)
    for one in done:
        _notes(one, one.notes)
    return sum(len(one.secrets) for one in done)


def _write(out: Path, done: Collection[tuple[str, Exported]]) -> int:
    """Returns how many Secrets were written."""
    for stem, one in done:
        _notes(one, files.write(out, one, stem))
    return sum(len(one.secrets) for _, one in done)


def _tell_left_behind(out: Path, environment: str, places: Places) -> None:
    for path in files.left_behind(out, environment, places.stems):
        _say(f"{path} is of an earlier export, and its connector is not there any more: applied, it creates it again")


def _notes(one: Exported, notes: Collection[str]) -> None:
    for note in notes:
        _say(f"{one.manifest.connector} on {one.manifest.cluster}: {note}")


def _sum_up(found: Existing, secrets: int, out: Path | None) -> None:
    for (cluster, class_name), why in sorted(found.not_asked.items()):
        _say(f"{class_name} on {cluster} was not asked for its passwords, so keys' names alone decided: {why}")
    for one in sorted(found.gone):
        _say(f"{one}: deleted while it was to be read")
    for one, why in sorted(found.failed.items()):
        _say(f"{one}: not exported: {why}")
    if not (found.details or found.gone or found.failed):
        _say("no connector found; the token may see none, or --cluster and --name leave none")
    if out is None and secrets:
        _say(f"Secrets are not printed ({secrets} here): --out writes them to a directory of their own")
    if out is not None:
        written = len(found.details.keys() - found.failed.keys())
        apart = f", Secrets to {out / files.SECRETS}: {secrets}; keep these out of Git" if secrets else ""
        _say(f"connectors written to {out}: {written}{apart}")


def _say(text: str) -> None:
    say(f"lenses-operator: {text}")
