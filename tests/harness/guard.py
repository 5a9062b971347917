"""Become another program that dies with its parent: `python guard.py PARENT_PID PROGRAM ARGUMENT...`.

The kernel ends the program when the parent goes, however the parent goes; no clean-up code has to run for it.
Linux only: elsewhere the program simply runs and ends when it is stopped.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for the signal first, then look whether the parent was gone already."""
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that started this one is gone")
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
