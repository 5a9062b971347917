"""The real Argo CD, as processes beside a control plane: application controller, repo server, API server and redis.

Its application controller serves metrics on every interface, for which it has no flag.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from harness import http, paths
from harness.controlplane import ControlPlane
from harness.git import Repository
from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.ports import on_free_ports
from harness.process import Launcher

PRODUCT = paths.ROOT / "gitops" / "argocd" / "argocd-cm.yaml"
NAMESPACE = "argocd"
READY_TIMEOUT = 120.0
PORTS = ("redis", "repo", "repo-metrics", "server", "server-metrics", "controller-metrics")


@dataclass(frozen=True)
class ArgoCD:
    """Running, with the health checks and actions of gitops/argocd; `repository` is where Applications come from."""

    kubectl: Kubectl
    repository: Repository
    server: str

    @classmethod
    def start(cls, run_dir: Path, plane: ControlPlane, kube: Kube, launcher: Launcher) -> ArgoCD:
        kubectl = Kubectl(plane.kubeconfig)
        _configure(kube, kubectl)
        ports = on_free_ports(len(PORTS), lambda free: dict(zip(PORTS, free, strict=True)))
        _Processes(run_dir, plane, launcher, ports).start()
        return cls(kubectl, Repository(run_dir / "repository"), f"http://127.0.0.1:{ports['server']}")

    def call(self, method: str, path: str, *, body: Any = None, **params: str) -> Any:
        """Its API, as its command line and its pages use it."""
        answer = http.request(method, f"{self.server}/api/v1/{path}", json=body, params=params, timeout=60)
        answer.raise_for_status()
        return answer.json()


def _configure(kube: Kube, kubectl: Kubectl) -> None:
    """Its definitions and its own defaults, then the product's keys."""
    for file in sorted((paths.ARGOCD / "crds").glob("*-crd.yaml")):
        kube.install_crds(file)
    kubectl("create", "namespace", NAMESPACE)
    kubectl("-n", NAMESPACE, "apply", "-k", str(paths.ARGOCD / "config"))
    kubectl("-n", NAMESPACE, "patch", "configmap", "argocd-cm", "--patch-file", str(PRODUCT))
    key = '{"stringData": {"server.secretkey": "for-tests-on-loopback"}}'
    kubectl("-n", NAMESPACE, "patch", "secret", "argocd-secret", "--type=merge", "-p", key)


class _Processes:
    """They take the kubeconfig's cluster for the one they run in, and its namespace for theirs."""

    def __init__(self, run_dir: Path, plane: ControlPlane, launcher: Launcher, ports: dict[str, int]) -> None:
        self._run_dir, self._launcher, self._ports = run_dir, launcher, ports
        home = run_dir / "argocd"
        folders = {name: home / name for name in ("home", "tmp", "tls", "ssh", "plugins")}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        (folders["ssh"] / "ssh_known_hosts").touch()
        config = yaml.safe_load(plane.kubeconfig.read_text())
        config["contexts"][0]["context"]["namespace"] = NAMESPACE
        (home / "kubeconfig").write_text(yaml.safe_dump(config))
        self._env = {
            "KUBECONFIG": str(home / "kubeconfig"),
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_TLS_DATA_PATH": str(folders["tls"]),
            "ARGOCD_SSH_DATA_PATH": str(folders["ssh"]),
            "ARGOCD_PLUGINSOCKFILEPATH": str(folders["plugins"]),
            "ARGOCD_ASK_PASS_SOCK": str(home / "askpass.sock"),
            "ARGOCD_RECONCILIATION_TIMEOUT": "120s",
            "PATH": f"{paths.ARGOCD / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folders["home"]),
            "HOSTNAME": "argocd-0",
            "TMPDIR": str(folders["tmp"]),
        }

    def start(self) -> None:
        port = {name: str(number) for name, number in self._ports.items()}
        redis = f"127.0.0.1:{port['redis']}"
        to_redis = ("--redis", redis, "--logformat", "text")
        to_repo = ("--repo-server", f"127.0.0.1:{port['repo']}", "--repo-server-plaintext", *to_redis)
        here = ("--address", "127.0.0.1")
        self._spawn("redis", redis)
        self._spawn(
            *("repo-server", *here, "--port", port["repo"], "--disable-tls", "--client-ca-path=", *to_redis),
            *("--metrics-address", "127.0.0.1", "--metrics-port", port["repo-metrics"]),
            ready="repo-metrics",
        )
        self._spawn(
            *("server", *here, "--port", port["server"], "--insecure", "--disable-auth", *to_repo),
            *("--metrics-address", "127.0.0.1", "--metrics-port", port["server-metrics"]),
            ready="server",
            path="healthz",
        )
        self._spawn(
            *("application-controller", "--metrics-port", port["controller-metrics"], *to_repo),
            *("--persist-resource-health", "--self-heal-timeout-seconds", "1"),
            ready="controller-metrics",
        )

    def _spawn(self, name: str, *arguments: str, ready: str = "", path: str = "metrics") -> None:
        argv: list[str | Path] = [paths.ARGOCD / "argocd", name, *arguments]
        process = self._launcher.spawn(f"argocd {name}", argv, self._run_dir / f"argocd-{name}.log", env=self._env)
        if ready:
            url = f"http://127.0.0.1:{self._ports[ready]}/{path}"
            process.wait_ready(lambda: _answers(url), READY_TIMEOUT)


def _answers(url: str) -> bool:
    try:
        return http.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False
