"""`lenses-operator completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "lenses-operator"
VARIABLE = "_LENSES_OPERATOR_COMPLETE"

EPILOG = """\b
Examples:
  source <(lenses-operator completion bash)                         # in ~/.bashrc
  source <(lenses-operator completion zsh)                          # in ~/.zshrc
  lenses-operator completion fish > ~/.config/fish/completions/lenses-operator.fish

Bash must be 4.4 or later."""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands and options in a shell."""
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(made(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
