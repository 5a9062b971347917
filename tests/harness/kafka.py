"""A real Kafka broker, real Kafka Connect workers, and the few administrative things tests need of them."""

import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import httpx

from harness import http, paths
from harness.ended import Ended
from harness.ports import on_free_ports
from harness.process import Launcher, Process

BROKER_TIMEOUT = 120.0
CONNECT_TIMEOUT = 120.0
TOOL_TIMEOUT = 60.0

SOURCE = paths.HARNESS / "kafka"
# Quick to start on few cores rather than quick in the long run.
JAVA = ("java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
# Characters no record has, to tell apart what the console consumer prints.
SEPARATOR, NULL = "\x1f", "\x1e"


def java(main: str, *arguments: str | Path, log_level: str = "info", libs: Path = paths.KAFKA_LIBS) -> list[str | Path]:
    """The command that runs a main class of the Kafka distribution."""
    logging = (f"-Dlog4j2.configurationFile={SOURCE / 'log4j2.properties'}", f"-Dlog.level={log_level}")
    return [*JAVA, *logging, "-cp", f"{libs}/*", main, *arguments]


def write_properties(path: Path, base: str, values: Mapping[str, object]) -> None:
    """The base file of that name with more values behind it."""
    lines = [f"{key}={value}\n" for key, value in values.items()]
    path.write_text((SOURCE / base).read_text() + "".join(lines))


class Server(Ended):
    """What a broker and a worker have in common: one process that is stopped at the end."""

    def __init__(self, run_dir: Path, process: Process) -> None:
        self.run_dir, self.process = run_dir, process

    @property
    def processes(self) -> list[Process]:
        """What runs for it."""
        return [self.process]

    def stop(self) -> None:
        """End it at once."""
        self.process.stop()

    _end = stop


class Broker(Server):
    """A Kafka cluster of one node."""

    def __init__(self, run_dir: Path, process: Process, ports: Sequence[int]) -> None:
        super().__init__(run_dir, process)
        self.port, self.controller_port = ports
        self.bootstrap = f"127.0.0.1:{self.port}"

    @classmethod
    def start(cls, run_dir: Path, *, ports: tuple[int, int] | None = None, launcher: Launcher | None = None) -> Self:
        """Start it in `run_dir`, where an earlier one's data is taken over; `ports` are the clients' and its own."""
        launcher = launcher or Launcher()
        if ports:
            return cls._start(run_dir, ports, launcher)
        return on_free_ports(2, lambda free: cls._start(run_dir, free, launcher))

    @classmethod
    def _start(cls, run_dir: Path, ports: Sequence[int], launcher: Launcher) -> Self:
        run_dir.mkdir(parents=True, exist_ok=True)
        config = run_dir / "server.properties"
        _write_broker_config(config, run_dir / "data", ports)
        _format_storage(run_dir, config, launcher)
        process = launcher.spawn("Kafka broker", java("kafka.Kafka", config), run_dir / "broker.log")
        broker = cls(run_dir, process, ports)
        try:
            process.wait_ready(
                lambda: "Kafka Server started" in process.log.read_text(errors="replace"), BROKER_TIMEOUT
            )
        except BaseException:
            process.stop()
            raise
        return broker


def _write_broker_config(config: Path, data: Path, ports: Sequence[int]) -> None:
    clients, controller = ports
    values = {
        "listeners": f"PLAINTEXT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{clients}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": data,
    }
    write_properties(config, "server.properties", values)


def _format_storage(run_dir: Path, config: Path, launcher: Launcher) -> None:
    """Give the data directory its cluster id; one that has one is kept."""
    data = run_dir / "data"
    if (data / "meta.properties").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    cluster = uuid.uuid4().hex[:22]
    argv = java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", config)
    launcher.run("format of Kafka's storage", argv, run_dir / "format.log", TOOL_TIMEOUT)


class ConnectWorker(Server):
    """A Kafka Connect cluster of one worker; several of them share a broker under different names."""

    def __init__(self, run_dir: Path, process: Process, name: str, port: int) -> None:
        super().__init__(run_dir, process)
        self.name, self.port = name, port
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    def start(
        cls,
        run_dir: Path,
        bootstrap: str,
        *,
        name: str = "connect",
        port: int | None = None,
        launcher: Launcher | None = None,
        version: str | None = None,
        plugins: Path | None = None,
    ) -> Self:
        """Start it; returns when it answers requests about connectors.

        `version`: another one than the broker's, which `build.CONNECTS` has. `plugins`: its plugin.path.
        """
        launcher = launcher or Launcher()
        libs = paths.KAFKA_LIBS if version is None else paths.connect_libs(version)
        more = {} if plugins is None else {"plugin.path": plugins}
        start = partial(cls._start, run_dir, bootstrap, name, launcher, libs, more)
        return on_free_ports(1, lambda ports: start(ports[0])) if port is None else start(port)

    @classmethod
    def _start(
        cls,
        run_dir: Path,
        bootstrap: str,
        name: str,
        launcher: Launcher,
        libs: Path,
        more: Mapping[str, object],
        port: int,
    ) -> Self:
        run_dir.mkdir(parents=True, exist_ok=True)
        config = run_dir / f"{name}.properties"
        _write_worker_config(config, bootstrap, name, port, more)
        argv = java("org.apache.kafka.connect.cli.ConnectDistributed", config, libs=libs)
        process = launcher.spawn(f"Kafka Connect worker {name}", argv, run_dir / f"{name}.log")
        worker = cls(run_dir, process, name, port)
        try:
            # Its own word first: another worker may answer where this one cannot listen.
            process.wait_ready(lambda: process.has_logged("Kafka Connect started"), CONNECT_TIMEOUT)
            process.wait_ready(lambda: is_ready(worker.url), CONNECT_TIMEOUT)
        except BaseException:
            process.stop()
            raise
        return worker


def _write_worker_config(config: Path, bootstrap: str, name: str, port: int, more: Mapping[str, object]) -> None:
    values = {
        "bootstrap.servers": bootstrap,
        "group.id": name,
        "config.storage.topic": f"{name}-configs",
        "offset.storage.topic": f"{name}-offsets",
        "status.storage.topic": f"{name}-status",
        "listeners": f"http://127.0.0.1:{port}",
        **more,
    }
    write_properties(config, "connect.properties", values)


def is_ready(url: str) -> bool:
    """Whether a worker answers about connectors; while it starts it answers with pages of its own."""
    try:
        response = http.get(f"{url}/connectors", timeout=5)
        return response.status_code == 200 and isinstance(response.json(), list)
    except (httpx.HTTPError, ValueError):
        return False


@dataclass(frozen=True)
class Record:
    """A record of a topic as text; None is Kafka's null."""

    key: str | None
    value: str | None


class KafkaAdmin:
    """Topics and records, through Kafka's own command line programs."""

    def __init__(self, bootstrap: str, run_dir: Path, launcher: Launcher | None = None) -> None:
        self.bootstrap, self._run_dir = bootstrap, run_dir
        self._launcher = launcher or Launcher()

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Create a topic unless it is there already."""
        arguments = ("--create", "--if-not-exists", "--topic", name, "--partitions", str(partitions))
        self._tool("org.apache.kafka.tools.TopicCommand", *arguments, "--replication-factor", "1")

    def topics(self) -> list[str]:
        """The names of all topics."""
        return self._tool("org.apache.kafka.tools.TopicCommand", "--list").split()

    def read(self, topic: str, count: int, timeout: float = 20.0) -> list[Record]:
        """The first `count` records of a topic; an error with those there were if there are fewer."""
        options = {"print.key": "true", "key.separator": SEPARATOR, "null.literal": NULL}
        limits = ("--max-messages", str(count), "--timeout-ms", str(int(timeout * 1000)))
        formatting = [word for key, value in options.items() for word in ("--formatter-property", f"{key}={value}")]
        arguments = ("--topic", topic, "--from-beginning", *limits, *formatting)
        output = self._tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *arguments, timeout=timeout + 20)
        records = [_record(line) for line in output.split("\n") if SEPARATOR in line]
        if len(records) < count:
            raise TimeoutError(f"{topic}: {len(records)} of {count} records within {timeout:g} s: {records}")
        return records

    def _tool(self, main: str, *arguments: str, timeout: float = TOOL_TIMEOUT) -> str:
        name = main.rpartition(".")[2]
        log = self._run_dir / f"{name}-{uuid.uuid4().hex[:8]}.log"
        argv = java(main, "--bootstrap-server", self.bootstrap, *arguments, log_level="error")
        return self._launcher.run(name, argv, log, timeout)


def _record(line: str) -> Record:
    key, _, value = line.partition(SEPARATOR)
    return Record(None if key == NULL else key, None if value == NULL else value)
