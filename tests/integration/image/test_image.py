"""The image, as far as that goes without Docker: built by the Dockerfile's own steps, run with what a pod gives it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from harness import http
from harness.controlplane import ControlPlane
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Place
from harness.operator_process import PORT
from harness.paths import ROOT
from harness.process import Launcher, Process
from harness.waiting import wait_until
from integration.image.dockerfile import Image, build, stages

TIMEOUT = 60.0
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
CONFINED = """
set -e
if [ -n "$HIDDEN" ]; then  # this machine's python is below a directory that only root may enter
  mount --bind "$PREFIX" "$STAGE"
  mount -t tmpfs none "$HIDDEN"
  mkdir -p "$PREFIX"
  mount --bind "$STAGE" "$PREFIX"
fi
mount -t tmpfs none /var/run
mkdir -p {account}
cp "$FILES"/* {account}
mount -o remount,bind,ro /
cd /
exec setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all {command}
"""


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """In a directory that others may enter; nobody may write to it."""
    root = Path(tempfile.mkdtemp(prefix="image-"))
    root.chmod(0o755)
    try:
        built = build(root)
        subprocess.run(["chmod", "-R", "a-w", root], check=True)
        yield built
    finally:
        subprocess.run(["chmod", "-R", "u+w", root], check=True)
        shutil.rmtree(root)


def locked() -> dict[str, str]:
    """The versions of runtime.txt."""
    lines = (ROOT / "requirements" / "runtime.txt").read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", lines, re.MULTILINE))


def test_it_holds_the_locked_packages_and_the_project_and_nothing_to_install_more_with(image: Image) -> None:
    (packages,) = image.path("/opt/venv/lib").glob("python3.*/site-packages")
    found = {each.name.lower().replace("_", "-"): each.version for each in distributions(path=[str(packages)])}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert found.pop("lenses-operator") == project["version"]
    assert found == locked()
    assert not list(image.path("/opt/venv/bin").glob("pip*"))
    for module in ("pip", "setuptools"):
        looking: list[str | Path] = [image.python, "-c", f"import {module}"]
        assert b"No module named" in subprocess.run(looking, capture_output=True, check=False).stderr
    assert list(packages.glob("lenses_operator/__pycache__/app.*.pyc")), "compiled, for nothing can be written later"


def test_it_holds_its_sbom(image: Image) -> None:
    found = json.loads(image.path("/opt/venv/share/sbom/lenses-operator.cdx.json").read_text())
    assert {one["name"]: one["version"] for one in found["components"]} == locked()


def test_what_it_says_of_itself() -> None:
    first, last = stages(DOCKERFILE)
    assert first[0].text == "${PYTHON_IMAGE} AS build"
    assert last[0].text == "${PYTHON_IMAGE}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"ARG VERSION={project['version']}" in DOCKERFILE
    labels = dict(pair.split("=", 1) for step in last if step.word == "LABEL" for pair in shlex.split(step.text))
    assert labels["org.opencontainers.image.licenses"] == project["license"]
    assert labels["org.opencontainers.image.description"] == project["description"]
    assert labels["org.opencontainers.image.version"] == "${VERSION}"
    (user,) = [step.text for step in last if step.word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    python = re.search(r"PYTHON_IMAGE=python:(\d\.\d+)-slim$", DOCKERFILE, re.MULTILINE)
    assert python is not None
    assert project["requires-python"] == f">={python[1]}"


def _settings(image: Image, lenses: RunningLenses, place: Place, files: Path) -> dict[str, str]:
    """All the environment there is: no user's name, and no HOME but the image's."""
    (files / "lenses-token").write_text(lenses.token)
    settings = {"LENSES_URL": lenses.url, "LENSES_TOKEN_FILE": str(files / "lenses-token"), "HTTP_PORT": "0"}
    settings |= {"LEADER_ELECTION": "false", "HTTP_HOST": "127.0.0.1", "WATCH_NAMESPACES": place.namespace}
    path = ":".join(str(image.path(each)) for each in image.env["PATH"].split(":") if each.startswith("/opt"))
    env = {f"LENSES_OPERATOR_{name}": value for name, value in settings.items()}
    return env | {name: value for name, value in image.env.items() if name != "PATH"} | {"PATH": path}


def _command(image: Image, env: dict[str, str]) -> list[str]:
    return ["env", "-i", *(f"{name}={value}" for name, value in env.items()), *image.argv]


def _wait_ready(process: Process) -> None:
    def ready() -> bool:
        found = PORT.search(process.log.read_text())
        return found is not None and http.get(f"http://127.0.0.1:{found[1]}/readyz").is_success

    process.wait_ready(ready, TIMEOUT)


def test_it_runs_with_an_empty_environment_and_ends_in_order(
    image: Image, own_place: Place, lenses: RunningLenses, control_plane: ControlPlane, tmp_path: Path
) -> None:
    env = _settings(image, lenses, own_place, tmp_path) | {"KUBECONFIG": str(control_plane.kubeconfig)}
    with Launcher() as launcher:
        process = launcher.spawn("image", _command(image, env), tmp_path / "image.log", cwd=Path("/"))
        _wait_ready(process)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait_for(TIMEOUT) == 0


@pytest.fixture
def files() -> Iterator[Path]:
    """A directory that others may enter."""
    made = Path(tempfile.mkdtemp(prefix="image-files-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def test_it_runs_as_process_one_of_a_pod(
    image: Image, own_place: Place, lenses: RunningLenses, control_plane: ControlPlane, files: Path, tmp_path: Path
) -> None:
    """A user of the image's number without any rights, a root file system nobody can write to, a service account."""
    trial = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", "mount -t tmpfs none /var/run && setpriv -d"]
    if os.geteuid() != 0 or subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("needs root and the right to make namespaces")
    account = files / "account"
    account.mkdir()
    (account / "token").write_text(control_plane.token)
    (account / "ca.crt").write_bytes(control_plane.ca.read_bytes())
    (account / "namespace").write_text(own_place.namespace)
    (files / "stage").mkdir()
    env = _settings(image, lenses, own_place, files)
    env |= {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(control_plane.port)}
    around = {"HIDDEN": _hidden(Path(sys.base_prefix)), "PREFIX": sys.base_prefix}
    around |= {"STAGE": str(files / "stage"), "FILES": str(account)}
    script = CONFINED.format(account=ACCOUNT, command=shlex.join(_command(image, env)))
    with Launcher() as launcher:
        outside = launcher.spawn(
            "image",
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script],
            tmp_path / "image.log",
            env=around,
        )
        _wait_ready(outside)
        inside = _child(outside.pid)
        status = Path(f"/proc/{inside}/status").read_text()
        assert re.search(r"^NSpid:\s+\d+\s+1$", status, re.MULTILINE)
        assert re.search(r"^Uid:(\s+65532){4}$", status, re.MULTILINE)
        assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
        own_place.runs()
        os.kill(inside, signal.SIGTERM)
        assert outside.wait_for(TIMEOUT) == 0, outside.log.read_text()


def _hidden(prefix: Path) -> str:
    """The outermost directory above it that others may not enter, if there is one."""
    return next((str(each) for each in reversed(prefix.parents) if not each.stat().st_mode & 0o001), "")


def _child(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return int(wait_until("process 1", lambda: children.read_text().split(), TIMEOUT)[0])
