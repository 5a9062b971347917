"""CPU and memory of one process, by the kernel's own count."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    """Seconds of user and system time so far."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


@dataclass(frozen=True)
class Usage:
    """`cpu`: seconds of user and system time so far; `rss`, `peak`: MB (10^6 bytes) resident, now and at most."""

    at: float
    cpu: float
    rss: float
    peak: float

    @classmethod
    def of(cls, pid: int) -> Self:
        status = Path(f"/proc/{pid}/status").read_text()
        sizes = {key: value for key, _, value in (line.partition(":") for line in status.splitlines())}

        def megabytes(key: str) -> float:
            return int(sizes[key].split()[0]) * 1024 / 1e6

        return cls(time.monotonic(), cpu_of(pid), megabytes("VmRSS"), megabytes("VmHWM"))
