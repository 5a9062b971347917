"""A real Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager, nothing that runs containers."""

import base64
import os
import signal
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from harness import paths
from harness.ended import Ended
from harness.ports import on_free_ports
from harness.process import Launcher, Process

READY_TIMEOUT = 120.0
CONTROLLERS = "namespace,garbagecollector,serviceaccount,serviceaccount-token,clusterrole-aggregation"

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: local, cluster: {{server: "{url}", certificate-authority-data: "{ca}"}}}}]
users: [{{name: user, user: {{token: {token}}}}}]
contexts: [{{name: local, context: {{cluster: local, user: user}}}}]
current-context: local
"""


@dataclass(frozen=True)
class User:
    """Someone the API server knows by a bearer token."""

    token: str
    name: str
    groups: tuple[str, ...] = ()

    @property
    def row(self) -> str:
        """The line of the token file."""
        return f'{self.token},{self.name},{self.name},"{",".join(self.groups)}"'


ADMIN = User("admintoken", "admin", ("system:masters",))
# Has no rights until a test binds a role to it, as the chart does for the operator.
OPERATOR = User(
    "operatortoken",
    "system:serviceaccount:lenses-system:lenses-operator",
    ("system:serviceaccounts", "system:serviceaccounts:lenses-system"),
)
# Has no rights either: stands for a person who gets one of the chart's aggregated roles.
PERSON = User("persontoken", "person", ("team",))
USERS = (ADMIN, OPERATOR, PERSON)


@dataclass(frozen=True)
class Extras:
    """What few tests need: more flags of the API server, and a known port of etcd (0: any)."""

    flags: Sequence[str] = ()
    etcd_port: int = 0


class ControlPlane(Ended):
    """A running control plane; everything listens on loopback only."""

    def __init__(self, run_dir: Path, port: int, api_server: Process, launcher: Launcher, extras: Extras) -> None:
        self.run_dir, self.port, self._extras = run_dir, port, extras
        self.url = f"https://127.0.0.1:{port}"
        self.token = ADMIN.token
        self.kubeconfig = run_dir / "kubeconfig"
        self.processes = [api_server]
        self._launcher = launcher

    @classmethod
    def start(
        cls,
        run_dir: Path,
        *,
        port: int | None = None,
        launcher: Launcher | None = None,
        extras: Extras | None = None,
    ) -> Self:
        """Start it in `run_dir`, where an earlier one's data is taken over; returns when it is ready to be used."""
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / "tokens.csv").write_text("".join(f"{user.row}\n" for user in USERS))
        if port is not None:
            return cls._start(run_dir, port, launcher or Launcher(), extras or Extras())
        return on_free_ports(1, lambda ports: cls._start(run_dir, ports[0], launcher or Launcher(), extras or Extras()))

    @classmethod
    def _start(cls, run_dir: Path, port: int, launcher: Launcher, extras: Extras) -> Self:
        plane = cls(run_dir, port, _spawn_api_server(run_dir, port, launcher, extras), launcher, extras)
        try:
            plane._wait_serving()
            plane.kubeconfig.write_text(plane._kubeconfig(plane.token))
            controllers = _spawn_controllers(run_dir, plane.kubeconfig, launcher)
            plane.processes.append(controllers)
            controllers.wait_ready(lambda: has_controllers(plane.url, plane.token), READY_TIMEOUT)
        except BaseException:
            plane.stop()
            raise
        return plane

    def _wait_serving(self) -> None:
        # Its own word first: another API server may answer where this one cannot listen.
        self.processes[0].wait_ready(lambda: self.processes[0].has_logged("Serving securely"), READY_TIMEOUT)
        self.processes[0].wait_ready(lambda: is_ready(self.url, self.token), READY_TIMEOUT)

    def end_api_server(self, *, at_once: bool = True, timeout: float = 3.0) -> None:
        """API server and etcd end, by SIGKILL, at once or as the kubelet does it; the controllers wait for them."""
        if not at_once:
            os.kill(self.processes[0].pid, signal.SIGTERM)
            with suppress(TimeoutError):  # it may wait a minute for watches that nobody ends
                self.processes[0].wait_for(timeout)
        self.processes[0].stop()

    def start_api_server(self) -> None:
        """Again, on the same data and port; returns when it is ready."""
        self.processes[0] = _spawn_api_server(self.run_dir, self.port, self._launcher, self._extras)
        self._wait_serving()

    @property
    def ca(self) -> Path:
        """The certificates to trust, made by the API server for itself."""
        return self.run_dir / "certs" / "apiserver.crt"

    def kubeconfig_for(self, user: User) -> Path:
        """A kubeconfig of another user than the admin."""
        return self.kubeconfig_with(user.token, self.run_dir / f"kubeconfig-{user.token}")

    def kubeconfig_with(self, token: str, path: Path) -> Path:
        """A kubeconfig with any token, such as a service account's."""
        path.write_text(self._kubeconfig(token))
        return path

    def kubeconfig_through(self, port: int, user: User = ADMIN) -> Path:
        """A kubeconfig with another port on loopback: a proxy's."""
        path = self.run_dir / f"kubeconfig-{port}"
        path.write_text(self._kubeconfig(user.token, f"https://127.0.0.1:{port}"))
        return path

    def _kubeconfig(self, token: str, url: str = "") -> str:
        return KUBECONFIG.format(url=url or self.url, ca=base64.b64encode(self.ca.read_bytes()).decode(), token=token)

    def stop(self) -> None:
        """End it at once."""
        for process in reversed(self.processes):
            process.stop()

    _end = stop


