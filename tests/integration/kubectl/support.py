"""`kubectl lenses` as a person runs it: in this process where nothing has to be seen of the terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

from click.testing import CliRunner

from harness.controlplane import PERSON
from harness.kube import Kube
from harness.paths import ROOT
from harness.waiting import HANG, wait_until
from integration.commands.support import Done
from lenses_operator.cli import main

PROGRAM = "from lenses_operator.cli import kubectl_lenses; kubectl_lenses()"
TIMEOUT = 60.0
"""Generous: a bound that says when to give up."""
WIDTH = 80
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def bind(kube: Kube, namespace: str, role: str, user: str = PERSON.name) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": role}}
    kube.apply({**binding, "roleRef": reference, "subjects": [{"kind": "User", "name": user}]}, namespace)


def _hearing_ctrl_c() -> None:
    """Tests that a shell runs in its background are begun deaf to it, and so would be what they begin."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _as_from_a_login() -> None:
    """The terminal on its standard input is the one whose keys it gets as signals."""
    _hearing_ctrl_c()
    ioctl(0, termios.TIOCSCTTY, 0)


@dataclass(frozen=True)
class Person:
    """Runs commands in one namespace, with the rights of a kubeconfig."""

    kubeconfig: Path
    namespace: str
    lenses_url: str
    token: Path
    folder: Path

    def run(self, *words: str, namespace: str | None = None, stdin: str | None = None) -> Done:
        """In this process, which saves the second that one takes to start."""
        given = [*words, "--kubeconfig", str(self.kubeconfig), "-n", namespace or self.namespace]
        result = CliRunner().invoke(main, given, prog_name="kubectl lenses", input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    def with_lenses(self, *words: str, stdin: str | None = None) -> Done:
        return self.run(*words, "--lenses-url", self.lenses_url, "--token-file", str(self.token), stdin=stdin)

    @property
    def environment(self) -> dict[str, str]:
        """Of a process of its own."""
        code = os.pathsep.join([str(ROOT / "operator"), os.environ.get("PYTHONPATH", "")])
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PYTHONPATH": code, "TERM": "xterm", "NO_COLOR": ""}

    @contextmanager
    def terminal(self, *words: str) -> Iterator[Terminal]:
        """A process at a terminal of 80 columns."""
        first, second = pty.openpty()
        ioctl(second, termios.TIOCSWINSZ, struct.pack("HHHH", 40, WIDTH, 0, 0))
        argv = [sys.executable, "-c", PROGRAM, *words, "-n", self.namespace]
        environment = {key: value for key, value in self.environment.items() if key not in ("NO_COLOR", "COLUMNS")}
        process = subprocess.Popen(
            argv,
            stdin=second,
            stdout=second,
            stderr=second,
            env=environment,
            start_new_session=True,
            preexec_fn=_as_from_a_login,
        )
        os.close(second)
        try:
            yield Terminal(first, process)
        finally:
            process.kill()
            process.wait()
            os.close(first)

    @contextmanager
    def piped(self, *words: str) -> Iterator[Piped]:
        """A process that writes into a pipe."""
        argv = [sys.executable, "-c", PROGRAM, *words, "-n", self.namespace]
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            preexec_fn=_hearing_ctrl_c,
        )
        try:
            yield Piped(process)
        finally:
            process.kill()
            process.communicate()


class _Output:
    """What came so far, and waiting for more of it."""

    def __init__(self, fd: int, process: subprocess.Popen[bytes]) -> None:
        self._fd, self.process, self.raw = fd, process, ""

    @property
    def text(self) -> str:
        """Without what moves the cursor."""
        return _CONTROL.sub("", self.raw).replace("\r\n", "\n")

    def wait(self, holds: Callable[[str], object], what: str = "output") -> str:
        """The text once it does. Fails with what came."""

        def came() -> bool:
            if holds(self.text):
                return True
            if not self._read(1.0) and self.process.poll() is not None and not self._read(0.0):
                raise AssertionError(f"{what} did not come; it ended with {self.process.returncode}:\n{self.text}")
            return False

        try:
            wait_until(what, came, TIMEOUT, 0.0)
        except TimeoutError as error:
            raise AssertionError(f"{error}; this came:\n{self.text}") from None
        return self.text

    def _read(self, timeout: float) -> bool:
        if not select.select([self._fd], [], [], timeout)[0]:
            return False
        try:
            found = os.read(self._fd, 65536)
        except OSError:  # the other end of a terminal is closed
            return False
        self.raw += found.decode(errors="replace")
        return bool(found)

    def interrupt(self) -> None:
        """As Ctrl-C does, where no shell stands between."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Its exit code."""
        code = self.process.wait(HANG)
        while self._read(0.2):
            pass
        return code


class Terminal(_Output):
    """The person's side of it."""

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def press_ctrl_c(self) -> None:
        """The terminal's own: a byte that its driver turns into the signal."""
        self.type("\x03")

    def press_ctrl_c_at_a_prompt(self) -> None:
        """Again where it came in the moment before the program began to read, which nothing wakes up then."""

        def pressed() -> bool:
            self.press_ctrl_c()
            return self.process.poll() is not None

        wait_until("end at Ctrl-C", pressed, TIMEOUT, 0.5)


class Piped(_Output):
    """Standard output; errors are in `errors` afterwards."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        super().__init__(process.stdout.fileno(), process)
