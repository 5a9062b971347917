"""Start the programs of the environment, each with a log file, and know when they are ready or why they are not."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from harness.ended import Ended
from harness.identity import END_TIMEOUT, Identity, identify
from harness.waiting import wait_until

TAIL = 30
REASONS = 10
REASON = re.compile(r"\b(?:ERROR|FATAL|SEVERE)\b|\b\w*(?:Exception|Error): ")
GUARD = Path(__file__).with_name("guard.py")
PORT_TAKEN = re.compile(r"address already in use|failed to listen on|BindException", re.IGNORECASE)

# The kernel takes the end of the *thread* that started a process for the end of its parent: one thread starts them all.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


class ProcessFailedError(RuntimeError):
    """A part did not start or did not stay; the message has the last lines of its log.

    Behind them come the first that name an error, as a program may say hundreds of lines after it.
    """

    def __init__(self, name: str, reason: str, log: Path) -> None:
        lines = tail(log)
        errors = [line for line in _text(log).splitlines()[:-TAIL] if REASON.search(line)][:REASONS]
        told = [f"errors in {log}:", *(f"  {line}" for line in errors)] if errors else []
        super().__init__("\n".join([f"{name} {reason}; the end of {log}:", *(f"  {line}" for line in lines), *told]))
        self.name = name
        # In all of the log: after these words a broker says hundreds of lines more.
        self.port_taken = PORT_TAKEN.search(_text(log)) is not None


def tail(log: Path, lines: int = TAIL) -> list[str]:
    """The last lines of a log file, as far as there are any."""
    return _text(log).splitlines()[-lines:]


def _text(log: Path) -> str:
    try:
        return log.read_text(errors="replace")
    except OSError:
        return ""


class Process:
    """One running program."""

    def __init__(self, name: str, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name, self.log = name, log
        self._popen = popen
        self.identity: Identity = identify(popen.pid)

    @property
    def pid(self) -> int:
        """Its number."""
        return self.identity.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def failed(self, reason: str) -> ProcessFailedError:
        """The error that tells why this process is of no use, with the end of its log."""
        return ProcessFailedError(self.name, reason, self.log)

    def has_logged(self, text: str) -> bool:
        """Whether its log holds this text."""
        return text in self.log.read_text(errors="replace")

    def wait_ready(self, check: Callable[[], bool], timeout: float) -> None:
        """Wait until `check` holds; fail as soon as the process ends or when the time is over."""

        def ready() -> bool:
            if check():
                return True
            code = self._popen.poll()
            if code is not None:
                raise self.failed(f"ended with code {code} before it was ready")
            return False

        try:
            wait_until(self.name, ready, timeout)
        except TimeoutError:
            raise self.failed(f"was not ready within {timeout:g} s") from None

    def wait_for(self, timeout: float) -> int:
        """Its exit code once it has ended by itself; a `TimeoutError` leaves it running."""
        try:
            wait_until(self.name, lambda: not self.alive, timeout)
        except TimeoutError:
            raise TimeoutError(f"{self.name} has not ended within {timeout:g} s") from None
        return self._popen.wait()

    def stop(self) -> None:
        """End it at once."""
        if self.alive:
            self.identity.kill()
        self._popen.wait(END_TIMEOUT)


def end_all(ends: Sequence[Callable[[], None]]) -> None:
    """Call them, the last one first; one that fails keeps none of the others from being called."""
    with ExitStack() as stack:
        for end in ends:
            stack.callback(end)


class Launcher(Ended):
    """Starts processes and ends those it started.

    They die with this process unless `background` is set. `started` hears of each before anything else can fail, so
    that a record of background processes has no gap.
    """

    def __init__(self, *, background: bool = False, started: Callable[[Process], None] | None = None) -> None:
        self._background, self._started = background, started
        self._processes: list[Process] = []
        self._closed = False
        self._lock = threading.Lock()

    def spawn(
        self,
        name: str,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Process:
        """Start a program whose output goes to `log`."""
        words = [str(word) for word in argv]
        return _starter.submit(self._spawn, name, words, log, env, cwd, self._background).result()

    def _spawn(
        self,
        name: str,
        argv: list[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        background: bool = False,
    ) -> Process:
        if not background:
            argv = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), *argv]
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, log.open("wb") as output:
            if self._closed:
                raise RuntimeError(f"{name} is not started any more: everything is being stopped")
            popen = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )
            process = Process(name, popen, log)
            self._processes.append(process)
            if background and self._started:
                self._started(process)
        return process

    def run(self, name: str, argv: Sequence[str | Path], log: Path, timeout: float = 60) -> str:
        """Run a program to its end and return what it printed; it never runs in the background."""
        process = _starter.submit(self._spawn, name, [str(word) for word in argv], log).result()
        try:
            code = process.wait_for(timeout)
        except TimeoutError:
            raise process.failed(f"did not end within {timeout:g} s") from None
        finally:
            process.stop()
            with self._lock:
                self._processes.remove(process)
        if code:
            raise process.failed(f"ended with code {code}")
        return log.read_text(errors="replace")

    @property
    def running(self) -> list[Process]:
        """What was started here and has not ended."""
        with self._lock:
            processes = self._processes[:]
        return [process for process in processes if process.alive]

    @property
    def closed(self) -> bool:
        """Whether nothing is started here any more."""
        return self._closed

    def close(self) -> None:
        """End everything started here, the latest first, and start nothing any more."""
        with self._lock:
            self._closed = True
            processes = self._processes[:]
        end_all([process.stop for process in processes])

    _end = close
