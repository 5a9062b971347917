"""The real helm, with the chart of this checkout."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness import paths
from harness.kube import Objects
from harness.waiting import HANG

REQUIRED: Mapping[str, Any] = {"lenses": {"url": "https://lenses.example.com", "tokenSecret": {"name": "lenses-token"}}}
"""What cannot be left out."""


class HelmError(Exception):
    """What helm had to say."""


class Helm:
    """Call it with helm's arguments. `values` are put over `REQUIRED`, map by map, as helm does it itself."""

    def __init__(self, home: Path, kubeconfig: Path | None = None) -> None:
        self._home = home
        home.mkdir(parents=True, exist_ok=True)
        kinds = ("CACHE", "CONFIG", "DATA")
        self._env = {**os.environ, **{f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in kinds}}
        self._env["KUBECONFIG"] = str(kubeconfig or home / "no-cluster")

    def __call__(self, *arguments: str | Path, values: Mapping[str, Any] | None = None, required: bool = True) -> str:
        """What it printed; an error that carries its own message if it failed."""
        files = [self._file("required", REQUIRED)] * required
        files += [] if values is None else [self._file("values", values)]
        argv = [paths.HELM, *arguments, *(word for file in files for word in ("-f", file))]
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=HANG,
            env=self._env,
            check=False,
        )
        if done.returncode:
            raise HelmError(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    @property
    def forces(self) -> tuple[str, ...]:
        """What takes over fields of another manager. Helm 3 does not apply on the server, and asks nobody."""
        major = self("version", "--template", "{{.Version}}", required=False).lstrip("v").partition(".")[0]
        return ("--force-conflicts",) if int(major) >= 4 else ()

    def _file(self, name: str, values: Mapping[str, Any]) -> Path:
        path = self._home / f"{name}.json"
        path.write_text(json.dumps(values, ensure_ascii=False))  # YAML has no surrogate pairs
        return path

    def template(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        namespace: str = "lenses-system",
        chart: Path = paths.CHART,
        required: bool = True,
    ) -> Objects:
        """The objects of release `lenses-operator`."""
        text = self("template", "lenses-operator", chart, "-n", namespace, values=values or {}, required=required)
        return [document for document in yaml.safe_load_all(text) if document]

    def install(self, namespace: str, values: Mapping[str, Any], *options: str, chart: Path = paths.CHART) -> str:
        """Install or upgrade release `lenses-operator`; what helm tells its user."""
        return self("upgrade", "--install", "lenses-operator", chart, "-n", namespace, *options, values=values)

    def uninstall(self, namespace: str) -> str:
        return self("uninstall", "lenses-operator", "-n", namespace, required=False)
