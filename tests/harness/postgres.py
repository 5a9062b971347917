"""A PostgreSQL server of the test's own, from what is installed, with logical decoding for Debezium."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.kafka import Server
from harness.ports import on_free_ports
from harness.process import Launcher, Process
from harness.waiting import HANG

START_TIMEOUT = 60.0
TOOL_TIMEOUT = 60.0
PROGRAMS = ("initdb", "postgres", "psql", "pg_isready")
DEBIAN = Path("/usr/lib/postgresql")
ADMIN, PASSWORD, DATABASE = "admin", "admin", "postgres"
MISSING = "no PostgreSQL server on this machine: install one (Debian: postgresql), or put its programs on PATH"
SETTINGS: Mapping[str, object] = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "wal_level": "logical",
    "max_wal_senders": 8,
    "max_replication_slots": 8,
    "fsync": "off",
}


def programs() -> Path | None:
    """The directory of the newest server that is installed; None where there is none."""
    debian = sorted(DEBIAN.glob("*/bin"), key=lambda path: int("0" + path.parent.name.partition(".")[0]), reverse=True)
    on_path = [Path(found).resolve().parent for name in ("initdb",) if (found := shutil.which(name))]
    for directory in [*debian, *on_path]:
        if all((directory / name).exists() for name in PROGRAMS):
            return directory
    return None


class Postgres(Server):
    """`admin` may do everything; its password is the same word."""

    def __init__(self, directory: Path, process: Process, data: Path, port: int, launcher: Launcher) -> None:
        super().__init__(data, process)
        self.port, self._programs, self._launcher = port, directory, launcher

    @classmethod
    def start(cls, log_dir: Path, launcher: Launcher | None = None) -> "Postgres":
        """Raises `FileNotFoundError` where none is installed."""
        directory = programs()
        if directory is None:
            raise FileNotFoundError(MISSING)
        launcher = launcher or Launcher()
        log_dir.mkdir(parents=True, exist_ok=True)
        # Not below log_dir: root's server runs as somebody else, who need not get that far.
        data = Path(tempfile.mkdtemp(prefix="postgres-"))
        try:
            _initialise(directory, data, log_dir, launcher)
            return on_free_ports(1, lambda ports: cls._start(directory, data, ports[0], log_dir, launcher))
        except BaseException:
            shutil.rmtree(data, ignore_errors=True)
            raise

    @classmethod
    def _start(cls, directory: Path, data: Path, port: int, log_dir: Path, launcher: Launcher) -> "Postgres":
        argv = [*_as_nobody(), directory / "postgres", "-D", data / "db", "-p", str(port)]
        process = launcher.spawn("PostgreSQL", argv, log_dir / "postgres.log")
        server = cls(directory, process, data, port, launcher)
        try:
            process.wait_ready(server.is_ready, START_TIMEOUT)
        except BaseException:
            process.stop()
            raise
        return server

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        where = ("-h", "127.0.0.1", "-p", str(self.port))
        return not subprocess.run([self._programs / "pg_isready", "-q", *where], check=False, timeout=10).returncode

    def psql(self, sql: str, database: str = DATABASE) -> str:
        """What the statements print, columns parted by `|`; an error of theirs is raised."""
        done = subprocess.run(
            [self._programs / "psql", *self.arguments(database), "-c", sql],
            capture_output=True,
            text=True,
            check=False,
            timeout=HANG,
            env={**os.environ, "PGPASSWORD": PASSWORD},
        )
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def arguments(self, database: str = DATABASE) -> list[str]:
        """For psql, as one would type them."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", ADMIN, "-d", database]
        return ["-XAtq", "-v", "ON_ERROR_STOP=1", *where]

    def restart(self) -> None:
        """On the same data and port, after `kill`."""
        started = self._start(self._programs, self.run_dir, self.port, self.process.log.parent, self._launcher)
        self.process = started.process

    def kill(self) -> None:
        """It is away, its data is not."""
        self.process.stop()

    def stop(self) -> None:
        """End it and throw its data away."""
        self.process.stop()
        shutil.rmtree(self.run_dir, ignore_errors=True)


def _as_nobody() -> list[str | Path]:
    """PostgreSQL refuses to run as root; it needs no user of its own."""
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []


def _initialise(directory: Path, data: Path, log_dir: Path, launcher: Launcher) -> None:
    password = data / "password"
    password.write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (data, password):
            shutil.chown(path, "nobody", "nogroup")
    options = ("-A", "scram-sha-256", "-U", ADMIN, f"--pwfile={password}", "--no-sync", "-E", "UTF8", "--no-locale")
    argv = [*_as_nobody(), directory / "initdb", "-D", data / "db", *options]
    launcher.run("initdb", argv, log_dir / "initdb.log", TOOL_TIMEOUT)
    with (data / "db" / "postgresql.conf").open("a") as config:
        config.writelines(f"{key} = {value}\n" for key, value in SETTINGS.items())
