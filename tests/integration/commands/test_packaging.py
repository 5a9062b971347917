"""What is installed has the CRDs with it: `plan` checks manifests against them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from harness.paths import CRDS, ROOT
from harness.waiting import HANG

SOURCES = ("pyproject.toml", "README.md", "LICENSE", "crds", "operator")
"""What the Dockerfile builds the wheel from."""


def test_the_wheel_has_the_crds(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("*.egg-info"))
        else:
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source)], check=True, timeout=HANG)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as found:
        packed = {
            Path(name).name: found.read(name).decode()
            for name in found.namelist()
            if name.startswith("lenses_operator/crds/")
        }
        (entries,) = (name for name in found.namelist() if name.endswith(".dist-info/entry_points.txt"))
        programs = {line.partition(" ")[0] for line in found.read(entries).decode().splitlines() if "=" in line}
    assert packed == {file.name: file.read_text() for file in CRDS.iterdir()}
    assert programs == {"lenses-operator", "kubectl-lenses", "kubectl_complete-lenses"}


def test_the_image_is_built_from_these() -> None:
    dockerfile, ignored = (ROOT / "Dockerfile").read_text(), (ROOT / ".dockerignore").read_text().splitlines()
    assert "COPY crds/ crds/" in dockerfile
    assert {"!crds/", "!operator/"} <= set(ignored)
