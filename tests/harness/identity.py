"""Which process a number means: numbers are used again, so each is kept with the time its process started."""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.waiting import wait_until

PROC = Path("/proc")
END_TIMEOUT = 60.0
"""Seconds a killed process may take to go: one that waits for a busy disk goes when the disk has answered."""


@dataclass(frozen=True)
class Identity:
    """A process, told apart from any later one with the same number."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return bool(self.started) and started(self.pid) == self.started

    def kill(self, timeout: float = END_TIMEOUT) -> None:
        """End it and whatever shares its session, at once: its data is thrown away anyway."""
        if not self.alive:
            return
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        wait_until(f"end of process {self.pid}", lambda: not self.alive, timeout)


def identify(pid: int) -> Identity:
    """Remember the process that has this number now."""
    return Identity(pid, started(pid))


def started(pid: int) -> str:
    """When the process with this number started, in whatever form the system tells it; empty when there is none."""
    if not PROC.joinpath("self", "stat").exists():
        return _started_by_ps(pid)
    try:
        stat = PROC.joinpath(str(pid), "stat").read_text()
    except OSError:
        return ""
    # The name in the second field may hold blanks and brackets: count the fields behind its end.
    fields = stat.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    boot = PROC.joinpath("sys", "kernel", "random", "boot_id").read_text().strip()
    return "" if state in "ZX" and not _has_threads(pid) else f"{boot}:{ticks}"


def _has_threads(pid: int) -> bool:
    """Whether threads outlive the first one for a moment, which keeps ports and files open."""
    try:
        return len(list(PROC.joinpath(str(pid), "task").iterdir())) > 1
    except OSError:
        return False


def _started_by_ps(pid: int) -> str:
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, start = shown.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else start.strip()
