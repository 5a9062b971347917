"""A release on the node: the chart as it is, with namespaces and a Lenses environment of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from harness import paths
from harness.helm import Helm
from harness.kube import Kube, Object
from harness.kubectl import Kubectl
from harness.lenses.operations import CHANGING
from harness.lenses.running import RunningLenses
from harness.node.running import Node
from harness.operator_fixtures import Place
from harness.waiting import wait_until

NAME = "lenses-operator"
CONTAINER = "operator"
GIVE_UP = 240.0
"""Seconds; generous: it says when to give up, never how fast something is."""
CGROUPS = Path("/sys/fs/cgroup")
FIGURES: list[str] = []
"""What was measured, shown after the tests."""


@dataclass
class Release:
    """Not installed yet. Several work at the same time, each on its own namespace."""

    node: Node
    kube: Kube
    lenses: RunningLenses
    name: str
    run_dir: Path
    kubectl: Kubectl = field(init=False)
    helm: Helm = field(init=False)
    place: Place = field(init=False)

    def __post_init__(self) -> None:
        self.kubectl = Kubectl(self.node.kubeconfig)
        self.helm = Helm(self.run_dir / "helm", self.node.kubeconfig)
        self.lenses.control.add_environment(self.name, {"connect": {"backend": "memory"}})
        for namespace in (self.system, self.name):
            self.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        token = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "lenses-token"}}
        self.kube.apply({**token, "stringData": {"token": self.lenses.token}}, self.system)
        self.place = Place(self.kube, self.lenses.control, self.name, self.name, {})

    @property
    def system(self) -> str:
        return f"{self.name}-system"

    def install(self, values: Mapping[str, Any] | None = None, *options: str) -> None:
        """Installs or upgrades it, without waiting. Drift is looked for every few seconds."""
        own: dict[str, Any] = {"lenses": {"url": self.lenses.url}, "watch": {"namespaces": [self.name]}}
        own |= {"crds": {"enabled": False}, "pollInterval": 1, "driftInterval": 5, "log": {"format": "text"}}
        self.helm.install(self.system, {**own, **(values or {})}, *options)

    def pods(self) -> list[Object]:
        return self.kube.list("Pod", self.system)

    def evict(self, pod: str) -> None:
        """By the Eviction API, as whoever drains a node does."""
        metadata = {"name": pod, "namespace": self.system}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        answer = self.kube.raw("POST", f"/api/v1/namespaces/{self.system}/pods/{pod}/eviction", body)
        assert answer.status_code == 201, answer.text

    def wait_ready(self, count: int = 1, *, other_than: str = "") -> list[str]:
        """The names of so many pods that are ready and not on their way out."""

        def ready() -> list[str]:
            found = [
                pod["metadata"]["name"]
                for pod in self.pods()
                if "deletionTimestamp" not in pod["metadata"]
                and any(
                    one["type"] == "Ready" and one["status"] == "True"
                    for one in pod.get("status", {}).get("conditions", [])
                )
            ]
            found = [name for name in found if name != other_than]
            return found if len(found) == count else []

        return wait_until(f"{count} pods of {self.name}", ready, GIVE_UP, 0.2)

    def lease(self) -> dict[str, Any]:
        found = self.kube.get("Lease", self.system, NAME)
        return dict((found or {}).get("spec") or {})

    def leader(self) -> str:
        """The name of the pod that holds the Lease; empty where none does."""
        return str(self.lease().get("holderIdentity") or "").partition("_")[0]

    def wait_leader(self, *, other_than: str = "") -> str:
        def other() -> str:
            found = self.leader()
            return found if found != other_than else ""

        return wait_until(f"a leader of {self.name}", other, GIVE_UP, 0.2)

    def wait_renewed_for(self, seconds: float, holder: str) -> None:
        """This pod still holds the Lease, and has renewed it, so long after now."""
        begin = self.lease()["renewTime"]

        def renewed() -> bool:
            assert self.leader() == holder, f"{self.name}: the Lease passed on"
            return _seconds(self.lease()["renewTime"]) - _seconds(begin) > seconds

        wait_until(f"renewals of {self.name}", renewed, seconds + GIVE_UP, 0.2)

    def container(self, pod: str) -> dict[str, Any]:
        """Its status."""
        found = self.kube.get("Pod", self.system, pod)
        assert found is not None
        return dict(found["status"]["containerStatuses"][0])

    def wait_gone(self, pod: str) -> None:
        wait_until(f"end of {pod}", lambda: self.kube.get("Pod", self.system, pod) is None, GIVE_UP, 0.2)

    def changes(self) -> list[str]:
        """What has been done in Lenses, in order; a DELETE of what is gone does nothing."""
        return [one["operation"] for one in self.place.requests(*CHANGING) if one["status"] in (200, 201, 204)]

    @contextmanager
    def following(self, pod: str) -> Iterator[Path]:
        """What the pod says, in a file, to its end."""
        path = self.run_dir / f"{pod}.log"
        with path.open("wb") as output:
            words = ["--kubeconfig", str(self.node.kubeconfig), "logs", "-f", pod, "-n", self.system]
            process = subprocess.Popen([paths.KUBECTL, *words], stdout=output, stderr=subprocess.STDOUT)
        try:
            yield path
            with suppress(subprocess.TimeoutExpired):
                process.wait(GIVE_UP)
        finally:
            process.kill()
            process.wait()

    def exec(self, pod: str, *words: str) -> tuple[int, str]:
        """Exit code and output of a command in the pod's container."""
        done = self.kubectl.run("exec", "-n", self.system, pod, "-c", CONTAINER, "--", *words, timeout=GIVE_UP)
        return done.returncode, done.stdout + done.stderr

    def processes(self, pod: str) -> list[int]:
        """Of the operator's container, as this machine numbers them."""
        return [int(pid) for pid in (self._cgroup(pod, "memory") / "cgroup.procs").read_text().split()]

    def anonymous(self, pod: str, without: int) -> float:
        """MiB of the container's processes but for one, as far as nobody else shares them; of one that has ended, 0."""
        total = 0
        try:
            processes = self.processes(pod)
        except (OSError, StopIteration):
            return 0.0
        for pid in processes:
            with suppress(OSError, StopIteration):  # it may have ended by now
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                if pid != without:
                    total += next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
        return total / 1024

    def memory(self, pod: str) -> float:
        """MiB of the container that nothing but the container can give back."""
        stat = dict(line.split() for line in (self._cgroup(pod, "memory") / "memory.stat").read_text().splitlines())
        return int(stat.get("rss") or stat["anon"]) / 2**20

    def cpu(self, pod: str) -> float:
        """Seconds of CPU that the container has used."""
        folder = self._cgroup(pod, "cpuacct")
        if (folder / "cpuacct.usage").exists():
            return int((folder / "cpuacct.usage").read_text()) / 1e9
        stat = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
        return int(stat["usage_usec"]) / 1e6

    def _cgroup(self, pod: str, controller: str) -> Path:
        found = self.kube.get("Pod", self.system, pod)
        assert found is not None
        container = self.container(pod)["containerID"].rpartition("/")[2]
        root = CGROUPS / controller if (CGROUPS / controller).is_dir() else CGROUPS
        return next(root.glob(f"kubepods/**/pod{found['metadata']['uid']}/{container}"))

    def __str__(self) -> str:
        """What was asked of Lenses, and the end of what its pods have said, for a test that failed."""
        logs = [
            f"{one['monotonic']:.1f} to {one['finished'] or 0:.1f}: "
            f"{one['operation']} {one['status']} {one['request_id']}"
            for one in self.place.requests()
            if one["operation"] != "ListConnectors"
        ]
        logs += [
            self.kubectl.run("logs", "-n", self.system, f"{pod['metadata']['name']}").stdout for pod in self.pods()
        ]
        return "\n".join(log[-6000:] for log in logs)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
