"""The parts of the background environment: how each is started, and how to see that it still works."""

import json
import secrets
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import httpx

from harness import build, controlplane, http, kafka, paths
from harness.kubectl import Kubectl
from harness.ports import is_free, on_free_ports
from harness.process import Launcher
from harness.waiting import wait_until

LENSES_TIMEOUT = 90.0
SERVED_TIMEOUT = 60.0
ENVIRONMENT, CLUSTER = "demo", "connect"

Values = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What the user may choose: ports instead of free ones, an existing cluster instead of an own one."""

    kubeconfig: Path | None = None
    plugins: bool = False
    """Whether Kafka Connect has Debezium's connectors, too."""
    ports: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where and with what a part is started: its own values of before, those of the parts it needs."""

    run_dir: Path
    launcher: Launcher
    previous: Values
    others: Values


class Part(ABC):
    """One part; `values` are what it wrote down for others when it became ready."""

    name: ClassVar[str]
    title: ClassVar[str]
    builds: tuple[str, ...] = ()
    # Started by each `up`, whether or not anything else has to be.
    each_time: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self.options = options

    @abstractmethod
    def start(self, place: Place) -> Values:
        """Start it, where it was before if it ran before, and return its values once it is ready."""

    @abstractmethod
    def works(self, values: Values) -> bool:
        """Whether it does its work, given that its processes run."""

    def port(self, previous: Values, key: str = "port") -> int | None:
        """The port it is to have: the chosen one, or the one it had, so that addresses handed out stay right."""
        if self.name in self.options.ports and key == "port":
            chosen = self.options.ports[self.name]
            if not is_free(chosen):
                raise OSError(f"port {chosen}, chosen for {self.title}, is taken already")
            return chosen
        port: int | None = previous.get(key)
        return port if port is not None and is_free(port) else None


class Kubernetes(Part):
    """A control plane of our own, or the cluster of a kubeconfig."""

    name, title = "kubernetes", "Kubernetes"

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.builds = () if options.kubeconfig else ("controlplane",)

    def start(self, place: Place) -> Values:
        """Start the control plane unless there is a cluster to use."""
        if self.options.kubeconfig:
            Kubectl(self.options.kubeconfig)("get", "--raw", "/readyz")
            return {"KUBECONFIG": str(self.options.kubeconfig)}
        plane = controlplane.ControlPlane.start(place.run_dir, port=self.port(place.previous), launcher=place.launcher)
        return {"KUBECONFIG": str(plane.kubeconfig), "port": plane.port, "url": plane.url, "token": plane.token}

    def works(self, values: Values) -> bool:
        """Ready, and the cluster that is asked for now."""
        if self.options.kubeconfig:
            same = values["KUBECONFIG"] == str(self.options.kubeconfig)
            return same and Kubectl(self.options.kubeconfig).run("get", "--raw", "/readyz").returncode == 0
        if "url" not in values:
            return False
        return controlplane.is_ready(values["url"], values["token"]) and controlplane.has_controllers(
            values["url"], values["token"]
        )


class Definitions(Part):
    """The kinds of the operator, which may have changed since the last time."""

    name, title, each_time = "definitions", "custom resource definitions", True

    def start(self, place: Place) -> Values:
        """Apply them and wait until the API server takes them."""
        if not list(paths.CRDS.glob("*.yaml")):
            return {"applied": 0}
        kubectl = Kubectl(Path(place.others["KUBECONFIG"]))
        applied = kubectl("apply", "--server-side", "--force-conflicts", "-f", str(paths.CRDS), "-o", "name").split()
        wait_served(kubectl, ",".join(name.partition("/")[2] for name in applied), place.launcher)
        return {"applied": len(applied)}

    def works(self, values: Values) -> bool:
        """Whether they were applied, of which the API server keeps hold."""
        return bool(values)


class Broker(Part):
    """The Kafka broker."""

    name, title, builds = "kafka", "Kafka broker", ("kafka",)

    def start(self, place: Place) -> Values:
        """Start it on the data it had."""
        own, clients = self.port(place.previous, "controller_port"), self.port(place.previous)
        broker = on_free_ports(
            2,
            lambda free: kafka.Broker.start(
                place.run_dir, ports=(clients or free[0], own or free[1]), launcher=place.launcher
            ),
        )
        return {"KAFKA_BOOTSTRAP": broker.bootstrap, "port": broker.port, "controller_port": broker.controller_port}

    def works(self, values: Values) -> bool:
        """Takes connections."""
        try:
            socket.create_connection(("127.0.0.1", values["port"]), timeout=5).close()
        except OSError:
            return False
        return True


class Connect(Part):
    """The Kafka Connect cluster of one worker."""

    name, title = "connect", "Kafka Connect"

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.builds = ("kafka", *(build.PLUGINS if options.plugins else ()))

    def start(self, place: Place) -> Values:
        """Start it on the broker."""
        worker = kafka.ConnectWorker.start(
            place.run_dir,
            place.others["KAFKA_BOOTSTRAP"],
            name=CLUSTER,
            port=self.port(place.previous),
            launcher=place.launcher,
            plugins=paths.PLUGINS if self.options.plugins else None,
        )
        return {"CONNECT_URL": worker.url, "port": worker.port}

    def works(self, values: Values) -> bool:
        """Answers about connectors."""
        return kafka.is_ready(values["CONNECT_URL"])


class Lenses(Part):
    """The Lenses API server for tests, in front of Kafka Connect."""

    name, title = "lenses", "Lenses API server for tests"

    def start(self, place: Place) -> Values:
        """Start it with the token it had."""
        token = place.previous.get("LENSES_TOKEN") or secrets.token_urlsafe(24)
        run_dir = place.run_dir
        run_dir.mkdir(parents=True, exist_ok=True)
        clusters = {CLUSTER: {"backend": "connect", "url": place.others["CONNECT_URL"]}}
        config = {
            "environments": {ENVIRONMENT: {"clusters": clusters}},
            "tokens": {token: {"environments": ["*"]}},
        }
        (run_dir / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        state = run_dir / "state.json"
        state.unlink(missing_ok=True)
        argv: list[str | Path] = [
            sys.executable,
            "-m",
            "harness.lenses",
            "--config",
            run_dir / "config.json",
            "--state-file",
            state,
        ]
        argv += ["--port", str(self.port(place.previous) or 0)]
        process = place.launcher.spawn(
            self.title, argv, run_dir / "lenses.log", env={"PYTHONPATH": str(paths.HARNESS.parent)}
        )
        process.wait_ready(state.exists, LENSES_TIMEOUT)
        addresses = json.loads(state.read_text())
        return {
            "LENSES_URL": addresses["url"],
            "LENSES_TOKEN": token,
            "LENSES_CONTROL_URL": addresses["control_url"],
            "port": httpx.URL(addresses["url"]).port,
        }

    def works(self, values: Values) -> bool:
        """Knows its environment."""
        url = f"{values['LENSES_URL']}/api/v1/environments/{ENVIRONMENT}"
        headers = {"Authorization": f"Bearer {values['LENSES_TOKEN']}"}
        try:
            return http.get(url, headers=headers, timeout=5).is_success
        except httpx.HTTPError:
            return False


def chains(options: Options) -> tuple[tuple[Part, ...], ...]:
    """Parts that need each other follow each other; the chains do not need each other."""
    return (
        (Kubernetes(options), Definitions(options)),
        (Broker(options), Connect(options), Lenses(options)),
    )


def wait_served(kubectl: Kubectl, kinds: str, launcher: Launcher) -> None:
    """Until the API server answers about them, which is a moment after their definitions are Established.

    Raises RuntimeError as soon as `launcher` is closed: the API server may be among what it has ended.
    """

    def served() -> bool:
        if launcher.closed:
            raise RuntimeError(f"{kinds} are not waited for any more: everything is being stopped")
        return not kubectl.run("get", kinds, "-A").returncode

    wait_until(f"{kinds} to be served", served, SERVED_TIMEOUT)
