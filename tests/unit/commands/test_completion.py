"""The printed bash script, driven by a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.programs import install_programs
from harness.waiting import HANG
from lenses_operator.cli import main

BASH = shutil.which("bash")


@pytest.fixture
def bin_path(tmp_path: Path) -> str:
    """A PATH with the programs of this very code."""
    install_programs(tmp_path)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["off"], ["offsets"]),
        (["offsets", "re"], ["reset", "restore"]),
        (["offsets", "export", "--t"], ["--to", "--token-file"]),
        (["completion", "z"], ["zsh"]),
    ],
)
@pytest.mark.parametrize("program", ["lenses-operator", "kubectl-lenses"])
def test_bash_completes(program: str, words: list[str], completed: list[str], bin_path: str) -> None:
    assert BASH is not None, "bash 4.4 or later is needed, which `make` runs on as well"
    quoted = " ".join(f"'{word}'" for word in [program, *words])
    script = f"""
        set -eu
        source <({program} completion bash)
        function=$(complete -p {program} | sed -E 's/.*-F ([^ ]+).*/\\1/')
        COMP_WORDS=({quoted})
        COMP_CWORD={len(words)}
        "$function" {program}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [BASH, "--norc", "-c", script],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
        env={**os.environ, "PATH": bin_path},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.split()) == completed


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["sta"], ["status"]),
        (["offsets", "show", "--o"], ["--output"]),
        (["status", "orders", ""], []),
        (["offsets", "set", "x", "--json", ""], []),
    ],
)
def test_kubectl_completes(words: list[str], completed: list[str], bin_path: str, tmp_path: Path) -> None:
    """By the protocol of its plugins: a line each, then a directive: 4 for no files, 0 for files too."""
    done = subprocess.run(
        [tmp_path / "kubectl_complete-lenses", *words],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=True,
        env={**os.environ, "PATH": bin_path, "KUBECONFIG": str(tmp_path / "none")},
    )
    *found, directive = done.stdout.splitlines()
    assert [line.partition("\t")[0] for line in found] == completed
    assert (directive, done.stderr) == (":0" if "--json" in words else ":4", "")


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete --no")])
def test_each_shell_has_a_script_of_its_own(shell: str, word: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell])
    assert printed.exit_code == 0
    assert word in printed.output
    assert "_LENSES_OPERATOR_COMPLETE" in printed.output


def test_another_shell_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["completion", "tcsh"]).exit_code == 2
