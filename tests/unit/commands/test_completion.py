"""The printed bash script, driven by a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lenses_operator.cli import main

BASH = shutil.which("bash")


@pytest.fixture
def bin_path(tmp_path: Path) -> str:
    """A PATH with a `lenses-operator` of this very code."""
    program = tmp_path / "lenses-operator"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lenses_operator "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["off"], ["offsets"]),
        (["offsets", ""], ["export", "restore"]),
        (["offsets", "export", "--t"], ["--to", "--token-file"]),
        (["completion", "z"], ["zsh"]),
    ],
)
def test_bash_completes(words: list[str], completed: list[str], bin_path: str) -> None:
    assert BASH is not None, "bash 4.4 or later is needed, which `make` runs on as well"
    quoted = " ".join(f"'{word}'" for word in ["lenses-operator", *words])
    script = f"""
        set -eu
        source <(lenses-operator completion bash)
        function=$(complete -p lenses-operator | sed -E 's/.*-F ([^ ]+).*/\\1/')
        COMP_WORDS=({quoted})
        COMP_CWORD={len(words)}
        "$function" lenses-operator
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [BASH, "--norc", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PATH": bin_path},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.split()) == completed


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete --no")])
def test_each_shell_has_a_script_of_its_own(shell: str, word: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell])
    assert printed.exit_code == 0
    assert word in printed.output
    assert "_LENSES_OPERATOR_COMPLETE" in printed.output


def test_another_shell_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["completion", "tcsh"]).exit_code == 2
