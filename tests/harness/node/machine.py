"""What a machine must have to run a node, told in plain words where it lacks it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("buildah", "runc", "containerd", "containernetworking-plugins", "mmdebstrap", "iptables", "conntrack")
"""Debian's, and a program of each; the CNI plugins are in /usr/lib/cni."""
PROGRAMS = ("buildah", "runc", "containerd", "ctr", "mmdebstrap", "iptables", "conntrack")
OTHERS = ("go", "gcc", "openssl", "curl", "unshare", "nsenter")
BRIDGE = Path("/usr/lib/cni/bridge")
PYTHON = (3, 11)
"""The image's, which is made of this one."""
INSTALL_TIMEOUT = 300.0


def lacking() -> str:
    """Why no node can run here; empty where it can, once `install` has brought the packages."""
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root, for namespaces, mounts and cgroups"
    if sys.version_info[:2] != PYTHON:
        return f"needs Python {PYTHON[0]}.{PYTHON[1]}, which it puts into the image"
    missing = [name for name in OTHERS if shutil.which(name) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    trial = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--mount-proc"]
    network = "ip link add name try0 type veth peer name try1 && ip link add name try2 type bridge"
    script = ["sh", "-c", f"mount -t tmpfs none /mnt && {network}"]
    done = subprocess.run([*trial, *script], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"needs the right to make namespaces with mounts and a network of their own: {done.stderr.strip()}"
    if not (Path("/sys/fs/cgroup/memory").is_dir() or Path("/sys/fs/cgroup/cgroup.controllers").exists()):
        return "needs cgroups"
    if (missing := _not_installed()) and shutil.which("apt-get") is None:
        return f"needs {', '.join(missing)}, and there is no apt-get to install them with"
    return ""


def _not_installed() -> list[str]:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    return missing if BRIDGE.exists() else [*missing, str(BRIDGE)]


def install() -> str:
    """Debian's packages where they are missing; why they are not to be had, empty where all is there."""
    if not _not_installed():
        return ""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        try:
            done = subprocess.run(
                ["apt-get", "-qq", *words],
                capture_output=True,
                text=True,
                env=env,
                timeout=INSTALL_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"apt-get {words[0]} took more than {INSTALL_TIMEOUT:.0f} s"
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no word why"])[-1]
            return f"needs Debian's packages {', '.join(PACKAGES)}, and apt-get {words[0]} says: {last}"
    missing = _not_installed()
    return f"needs {', '.join(missing)}" if missing else ""
