"""Free ports, and starting again when one was taken between being chosen and being used."""

import fcntl
import os
import random
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from harness.process import ProcessFailedError

# Below the range the kernel takes for outgoing connections, which would take a chosen port again soon.
LOWEST, HIGHEST = 20000, 32000
ATTEMPTS = 4

LEASE = 1800.0
"""Seconds for which nobody else is given a port: what listens on it may be long in starting on a busy machine."""

T = TypeVar("T")


def free_port() -> int:
    """A port on loopback that nobody listens on and that nobody was given within the last half hour."""
    with _leases() as leases:
        for _ in range(200):
            port = random.randint(LOWEST, HIGHEST)
            if not _leased(lease := leases / str(port)) and is_free(port):
                lease.touch()
                return port
    raise OSError(f"no free port between {LOWEST} and {HIGHEST}")


@contextmanager
def _leases() -> Iterator[Path]:
    """The directory with a file for each port given away, while no other process looks into it."""
    directory = Path(tempfile.gettempdir()) / f"lenses-operator-ports-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield directory


def _leased(lease: Path) -> bool:
    try:
        return time.time() - lease.stat().st_mtime < LEASE
    except FileNotFoundError:
        return False


def is_free(port: int) -> bool:
    """Whether one could listen on it now."""
    with socket.socket() as probe:
        # As the servers do it: closed connections of one that ended before do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def on_free_ports(count: int, start: Callable[[list[int]], T]) -> T:
    """Call `start` with free ports; again with others when it failed because one of them was taken meanwhile."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return start([free_port() for _ in range(count)])
        except ProcessFailedError as error:
            if not error.port_taken or attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")
