"""The image itself, as buildah has made it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from harness.node import steps
from node.support import FIGURES

LARGEST = 100
"""MiB of what the product puts on top of its base; from the contract."""
GONE = ".wh."
"""Begins the name of a file that a layer takes away."""


@pytest.fixture(scope="module", autouse=True)
def available() -> None:
    if why := steps.unavailable():
        pytest.skip(why)


def manifest(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as tar:
        return dict(json.load(_member(tar, "manifest.json"))[0])


def _member(tar: tarfile.TarFile, name: str) -> Any:
    found = tar.extractfile(name)
    assert found is not None
    return found


def test_its_own_layer_is_small() -> None:
    """The last one; those below are the base's."""
    _base, own = manifest(steps.IMAGE)["Layers"]
    with tarfile.open(steps.IMAGE) as tar:
        size = tar.getmember(own).size / 2**20
    FIGURES.append(f"image: {size:.0f} MiB on top of its base")
    assert size < LARGEST


def test_nothing_compiled_is_left_of_what_is_not_there() -> None:
    names: set[str] = set()
    with tarfile.open(steps.IMAGE) as tar:
        for one in manifest(steps.IMAGE)["Layers"]:
            with tarfile.open(fileobj=_member(tar, one)) as layer:
                for path in map(Path, layer.getnames()):
                    names.add(str(path))
                    if path.name.startswith(GONE):  # all below it too
                        gone = str(path.with_name(path.name.removeprefix(GONE)))
                        names -= {name for name in names if name == gone or name.startswith(f"{gone}/")}
    compiled = [Path(name) for name in names if name.endswith(".pyc")]
    sources = {str(path.parent.parent / f"{path.name.partition('.')[0]}.py") for path in compiled}
    assert sources <= names
    assert not [name for name in names if "/pip/" in name or "/setuptools/" in name or "/ensurepip/" in name]
    for package in ("/opt/venv/lib/python3.11/site-packages/lenses_operator/app", "/usr/local/lib/python3.11/ssl"):
        folder, _, name = package.strip("/").rpartition("/")
        assert f"{folder}/__pycache__/{name}.cpython-311.pyc" in names
