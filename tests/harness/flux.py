"""The real kustomize-controller of Flux beside a control plane.

Its sources are ExternalArtifacts, Flux' own kind for archives that are made by others than its source-controller: here
by `Source.commit`, which saves building that controller with all its clients of clouds and registries.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from harness import http, paths
from harness.controlplane import ControlPlane
from harness.kube import Kube, Object
from harness.kubectl import Kubectl
from harness.ports import on_free_ports
from harness.process import Launcher
from harness.waiting import wait_until

NAMESPACE = "flux-system"
READY_TIMEOUT = 120.0
SOURCES = "source.toolkit.fluxcd.io/v1"
KUSTOMIZATIONS = "kustomize.toolkit.fluxcd.io/v1"


class _Archives(ThreadingHTTPServer):
    """Serves what is put into `files`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Archive)
        self.files: dict[str, bytes] = {}
        threading.Thread(target=self.serve_forever, name="archives", daemon=True).start()


class _Archive(BaseHTTPRequestHandler):
    server: _Archives

    def do_GET(self) -> None:
        found = self.server.files.get(self.path)
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Source:
    """A tree of files; `commit` shows its next version to Flux."""

    kube: Kube
    name: str
    archives: _Archives
    files: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Path to text, or to None for a file that goes; the revision."""
        for path, text in files.items():
            if text is None:
                self.files.pop(path, None)
            else:
                self.files[path] = text
        archive = _packed(self.files)
        digest = hashlib.sha256(archive).hexdigest()
        path, revision = f"/{self.name}/{digest}.tar.gz", f"main@sha1:{digest[:40]}"
        self.archives.files[path] = archive
        artifact = {
            "url": f"http://127.0.0.1:{self.archives.server_address[1]}{path}",
            "path": path.lstrip("/"),
            "revision": revision,
            "digest": f"sha256:{digest}",
            "size": len(archive),
            "lastUpdateTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "Succeeded",
            "message": revision,
            "lastTransitionTime": artifact["lastUpdateTime"],
        }
        self._show({"artifact": artifact, "conditions": [ready]})
        return revision

    def _show(self, status: Object) -> None:
        path = f"/apis/{SOURCES}/namespaces/{NAMESPACE}/externalartifacts/{self.name}/status"
        done = self.kube.raw("PATCH", path, {"status": status}, content_type="application/merge-patch+json")
        done.raise_for_status()


def _packed(files: Mapping[str, str]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for path, text in sorted(files.items()):
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(text.encode()), 0o644
            archive.addfile(info, io.BytesIO(text.encode()))
    return raw.getvalue()


@dataclass
class Flux:
    """Running."""

    kube: Kube
    kubectl: Kubectl
    archives: _Archives

    @classmethod
    def start(cls, run_dir: Path, plane: ControlPlane, kube: Kube, launcher: Launcher) -> Flux:
        kubectl = Kubectl(plane.kubeconfig)
        kube.install_crds(paths.FLUX / "crds")
        kubectl("create", "namespace", NAMESPACE)
        on_free_ports(2, lambda ports: _spawn(run_dir, plane, launcher, *ports))
        return cls(kube, kubectl, _Archives())

    def source(self, name: str) -> Source:
        """A new, empty one."""
        body = {"apiVersion": SOURCES, "kind": "ExternalArtifact", "metadata": {"name": name}, "spec": {}}
        self.kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=json.dumps(body))
        return Source(self.kube, name, self.archives)

    def kustomization(self, name: str, source: Source, namespace: str, **spec: Any) -> None:
        """As docs/gitops.md shows it, with shorter times and these fields put over it; None takes one out."""
        whole = {
            "interval": "10m",
            "retryInterval": "5s",
            "timeout": "30s",
            "path": "./",
            "prune": True,
            "wait": True,
            "sourceRef": {"kind": "ExternalArtifact", "name": source.name},
            "targetNamespace": namespace,
            **spec,
        }
        body = {
            "apiVersion": KUSTOMIZATIONS,
            "kind": "Kustomization",
            "metadata": {"name": name},
            "spec": {key: value for key, value in whole.items() if value is not None},
        }
        self.kubectl("-n", NAMESPACE, "apply", "--server-side", "-f", "-", stdin=json.dumps(body))

    def get(self, name: str) -> Object | None:
        found = self.kubectl.run("-n", NAMESPACE, "get", "kustomization", name, "-o", "json")
        return json.loads(found.stdout) if found.returncode == 0 else None

    def reconcile(self, name: str) -> None:
        """As `flux reconcile` asks for it; returns once it was handled."""
        wanted = datetime.now(UTC).isoformat()
        key = "reconcile.fluxcd.io/requestedAt"
        self.kubectl("-n", NAMESPACE, "annotate", "--overwrite", "kustomization", name, f"{key}={wanted}")
        wait_until(
            f"reconciliation of {name}",
            lambda: ((self.get(name) or {}).get("status") or {}).get("lastHandledReconcileAt") == wanted,
            READY_TIMEOUT,
        )

    def wait(self, name: str, revision: str, *, status: str = "True", timeout: float = READY_TIMEOUT) -> Object:
        """Its Ready condition, once it is this for the revision."""

        def check() -> Object | None:
            found = (self.get(name) or {}).get("status") or {}
            ready: Object = next((one for one in found.get("conditions", []) if one["type"] == "Ready"), {})
            tried = found.get("lastAppliedRevision" if status == "True" else "lastAttemptedRevision")
            return ready if ready.get("status") == status and tried == revision else None

        return wait_until(f"Kustomization {name} {status} at {revision}", check, timeout, 0.2)

    def delete(self, name: str) -> None:
        """Returns before it is gone."""
        self.kubectl("-n", NAMESPACE, "delete", "kustomization", name, "--wait=false")


def _spawn(run_dir: Path, plane: ControlPlane, launcher: Launcher, metrics: int, health: int) -> None:
    argv: list[str | Path] = [
        paths.FLUX / "kustomize-controller",
        "--watch-all-namespaces",
        "--feature-gates=ExternalArtifact=true",
        "--requeue-dependency=2s",
        f"--metrics-addr=127.0.0.1:{metrics}",
        f"--health-addr=127.0.0.1:{health}",
        "--events-addr=",
    ]
    env = {"KUBECONFIG": str(plane.kubeconfig), "RUNTIME_NAMESPACE": NAMESPACE}
    process = launcher.spawn("kustomize-controller", argv, run_dir / "kustomize-controller.log", env=env)
    process.wait_ready(lambda: _is_ready(f"http://127.0.0.1:{health}/readyz"), READY_TIMEOUT)


def _is_ready(url: str) -> bool:
    try:
        return http.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False
