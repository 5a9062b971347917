"""`completion`: what a shell needs to complete commands, options and names of resources."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAMS = {
    "lenses-operator": ("lenses-operator", "_LENSES_OPERATOR_COMPLETE"),
    "kubectl lenses": ("kubectl-lenses", "_KUBECTL_LENSES_COMPLETE"),
}
"""By the name that a program shows: its file, and the variable by which its script asks it."""

EPILOG = """\b
Examples:
  source <(lenses-operator completion bash)      # in ~/.bashrc
  source <(kubectl lenses completion zsh)        # in ~/.zshrc
  lenses-operator completion fish \\
    > ~/.config/fish/completions/lenses-operator.fish

The script is for the name it was asked by: lenses-operator or kubectl-lenses. `kubectl lenses` itself is completed by
kubectl's own completion, which finds kubectl_complete-lenses beside this program. Bash must be 4.4 or later."""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands and options in a shell."""
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"no completion for {shell}")
    root = ctx.find_root()
    program, variable = PROGRAMS.get(root.info_name or "", PROGRAMS["lenses-operator"])
    click.echo(made(root.command, {}, program, variable).source())
