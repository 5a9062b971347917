"""Each version in the locks was reviewed, is needed, has a licence that is allowed and hashes; the SBOM is theirs."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cyclonedx.schema
import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from referencing import Registry, Resource

from harness import sbom
from harness.lock import DEVELOPMENT, PROJECT, REVIEWED, RUNTIME, graph, locked, reviewed, roots_of
from harness.paths import ROOT

RUNTIME_LOCK = locked(RUNTIME.read_text())
LOCK = locked(DEVELOPMENT.read_text()) | RUNTIME_LOCK
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOTES: dict[str, Any] = tomllib.loads(REVIEWED.read_text())
SCHEMAS = Path(cyclonedx.schema.__file__).parent / "_res"


@cache
def below() -> dict[str, set[str]]:
    return graph(roots_of(PYPROJECT["project"]["dependencies"] + PYPROJECT["dependency-groups"]["dev"]))


def test_every_line_of_the_locks_was_understood() -> None:
    for path in (RUNTIME, DEVELOPMENT):
        text = path.read_text()
        assert set(locked(text)) == set(re.findall(r"^([a-z0-9.-]+)==", text, re.MULTILINE))
        for line in text.splitlines():
            assert re.fullmatch(r"[a-z0-9.-]+==\S+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
    assert not locked("requests>=2 \\\n    --hash=sha256:" + "0" * 64)


def test_both_locks_have_the_same_versions() -> None:
    assert RUNTIME_LOCK.items() <= locked(DEVELOPMENT.read_text()).items()


@pytest.mark.parametrize("name", sorted(LOCK))
def test_it_was_reviewed_is_needed_and_has_hashes(name: str) -> None:
    one, noted = LOCK[name], reviewed().get(name)
    assert noted is not None, f"{name} is not in requirements/reviewed.toml: look at it, then note what you saw"
    assert noted.version == one.version, f"{name} was reviewed in another version"
    assert one.hashes
    assert noted.reviewed <= datetime.now(UTC).date()
    if not one.marker:  # what another system alone needs is not here to be asked
        assert set(noted.needed_by) == {who for who, asks in below().items() if name in asks}
        assert version(name) == one.version
    assert noted.needed_by, f"nobody needs {name}"


def test_nothing_is_reviewed_that_is_not_locked() -> None:
    assert set(reviewed()) == set(LOCK)


def _words(expression: str) -> set[str]:
    return set(re.findall(r"[\w.+-]+", expression)) - {"AND", "OR", "WITH"}


@pytest.mark.parametrize("name", sorted(LOCK))
def test_its_licence_is_allowed(name: str) -> None:
    allowed = set(NOTES["runtime_licences"])
    if name not in RUNTIME_LOCK:
        allowed |= set(NOTES["development_licences"])
    assert _words(reviewed()[name].licence) <= allowed


def test_no_licence_is_allowed_that_nothing_has() -> None:
    used = {word for one in reviewed().values() for word in _words(one.licence)}
    assert used == {*NOTES["runtime_licences"], *NOTES["development_licences"]}


def test_the_sbom_is_what_the_lock_gives() -> None:
    assert sbom.FILE.read_text() == sbom.text(), "make sbom"


def test_the_sbom_fits_cyclonedx_1_6() -> None:
    names = ("bom-1.6", "spdx", "jsf-0.82")
    bodies = {name: json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text()) for name in names}
    registry: Registry[Any] = Registry().with_resources(
        (body["$id"], Resource.from_contents(body)) for body in bodies.values()
    )
    validator = Draft7Validator(bodies["bom-1.6"], registry=registry)
    document = json.loads(sbom.text())
    assert list(validator.iter_errors(document)) == []
    document["components"][0]["hashes"][0]["content"] = "no hash"
    assert list(validator.iter_errors(document))


def test_the_sbom_names_each_package_of_the_image_once_and_who_needs_it() -> None:
    document = json.loads(sbom.text())
    assert {one["name"]: one["version"] for one in document["components"]} == {
        name: one.version for name, one in RUNTIME_LOCK.items()
    }
    refs = {one["bom-ref"] for one in document["components"]}
    edges = {one["ref"]: set(one["dependsOn"]) for one in document["dependencies"]}
    root = document["metadata"]["component"]["bom-ref"]
    assert set(edges) == refs | {root}
    reached, waiting = {root}, [root]
    while waiting:
        more = edges[waiting.pop()] - reached
        reached |= more
        waiting += more
    assert reached == refs | {root}, "each is needed by the project or by something it needs"
    assert root == f"pkg:pypi/{PROJECT}@{PYPROJECT['project']['version']}"
