"""From options and files to the JSON array of offsets that is asked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from lenses_operator.domain.offsets_text import OffsetsInvalid, request_text
from lenses_operator.resources.connector_offsets import Action, ConnectorRef, OffsetsSpec


def asked_text(topic: str | None, partitions: tuple[str, ...], offset: str | None, *, drop: bool) -> str:
    """Raises click.UsageError."""
    if not partitions:
        raise click.UsageError("Say which with --partition (and --topic for a sink), or give a file with --json.")
    if (offset is not None) == drop:
        raise click.UsageError("Give exactly one of --offset and --drop.")
    entries = (f'{{"partition": {_partition(topic, one)}, "offset": {_offset(topic, offset)}}}' for one in partitions)
    return checked(f"[{', '.join(entries)}]", "--partition and --offset")


def of_file(file: Path) -> str:
    """What stands in it, to the letter. Raises click.UsageError."""
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return checked(raw.decode("utf-8-sig"), "--json")
    except UnicodeDecodeError:
        raise click.UsageError(f"--json: {file} is not UTF-8 text.") from None
    except OSError as error:
        raise click.UsageError(f"--json: {file}: {error.strerror or error}.") from None


def checked(text: str, option: str) -> str:
    """The array, as the operator takes it. Raises click.UsageError."""
    spec = OffsetsSpec(connector_ref=ConnectorRef(name="any"), action=Action.ALTER, offsets_json=text)
    try:
        found = request_text(spec)
    except OffsetsInvalid as error:
        raise click.UsageError(str(error).replace("spec.offsetsJson", option, 1)) from None
    assert found is not None
    return found


def _partition(topic: str | None, given: str) -> str:
    if topic is None:
        return _object(given, "--partition", "a sink's takes --topic beside its number")
    if not (given.isascii() and given.isdigit()):
        raise click.UsageError(f"--partition: with --topic it is a number, not {given!r}.")
    return f'{{"kafka_topic": {json.dumps(topic)}, "kafka_partition": {int(given)}}}'


def _offset(topic: str | None, given: str | None) -> str:
    if given is None:
        return "null"
    if topic is None:
        return _object(given, "--offset", "a number needs --topic")
    if not (given.isascii() and given.isdigit()):
        raise click.UsageError(f"--offset: with --topic it is the number of a record, not {given!r}.")
    return f'{{"kafka_offset": {int(given)}}}'


def _object(text: str, option: str, hint: str) -> str:
    """As it was written: no number passes through a float."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise click.UsageError(f"{option}: {text!r} is no JSON object; {hint}.")
    return text.strip()
