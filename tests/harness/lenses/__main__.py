"""`python -m harness.lenses --config FILE --port 0 [--control-port 0] [--persona NAME] --state-file FILE`"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import signal
from pathlib import Path
from typing import Any

from harness.lenses.persona import NAMES
from harness.lenses.server import LensesServer

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Let the kernel end this process when its parent goes, however it goes."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent or parent == 1:
        raise SystemExit("parent is gone")


def write_atomically(path: Path, content: dict[str, Any]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(content) + "\n")
    part.replace(path)


async def serve(options: argparse.Namespace) -> None:
    config = json.loads(options.config.read_text()) if options.config else {}
    if options.persona:
        config["persona"] = options.persona
    server = LensesServer(config)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start(port=options.port, control_port=options.control_port)
    state = {"url": server.url, "control_url": server.control_url, "pid": os.getpid()}
    if options.state_file:
        write_atomically(options.state_file, state)
    print(f"lenses: listening on {server.url}, control on {server.control_url}", flush=True)
    await stop.wait()
    await server.stop()
    if options.state_file:
        options.state_file.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="harness.lenses", description="A Lenses API server for tests.")
    parser.add_argument("--config", type=Path, help="JSON: environments, clusters, tokens, persona")
    parser.add_argument("--persona", choices=NAMES, help="the kind of Lenses it is, instead of the config's")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, help="a listener of its own for the control endpoint")
    parser.add_argument("--state-file", type=Path, help="where to write the addresses once it listens")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the thread that started it does")
    options = parser.parse_args()
    if options.die_with_parent:
        die_with_parent()
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
