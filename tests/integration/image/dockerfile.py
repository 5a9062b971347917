"""The Dockerfile's steps, done without Docker: its own words, with the image's paths below a directory."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from harness.paths import ROOT
from harness.waiting import HANG

IMAGE_PATH = re.compile(r"(?<![\w./*$])/(?=(opt|src|wheels|usr/local)\b)")


@dataclass(frozen=True)
class Step:
    """One instruction; its continued lines are one text."""

    word: str
    text: str


def stages(text: str) -> list[list[Step]]:
    """The steps of each stage, its FROM the first."""
    found: list[list[Step]] = []
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append([])
        if word and found:
            found[-1].append(Step(word, rest.strip()))
    return found


@dataclass
class Image:
    """What the steps have made so far below `root`; `python` stands for the base image's."""

    root: Path
    python: Path
    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def path(self, path: str) -> Path:
        """Where a path of the image is here."""
        return self.root / path.lstrip("/")

    def do(self, step: Step) -> None:
        match step.word:
            case "RUN":
                self._run(step.text)
            case "COPY":
                self._copy(shlex.split(step.text))
            case "ENV":
                self.env |= dict(pair.split("=", 1) for pair in shlex.split(step.text))
            case "WORKDIR":
                self.workdir = step.text
                self.path(self.workdir).mkdir(parents=True, exist_ok=True)
            case "USER":
                self.user = step.text
            case "ENTRYPOINT":
                self.entrypoint = json.loads(step.text)
            case "CMD":
                self.command = json.loads(step.text)
            case "ARG":
                name, given, value = step.text.partition("=")
                self.arguments |= {name: value} if given else {}
            case "FROM" | "LABEL" | "EXPOSE":
                pass
            case _:
                raise NotImplementedError(step.word)

    def _run(self, script: str) -> None:
        """As the build's user, who has the network; pip's cache is this machine's, for speed."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        env |= self.arguments
        env |= {name: value for name, value in self.env.items() if name not in {"PATH", "PIP_NO_CACHE_DIR"}}
        env["PATH"] = f"{self.python.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-c", IMAGE_PATH.sub(f"{self.root}/", script)],
            env=env,
            cwd=self.path(self.workdir),
            capture_output=True,
            text=True,
            timeout=HANG,
            check=False,
        )
        assert done.returncode == 0, f"RUN {script}\n{done.stdout}\n{done.stderr}"

    def _copy(self, words: list[str]) -> None:
        *sources, target = words
        if sources[0].startswith("--from="):
            assert sources[1:] == [target], "the stages share one root here"
            return
        for source in sources:
            name = source.rstrip("/")
            assert {f"!{name}", f"!{name}/"} & set((ROOT / ".dockerignore").read_text().splitlines()), name
            to = self.path(self.workdir) / target
            if source.endswith("/"):
                shutil.copytree(ROOT / name, to, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            else:
                shutil.copy(ROOT / name, to)

    @property
    def argv(self) -> list[str]:
        """What a container starts."""
        program, *rest = [*self.entrypoint, *self.command]
        for directory in self.env["PATH"].split(":"):
            if (self.path(directory) / program).exists():
                return [str(self.path(directory) / program), *rest]
        raise FileNotFoundError(program)


def build(root: Path) -> Image:
    """Both stages. The base's python is this one, which has pip; in the last stage one that may lose it."""
    first, last = stages((ROOT / "Dockerfile").read_text())
    image = Image(root, Path(sys.executable))
    for step in first:
        image.do(step)
    base = image.path("/usr/local")
    subprocess.run([sys.executable, "-m", "venv", base], check=True, timeout=HANG)
    image = Image(root, base / "bin" / "python")
    for step in last:
        image.do(step)
    return image
