"""Free ports, and starting again when one was taken between being chosen and being used."""

import random
import socket
from collections.abc import Callable
from typing import TypeVar

from harness.process import ProcessFailedError

# Below the range the kernel takes for outgoing connections, which would take a chosen port again soon.
LOWEST, HIGHEST = 20000, 32000
ATTEMPTS = 4

T = TypeVar("T")


def free_port() -> int:
    """A port on loopback nobody listens on at the moment."""
    for _ in range(200):
        port = random.randint(LOWEST, HIGHEST)
        if is_free(port):
            return port
    raise OSError(f"no free port between {LOWEST} and {HIGHEST}")


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
