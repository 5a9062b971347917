"""A node at work. Its network is another one: this process enters it, with whatever it starts from then on."""

from __future__ import annotations

import ctypes
import fcntl
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

from harness import paths
from harness.ended import Ended
from harness.kube import Kube, is_condition
from harness.node import steps
from harness.process import Launcher, Process
from harness.waiting import wait_until

ADDRESS = "10.200.0.1"
READY_TIMEOUT = 180.0
LOCK_TIMEOUT = 600.0
TOKEN = "admintoken"
HOST_DIRECTORIES = ("/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/log/pods", "/var/log/containers")
CGROUPS = Path("/sys/fs/cgroup")


class Node(Ended):
    """One at a time on a machine, since its pods' cgroups have fixed names."""

    def __init__(self, run_dir: Path, process: Process, launcher: Launcher) -> None:
        self.run_dir = run_dir
        self.kubeconfig = run_dir / "cluster" / "admin.kubeconfig"
        self._process = process
        self._launcher = launcher
        self._outside = os.open("/proc/self/ns/net", os.O_RDONLY)

    @classmethod
    def start(cls, run_dir: Path) -> Self:
        """Returns once the node is ready, with this thread in its network."""
        run_dir.mkdir(parents=True, exist_ok=True)
        launcher = Launcher()
        env = {"WORK": str(run_dir), "NODE": ADDRESS, "CONTROL_PLANE": str(paths.CONTROL_PLANE)}
        env |= {"NODE_PARTS": str(steps.PROGRAM), "ARCHIVES": f"{steps.PAUSE} {steps.IMAGE}"}
        namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        argv = ["unshare", *namespaces, "bash", str(steps.HERE / "node.sh")]
        node = cls(run_dir, launcher.spawn("node", argv, run_dir / "node.log", env=env), launcher)
        try:
            node._enter()
            node._wait_ready()
        except BaseException:
            node.stop()
            raise
        return node

    def kube(self) -> Kube:
        """As the admin."""
        return Kube(f"https://{ADDRESS}:6443", TOKEN, self.run_dir / "cluster" / "certs" / "apiserver.crt")

    def log(self, name: str) -> str:
        """The end of what one of its parts has said."""
        path = self.run_dir / "log" / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def _enter(self) -> None:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")

        def inside() -> str:
            pids = children.read_text().split()
            own = os.readlink("/proc/self/ns/net")
            return pids[0] if pids and os.readlink(f"/proc/{pids[0]}/ns/net") != own else ""

        init = wait_until("the node's first process", inside, READY_TIMEOUT)
        descriptor = os.open(f"/proc/{init}/ns/net", os.O_RDONLY)
        try:
            _set_network(descriptor)
        finally:
            os.close(descriptor)

    def _wait_ready(self) -> None:
        def ready() -> bool:
            if not self.kubeconfig.exists():
                return False
            with self.kube() as kube:
                node = kube.get("Node", None, "node")
            return node is not None and bool(is_condition("Ready")(node))

        self._process.wait_ready(ready, READY_TIMEOUT)

    def stop(self) -> None:
        """Its first process ends, and with it everything else; the cgroups it leaves are removed."""
        _set_network(self._outside)
        os.close(self._outside)
        self._launcher.close()
        for folder in [*CGROUPS.glob("kubepods"), *CGROUPS.glob("*/kubepods"), *CGROUPS.glob("*/k8s.io")]:
            find = ["find", str(folder), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]
            subprocess.run(find, capture_output=True, check=False)
        for directory in HOST_DIRECTORIES:
            with suppress(OSError):
                Path(directory).rmdir()

    _end = stop


class OnlyNode:
    """Waits until no other test runs a node on this machine."""

    def __enter__(self) -> None:
        """Use it with `with`."""
        self._file = (steps.DIRECTORY / "running").open("w")

        def locked() -> bool:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        wait_until("the end of another node", locked, LOCK_TIMEOUT, 1.0)

    def __exit__(self, *_: object) -> None:
        """The next one may."""
        self._file.close()


def _set_network(descriptor: int) -> None:
    """Of this thread, and of threads and processes that it starts from now on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


CLONE_NEWNET = 0x40000000
