"""How a command reaches Lenses and Kubernetes: the operator's own variables, or options that go before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.tokens import TokenFile
from lenses_operator.lenses.transport import LensesTransport, OnResponse
from lenses_operator.settings import PREFIX

F = TypeVar("F", bound=Callable[..., Any])
CONCURRENCY = 8
"""Requests under way at a time: a command must not crowd out the operator."""


@dataclass(frozen=True)
class LensesAccess:
    """Where Lenses is, and with what it is asked."""

    url: str
    token_file: Path
    ca_file: Path | None = None

    @asynccontextmanager
    async def client(self, on_response: OnResponse | None = None) -> AsyncIterator[LensesClient]:
        """Raises click.UsageError for a URL, token or CA file that cannot be used."""
        try:
            transport = LensesTransport(self.url.rstrip("/"), ca_file=self.ca_file, concurrency=CONCURRENCY)
            tokens = TokenFile(self.token_file)
        except (OSError, ValueError) as error:
            raise click.UsageError(str(error)) from error
        try:
            yield LensesClient(transport, tokens, on_response=on_response)
        finally:
            await transport.aclose()


def lenses_options(command: F) -> F:
    """Adds --lenses-url, --token-file and --ca-file; the command gets `lenses_url`, `token_file`, `ca_file`."""
    return cast("F", _options(command, required=True))


def optional_lenses_options(command: F) -> F:
    """The same options; the command gets `lenses`, None where neither URL nor token is given."""

    @wraps(command)
    def wrapped(*args: Any, lenses_url: str | None, token_file: Path | None, ca_file: Path | None, **rest: Any) -> Any:
        if bool(lenses_url) != bool(token_file):
            raise click.UsageError("--lenses-url and --token-file go together: give both or neither.")
        lenses = LensesAccess(lenses_url, token_file, ca_file) if lenses_url and token_file else None
        return command(*args, lenses=lenses, **rest)

    return cast("F", _options(wrapped, required=False))


def _options(command: Callable[..., Any], *, required: bool) -> Any:
    path = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option(
            "--ca-file",
            type=path,
            envvar=PREFIX + "LENSES_CA_FILE",
            show_envvar=True,
            help="Certificates to trust, PEM.",
        ),
        click.option(
            "--token-file",
            type=path,
            required=required,
            envvar=PREFIX + "LENSES_TOKEN_FILE",
            show_envvar=True,
            help="A file with the Lenses token.",
        ),
        click.option(
            "--lenses-url",
            required=required,
            envvar=PREFIX + "LENSES_URL",
            show_envvar=True,
            help="Where Lenses is.",
        ),
    ):
        command = option(command)
    return command
