"""A Git repository in a directory, and the files that tests put into it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.waiting import HANG

AUTHOR = ("-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false")


class Repository:
    """Branch `main` of it."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self.url = f"file://{tree}"
        tree.mkdir(parents=True)
        self._git("init", "-q", "-b", "main")
        self.commit({"README": "connectors\n"})

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Path to text, or to None for a file that goes; the commit's hash."""
        for path, text in files.items():
            file = self._tree / path
            if text is None:
                file.unlink(missing_ok=True)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        self._git("add", "-A")
        self._git("commit", "-q", "--allow-empty", "-m", "Change connectors")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        argv = ["git", "-C", str(self._tree), *AUTHOR, *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=HANG, check=True).stdout
