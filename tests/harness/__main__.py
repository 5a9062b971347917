"""`python -m harness build|chart|node|versions|up|down|demo`: what the make targets of these names run."""

import argparse
import os
import sys
from pathlib import Path

from harness import build, chart, paths, versions
from harness.demo import demo
from harness.environment import Environment
from harness.kubectl import KubectlError
from harness.node import steps as node
from harness.parts import Options
from harness.process import ProcessFailedError

# The environment variable that sets the port of each part.
PORTS = {"kubernetes": "API_SERVER_PORT", "kafka": "KAFKA_PORT", "connect": "CONNECT_PORT", "lenses": "LENSES_PORT"}


def main() -> int:
    """Run one command; a failure ends with its reason instead of a traceback."""
    options = _parser().parse_args()
    try:
        if options.command == "build":
            build.report([*options.steps, *(build.CONNECTORS if options.connectors else ())])
        elif options.command == "chart":
            chart.make()
        elif options.command == "node":
            node.prepare()
        elif options.command == "versions":
            return 1 if versions.try_all(options.trials) else 0
        elif options.command == "up":
            Environment(options.run_dir, Options(options.kubeconfig, ports=_ports())).up()
        elif options.command == "demo":
            plugins = options.scene == "postgres"
            demo(options.run_dir, Options(options.kubeconfig, plugins, _ports()), stay=not options.exit)
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
    building.add_argument(
        "steps",
        nargs="*",
        metavar="STEP",
        help=f"{', '.join(build.STEPS)}; {', '.join(build.needed())} if none is given",
    )
    building.add_argument("--connectors", action="store_true", help="also other Kafka Connects and plugins for them")
    trying = commands.add_parser("versions", help="try other versions of Kubernetes, Helm and Python")
    names = ", ".join(trial.name for trial in versions.trials())
    trying.add_argument("trials", nargs="*", metavar="TRIAL", help=f"{names}; all if none is given")
    commands.add_parser("chart", help="bring what of the chart is made from other files up to date")
    commands.add_parser("node", help="build what a node needs, where this machine can run one")
    up = ("up", "start the environment in the background", paths.RUN)
    down = ("down", "end it", paths.RUN)
    show = ("demo", "start everything, run the example connectors, show what they do", paths.RUN / "demo")
    for name, text, run_dir in (up, down, show):
        command = commands.add_parser(name, help=text)
        command.add_argument("--run-dir", type=Path, default=run_dir)
        # Never taken from the variable of the same name: that may well name a cluster somebody depends on.
        command.add_argument("--kubeconfig", type=_existing, help="use this cluster instead of starting one")
    command.add_argument("--exit", action="store_true", help="end when everything was shown instead of at Ctrl-C")
    command.add_argument("--with", dest="scene", choices=["postgres"], help="also Debezium on a PostgreSQL")
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
