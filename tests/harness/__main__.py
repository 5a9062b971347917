"""`python -m harness build [STEP...]`."""

import argparse
import sys

from harness import build
from harness.process import ProcessFailedError


def main() -> int:
    """Run one command; a failure ends with its reason instead of a traceback."""
    parser = argparse.ArgumentParser(prog="python -m harness")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build what the environment needs into build/")
    building.add_argument("steps", nargs="*", choices=[[], *build.STEPS])
    options = parser.parse_args()
    try:
        build.report(options.steps)
    except (ProcessFailedError, RuntimeError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
