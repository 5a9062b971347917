"""A Deployment's pod as a process of this machine: nothing here runs containers.

What the Deployment says is taken as it is: arguments, environment and mounted files, with the files below a directory
of this pod's own and their paths in the environment changed to it. Secrets and ConfigMaps are laid out as the kubelet
does, behind a symbolic link that changes when they do.
"""

import base64
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.kube import Kube, Object
from harness.operator_process import OperatorProcess
from harness.process import Launcher

LOOPBACK = {"LENSES_OPERATOR_HTTP_HOST": "127.0.0.1", "LENSES_OPERATOR_HTTP_PORT": "0"}
"""The only settings that are not the Deployment's."""


class Pod:
    """One pod of a Deployment with one container; `kube` reads what it mounts."""

    def __init__(self, kube: Kube, deployment: Object, directory: Path) -> None:
        self._kube = kube
        self._namespace = str(deployment["metadata"]["namespace"])
        self._spec: Object = deployment["spec"]["template"]["spec"]
        (self._container,) = self._spec["containers"]
        self.directory = directory

    @property
    def service_account(self) -> str:
        """The one it runs as."""
        return str(self._spec["serviceAccountName"])

    def start(self, kubeconfig: Path, launcher: Launcher, env: Mapping[str, str]) -> OperatorProcess:
        """Mount what it mounts and start it, with `env` beside its own; not waited for."""
        self.refresh()
        env = {**env, **self.environment(), **LOOPBACK, "KUBECONFIG": str(kubeconfig)}
        return OperatorProcess.run(self.directory, self._container["args"], env, launcher=launcher, name="operator")

    def environment(self) -> dict[str, str]:
        """Of the container, with the paths of its mounts as they are here."""
        return {one["name"]: self._local(str(one["value"])) for one in self._container["env"]}

    def _local(self, value: str) -> str:
        for mount in self._container["volumeMounts"]:
            if value.startswith(f"{mount['mountPath']}/"):
                return str(self.directory / mount["name"]) + value.removeprefix(mount["mountPath"])
        return value

    def refresh(self) -> None:
        """Bring the mounted files up to date, as the kubelet does now and then."""
        for volume in self._spec["volumes"]:
            self._mount(self.directory / volume["name"], dict(self._files(volume)))

    def _files(self, volume: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
        kind, source = ("Secret", volume["secret"]) if "secret" in volume else ("ConfigMap", volume["configMap"])
        name = source.get("secretName") or source["name"]
        found = self._kube.get(kind, self._namespace, name)
        if found is None:
            raise LookupError(f"{kind} {name} of volume {volume['name']} does not exist: the pod would not start")
        for item in source["items"]:
            value = found["data"][item["key"]]
            yield item["path"], base64.b64decode(value) if kind == "Secret" else value.encode()

    @staticmethod
    def _mount(directory: Path, files: Mapping[str, bytes]) -> None:
        version = directory / f"..{uuid.uuid4().hex}"
        version.mkdir(parents=True)
        for name, content in files.items():
            (version / name).write_bytes(content)
            link = directory / name
            if not link.is_symlink():
                link.symlink_to(Path("..data") / name)
        new = directory / "..data_tmp"
        new.symlink_to(version.name)
        os.replace(new, directory / "..data")
