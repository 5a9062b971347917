"""The whole environment: `up` starts what does not run or does not work, `down` or `close` ends it."""

import fcntl
import os
import shlex
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from harness import build, paths
from harness.parts import Options, Part, Place, Values, chains
from harness.process import Launcher, end_all
from harness.record import Record

VARIABLES = ("KUBECONFIG", "LENSES_URL", "LENSES_TOKEN", "LENSES_CONTROL_URL", "CONNECT_URL", "KAFKA_BOOTSTRAP")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Environment:
    """The environment whose files are in one directory; several of them run side by side.

    Its processes outlive this one unless `background` is False.
    """

    def __init__(self, run_dir: Path = paths.RUN, options: Options | None = None, *, background: bool = True) -> None:
        self.run_dir = run_dir.absolute()
        self.chains = chains(options or Options())
        self._parts_dir = self.run_dir / "parts"
        self._background = background
        self._launchers: list[Launcher] = []

    @property
    def env_file(self) -> Path:
        """The addresses, as shell assignments."""
        return self.run_dir / "env"

    def up(self) -> None:
        """Start what is missing; nothing is left running if that does not work out."""
        build.ensure(*{name: None for chain in self.chains for part in chain for name in part.builds})
        with self._only_one(), interruptible():
            record = self._record()
            if record.is_empty:
                shutil.rmtree(self._parts_dir, ignore_errors=True)
            try:
                started = self._start_chains(record)
                self._write_env_file(record)
            except BaseException:
                ignore_signals()
                record.stop_all()
                self.env_file.unlink(missing_ok=True)
                raise
        where = os.path.relpath(self.env_file)
        print(f"up: {'ready' if started else 'already up'}; the addresses are in {where}", flush=True)

    def down(self) -> None:
        """End everything `up` started, if anything, and remove its data."""
        if not self.run_dir.exists():
            print("down: nothing runs")
            return
        with self._only_one():
            stopped = self._record().stop_all()
            self.env_file.unlink(missing_ok=True)
            shutil.rmtree(self._parts_dir, ignore_errors=True)
        print(f"down: {stopped} processes ended" if stopped else "down: nothing runs", flush=True)

    def close(self) -> None:
        """End what was started here and not in the background; logs and data stay."""
        end_all([launcher.close for launcher in self._launchers])

    def values(self) -> dict[str, str]:
        """The addresses that `up` wrote down."""
        lines = (shlex.split(line)[0] for line in self.env_file.read_text().splitlines())
        return dict(line.split("=", 1) for line in lines)

    def _record(self) -> Record:
        return Record(self.run_dir / "processes.json")

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        with (self.run_dir / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start_chains(self, record: Record) -> bool:
        """Start the chains side by side; the first failure ends all of them."""
        # All of them exist before anything starts, so that closing them cannot miss one.
        parts = [part for chain in self.chains for part in chain]
        launchers = {part.name: self._launcher(part, record) for part in parts}
        self._launchers += launchers.values()
        with ThreadPoolExecutor(max_workers=len(self.chains)) as pool:
            try:
                futures = [pool.submit(self._start_chain, chain, record, launchers) for chain in self.chains]
                _first_failure(futures)
            except BaseException:
                ignore_signals()
                end_all([launcher.close for launcher in launchers.values()])
                raise
        return any(future.result() for future in futures)

    def _start_chain(self, chain: Sequence[Part], record: Record, launchers: Mapping[str, Launcher]) -> bool:
        """Start each part that does not work, and each that comes after one that was started."""
        started = False
        known: Values = {}
        for part in chain:
            if started or part.each_time or not _works(part, record):
                first_time = not record.values(part.name)
                self._start_part(part, record, launchers[part.name], known)
                started = started or first_time or not part.each_time
            known |= record.values(part.name)
        return started

    def _start_part(self, part: Part, record: Record, launcher: Launcher, known: Values) -> None:
        begin = time.monotonic()
        record.stop(part.name)
        place = Place(self._parts_dir / part.name, launcher, record.values(part.name), known)
        record.set_values(part.name, part.start(place))
        print(f"up: {part.title} ready after {time.monotonic() - begin:.1f} s", flush=True)

    def _launcher(self, part: Part, record: Record) -> Launcher:
        started = partial(record.add_process, part.name)
        return Launcher(background=self._background, started=started)

    def _write_env_file(self, record: Record) -> None:
        known: Values = {}
        for part in (part for chain in self.chains for part in chain):
            known |= record.values(part.name)
        self.env_file.write_text("".join(f"{name}={shlex.quote(str(known[name]))}\n" for name in VARIABLES))


def _works(part: Part, record: Record) -> bool:
    values = record.values(part.name)
    alive = all(identity.alive for identity in record.processes(part.name))
    return bool(values) and alive and part.works(values)


def _first_failure(futures: Sequence["Future[Any]"]) -> None:
    """Return when all are done, raise as soon as one has failed."""
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the signals that end a command raise, so that it cleans up."""

    def interrupt(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """While things are being stopped: a second Ctrl-C must not leave half of them."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
