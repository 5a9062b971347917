"""What a node needs: its programs, and the images of a base, of the product and of what holds a pod's namespaces."""

from __future__ import annotations

from pathlib import Path

from harness import build, paths
from harness.build import GO_FLAGS, Step, versioned
from harness.node import machine

HERE = paths.HARNESS / "node"
DIRECTORY = paths.BUILD / "node"
STORAGE = "build/node/storage"
SCRIPTS = "tests/harness/node"
"""Commands are run in the checkout's root, and name no other directory: so they are the same in every checkout."""
PROGRAM = DIRECTORY / "node"
BASE = DIRECTORY / "base"
IMAGE = DIRECTORY / "operator.tar"
PAUSE = DIRECTORY / "pause.tar"
BASE_NAME = "docker.io/library/python:3.11-slim"
IMAGE_NAME = "docker.io/library/lenses-operator:0.1.0"
EPOCH = "1700000000"
"""Of the images: their time is no part of what is tested, and the same context must give the same image."""
CONTEXT = ("operator", "crds", "requirements", "pyproject.toml", "README.md", "LICENSE", "Dockerfile", ".dockerignore")
SKIPPED = ("__pycache__", ".egg-info")


def _context() -> tuple[Path, ...]:
    """What the Dockerfile copies, and the Dockerfile."""
    found: list[Path] = []
    for name in CONTEXT:
        path = paths.ROOT / name
        found += sorted(path.rglob("*")) if path.is_dir() else [path]
    return tuple(path for path in found if path.is_file() and not any(part in str(path) for part in SKIPPED))


def image_command(identity: str, archive: str, tag: str) -> tuple[str, ...]:
    """Builds the product's image, from nothing but the base; see image.sh."""
    env = ("env", f"BASE={BASE_NAME}", f"EPOCH={EPOCH}")
    return (*env, "sh", f"{SCRIPTS}/image.sh", STORAGE, ".", identity, archive, tag)


def steps() -> tuple[Step, ...]:
    parts = HERE / "parts"
    base = ("env", f"BASE={BASE_NAME}", "PYTHON=.venv/bin/python", "sh", f"{SCRIPTS}/base.sh", STORAGE)
    return (
        Step(
            "node-parts",
            "kubelet, scheduler and proxy (go build)",
            PROGRAM,
            tuple(parts / name for name in ("main.go", "go.mod", "go.sum")),
            ("go", "build", *GO_FLAGS, versioned(parts / "go.mod"), "-o", "{scratch}/node", "."),
            parts,
            "node",
        ),
        Step(
            "node-pause",
            "the image that holds a pod's namespaces",
            PAUSE,
            (HERE / "pause.sh",),
            ("sh", f"{SCRIPTS}/pause.sh", STORAGE, "{scratch}", "{scratch}/pause.tar"),
            paths.ROOT,
            "pause.tar",
        ),
        Step(
            "node-base",
            "the base image (mmdebstrap)",
            BASE,
            (HERE / "base.sh",),
            (*base, "{scratch}"),
            paths.ROOT,
            "base",
        ),
        Step(
            "node-image",
            "the product's image (buildah)",
            IMAGE,
            (HERE / "base.sh", HERE / "image.sh", *_context()),
            image_command("{scratch}/id", "{scratch}/operator.tar", IMAGE_NAME),
            paths.ROOT,
            "operator.tar",
        ),
    )


def prepare() -> None:
    """Builds what is missing; says why not where this machine cannot run a node."""
    why = machine.lacking() or machine.install()
    if why:
        print(f"node: not here: {why}", flush=True)
        return
    build.ensure_steps(steps())
    print(f"node: {DIRECTORY.relative_to(paths.ROOT)} is up to date", flush=True)


def unavailable() -> str:
    """Why there can be no node now; empty where there can."""
    why = machine.lacking()
    if not why and not all(step.is_current() for step in steps()):
        why = "what a node needs is not built or out of date: run `make test-node`"
    return why