def _spawn_api_server(run_dir: Path, port: int, launcher: Launcher, extras: Extras) -> Process:
    key = run_dir / "certs" / "sa.key"
    key.parent.mkdir(exist_ok=True)
    flags = [
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={key.parent}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={key}",
        f"--service-account-key-file={key}",
        f"--token-auth-file={run_dir / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        # From 1.37 on no address on loopback may be an endpoint of the Service `kubernetes`.
        *([] if paths.API_SERVER == paths.CONTROL_PLANE else ["--endpoint-reconciler-type=none"]),
        *extras.flags,
    ]
    argv: list[str | Path] = [paths.API_SERVER, "kube-apiserver", *flags]
    env = {"RUN_DIR": str(run_dir)} | ({"ETCD_CLIENT_PORT": str(extras.etcd_port)} if extras.etcd_port else {})
    return launcher.spawn("kube-apiserver", argv, run_dir / "kube-apiserver.log", env=env)


def _spawn_controllers(run_dir: Path, kubeconfig: Path, launcher: Launcher) -> Process:
    flags = [
        f"--kubeconfig={kubeconfig}",
        f"--controllers={CONTROLLERS}",
        "--leader-elect=false",
        f"--service-account-private-key-file={run_dir / 'certs' / 'sa.key'}",
        "--use-service-account-credentials=false",
        "--secure-port=0",
    ]
    argv: list[str | Path] = [paths.CONTROL_PLANE, "kube-controller-manager", *flags]
    return launcher.spawn("kube-controller-manager", argv, run_dir / "kube-controller-manager.log")


def is_ready(url: str, token: str) -> bool:
    """Whether the API server says that it is ready."""
    return _status(url, token, "/readyz") == 200


def has_controllers(url: str, token: str) -> bool:
    """Whether the controllers work: they made the service account every namespace gets."""
    return _status(url, token, "/api/v1/namespaces/default/serviceaccounts/default") == 200


def _status(url: str, token: str, path: str) -> int:
    try:
        # The API server makes its certificate only now, so there is nothing to check it against yet.
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(url + path, headers=headers, verify=_UNVERIFIED, trust_env=False, timeout=5).status_code
    except httpx.HTTPError:
        return 0


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


# Made once: it takes longer than the request.
_UNVERIFIED = _unverified()
