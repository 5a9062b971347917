"""`python -m harness build|up|down`: what `make build`, `make up` and `make down` run."""

import argparse
import os
import sys
from pathlib import Path

from harness import build, paths
from harness.environment import Environment
from harness.kubectl import KubectlError
from harness.parts import Options
from harness.process import ProcessFailedError

# The environment variable that sets the port of each part.
PORTS = {"kubernetes": "API_SERVER_PORT", "kafka": "KAFKA_PORT", "connect": "CONNECT_PORT", "lenses": "LENSES_PORT"}


def main() -> int:
    """Run one command; a failure ends with its reason instead of a traceback."""
    options = _parser().parse_args()
    try:
        if options.command == "build":
            build.report(options.steps)
        elif options.command == "up":
            Environment(options.run_dir, Options(options.kubeconfig, _ports())).up()
        else:
            Environment(options.run_dir).down()
    except (ProcessFailedError, KubectlError, TimeoutError, OSError, RuntimeError, ValueError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{options.command}: interrupted, nothing of it is left running", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build what the environment needs into build/")
    building.add_argument("steps", nargs="*", metavar="STEP", help=f"{', '.join(build.STEPS)}; all if none is given")
    for name, text in (("up", "start the environment in the background"), ("down", "end it")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--run-dir", type=Path, default=paths.RUN)
        # Never taken from the variable of the same name: that may well name a cluster somebody depends on.
        command.add_argument("--kubeconfig", type=_existing, help="use this cluster instead of starting one")
    return parser


def _existing(value: str) -> Path:
    path = Path(value).expanduser().absolute()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{path} is not a file")
    return path


def _ports() -> dict[str, int]:
    given = {part: os.environ.get(variable, "") for part, variable in PORTS.items()}
    for part, value in given.items():
        if value and not value.isdigit():
            raise ValueError(f"{PORTS[part]} is {value!r}, not a port")
    return {part: int(value) for part, value in given.items() if value}


if __name__ == "__main__":
    sys.exit(main())
