"""The programs of this very code in a directory for PATH, whatever is installed beside it."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from harness.paths import ROOT

PROGRAM = """\
#!{}
import sys
sys.path.insert(0, {!r})
from {} import {} as program
sys.exit(program())
"""


def install_programs(directory: Path) -> None:
    """One for each of `[project.scripts]`, as an installation makes them."""
    directory.mkdir(parents=True, exist_ok=True)
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name, entry in scripts.items():
        module, _, function = entry.partition(":")
        path = directory / name
        path.write_text(PROGRAM.format(sys.executable, str(ROOT / "operator"), module, function))
        path.chmod(0o755)
