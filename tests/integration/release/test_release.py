"""The release's workflow: checked by actionlint, and its steps run one by one, up to those that need a registry."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import build, paths, release
from harness.helm import Helm
from harness.paths import ROOT
from harness.release import ReleaseError
from harness.waiting import HANG

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
VERSION = "0.2.0"
DIGEST = f"sha256:{'ab' * 32}"
REGISTRY = "registry.example.com/me"
CHART = "helm/lenses-operator/Chart.yaml"
COPIED = ("pyproject.toml", "CHANGELOG.md", "helm", "crds", "requirements", "tests/harness")


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    return found


def steps(job: str) -> dict[str, dict[str, Any]]:
    """Those of the release with a name, in their order."""
    return {one["name"]: one for one in workflow("release.yaml")["jobs"][job]["steps"] if "name" in one}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """This checkout as it would be with a release's tag."""
    for name in COPIED:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    (tmp_path / ".venv").symlink_to((ROOT / ".venv").resolve())
    (tmp_path / "build").symlink_to((ROOT / "build").resolve())
    now = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name in ("pyproject.toml", CHART):
        file = tmp_path / name
        file.write_text(file.read_text().replace(now, VERSION))
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(
        changelog.read_text().replace("## [Unreleased]\n", f"## [Unreleased]\n\n## [{VERSION}] - 2026-12-01\n", 1)
    )
    return tmp_path


def run(step: dict[str, Any], tree: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A step's commands, as GitHub runs them."""
    env = {**os.environ, "TAG": f"v{VERSION}", "REGISTRY": REGISTRY, **step.get("env", {}), **variables}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(shell, cwd=tree, env=env, capture_output=True, text=True, timeout=HANG, check=False)


def test_actionlint() -> None:
    build.require("actionlint")
    done = subprocess.run(
        [paths.ACTIONLINT, "-no-color", *WORKFLOWS], cwd=ROOT, capture_output=True, text=True, timeout=HANG, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_actionlint_finds_what_is_wrong(tmp_path: Path) -> None:
    """Else the test above would pass for another reason."""
    build.require("actionlint")
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        (ROOT / ".github/workflows/release.yaml").read_text().replace("needs.image.outputs", "needs.none.outputs")
    )
    done = subprocess.run(
        [paths.ACTIONLINT, "-no-color", bad], capture_output=True, text=True, timeout=HANG, check=False
    )
    assert done.returncode == 1
    assert '"none" is not defined' in done.stdout


def test_step_by_step(tree: Path, tmp_path: Path) -> None:
    """Check, make, hold against the checksums; then the chart is what a user would install."""
    build.require("helm")
    output = tmp_path / "output"
    agreed = steps("check")["The tag is the version of the project, of the chart and of the changelog"]
    checked = run(agreed, tree, GITHUB_OUTPUT=str(output))
    assert (checked.returncode, output.read_text()) == (0, f"version={VERSION}\n"), checked.stderr
    assert run(steps("check")["The registry is known"], tree).returncode == 0
    assert "::error::" in run(steps("check")["The registry is known"], tree, REGISTRY="").stdout
    files = steps("files")
    made = run(files["Make the files of the release"], tree, DIGEST=DIGEST)
    assert made.returncode == 0, made.stderr
    held = run(files["Hold them against their checksums"], tree)
    assert held.returncode == 0, held.stderr
    dist = tree / "dist"
    names = {"SHA256SUMS", "notes.md", "lenses-operator-crds.yaml", "lenses-operator.cdx.json"}
    names |= {f"lenses-operator-{VERSION}.tgz"}
    assert {path.name for path in dist.iterdir()} == names
    objects = Helm(tmp_path / "helm-home").template({}, chart=dist / f"lenses-operator-{VERSION}.tgz")
    (deployment,) = [one for one in objects if one["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{REGISTRY}/lenses-operator@{DIGEST}"
    assert deployment["metadata"]["labels"]["app.kubernetes.io/version"] == VERSION
    crds = list(yaml.safe_load_all((dist / "lenses-operator-crds.yaml").read_text()))
    assert [one["kind"] for one in crds] == ["CustomResourceDefinition"] * 2
    assert DIGEST in (dist / "notes.md").read_text()
    (dist / "lenses-operator-crds.yaml").write_text("other")
    assert run(files["Hold them against their checksums"], tree).returncode != 0


def test_the_same_tree_gives_the_same_files(tree: Path) -> None:
    """All but the chart's archive, which has times in it."""
    build.require("helm")

    def made() -> dict[str, str]:
        release.make(f"v{VERSION}", tree / "dist", f"{REGISTRY}/lenses-operator", DIGEST, tree)
        listed = [path for path in (tree / "dist").iterdir() if path.suffix != ".tgz" and path.name != release.SUMS]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in listed}

    assert made() == made()


@pytest.mark.parametrize(
    ("tag", "change", "words"),
    [
        ("0.2.0", None, "no tag of a release"),
        ("v0.2.0-rc.1", None, "no tag of a release"),
        ("v0.3.0", None, "the tag says 0.3.0, but pyproject.toml says 0.2.0; Chart.yaml, version says"),
        (
            "v0.2.0",
            (CHART, "appVersion: 0.2.0", "appVersion: 0.1.0"),
            "appVersion says 0.1.0",
        ),
        ("v0.2.0", ("CHANGELOG.md", "## [0.2.0]", "## [0.1.9]"), "CHANGELOG.md has no section [0.2.0]"),
    ],
)
def test_what_does_not_agree(tree: Path, tag: str, change: tuple[str, str, str] | None, words: str) -> None:
    if change:
        file = tree / change[0]
        file.write_text(file.read_text().replace(*change[1:]))
    with pytest.raises(ReleaseError) as caught:
        release.version_of(tag, tree)
    assert words in str(caught.value)


def test_the_image_gets_what_the_dockerfile_asks_for() -> None:
    (step,) = [one for one in workflow("release.yaml")["jobs"]["image"]["steps"] if one.get("id") == "build"]
    given = {line.partition("=")[0] for line in step["with"]["build-args"].splitlines()}
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert all(f"\nARG {name}=" in dockerfile for name in given)
    assert given == {"VERSION", "REVISION"}
    assert step["with"]["platforms"] == "linux/amd64,linux/arm64"
    assert (step["with"]["provenance"], step["with"]["sbom"]) == ("mode=max", True)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_it_says(file: Path) -> None:
    """Read by default; a job that writes says what; no text from outside is put into a shell."""
    body = yaml.safe_load(file.read_text())
    assert body["permissions"] == {"contents": "read"}
    for job in body["jobs"].values():
        for step in job.get("steps", ()):
            assert "${{" not in step.get("run", "")
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
