"""`make picture`: docs/kubectl-lenses.svg, from a real run of its commands at a terminal, in the demo's environment."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
from contextlib import ExitStack
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

from harness import paths
from harness.demo import EXAMPLES, GOOD, MISTAKE, PLACEHOLDER, SETTINGS
from harness.environment import Environment
from harness.kubectl import Kubectl
from harness.operator_process import OperatorProcess
from harness.parts import Options
from harness.process import Launcher
from harness.programs import install_programs
from harness.svg import COLUMNS, Shown, picture

PICTURE = paths.ROOT / "docs" / "kubectl-lenses.svg"
TITLE = "kubectl apply, kubectl lenses status, a mistake with its message, and its repair, at a terminal"
NAMESPACE = "demo"
TIMEOUT = 120.0
READY = '{.status.conditions[?(@.type=="Ready")].reason}'
REPAIR = """kubectl patch lc demo-mistake --type=merge \\
    -p '{"spec":{"config":{"topic":"demo-mistake"}}}'"""


@dataclass(frozen=True)
class Scene:
    """`command`: what is typed. `until`: a resource whose Ready gives this reason before the next one."""

    command: str
    code: int = 0
    until: tuple[tuple[str, str], ...] = ()


STORY = (
    Scene("kubectl apply -f connectors/", 0, ((GOOD[0], "Running"), (GOOD[1], "Running"), (MISTAKE, "ConfigInvalid"))),
    Scene("kubectl lenses status", 1),
    Scene(REPAIR, 0, ((MISTAKE, "Running"),)),
    Scene("kubectl lenses status"),
    Scene("kubectl lenses pause demo-source --wait"),
    Scene("kubectl lenses offsets show demo-sink"),
)


def told(kubectl: Kubectl, directory: Path) -> list[Shown]:
    """The story, gone through in the namespace of the kubeconfig. `directory`: has `connectors`, and `bin` for PATH."""
    shown = []
    for scene in STORY:
        shown.append(Shown(scene.command, _at_a_terminal(scene, kubectl.kubeconfig, directory)))
        for name, reason in scene.until:
            kubectl(
                "wait", f"lc/{name}", f"--for=jsonpath={READY}={reason}", f"--timeout={TIMEOUT:g}s", timeout=TIMEOUT
            )
    return shown


def render(examples: Path, files: Path) -> None:
    """The examples with a directory of ours in place of the one they name."""
    examples.mkdir(parents=True)
    files.mkdir(parents=True, exist_ok=True)
    (files / "source.txt").write_text("".join(f"line {number}\n" for number in range(1, 6)))
    for example in sorted(EXAMPLES.glob("*.yaml")):
        (examples / example.name).write_text(example.read_text().replace(PLACEHOLDER, str(files)))


def _at_a_terminal(scene: Scene, kubeconfig: Path, directory: Path) -> str:
    """What the command printed there, which has to end as the story says."""
    first, second = pty.openpty()
    ioctl(second, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    environment |= {
        "KUBECONFIG": str(kubeconfig),
        "PATH": f"{directory / 'bin'}:{paths.KUBECTL.parent}:{os.environ['PATH']}",
        "TERM": "xterm",
    }
    process = subprocess.Popen(
        ["bash", "-c", scene.command], cwd=directory, env=environment, stdin=second, stdout=second, stderr=second
    )
    os.close(second)
    raw = b""
    while select.select([first], [], [], TIMEOUT)[0]:
        try:
            found = os.read(first, 65536)
        except OSError:
            break
        if not found:
            break
        raw += found
    os.close(first)
    code = process.wait(TIMEOUT)
    text = _without_cleared(raw.decode())
    if code != scene.code:
        raise RuntimeError(f"{scene.command} ended with {code}:\n{text}")
    return text


def _without_cleared(text: str) -> str:
    """What is left on the screen: a line that was cleared and written again is there once."""
    lines = (re.split(r"\r\x1b\[2K", line)[-1] for line in text.replace("\r\n", "\n").split("\n"))
    return "\n".join(lines)


def make(run_dir: Path) -> None:
    """Starts the demo's environment, tells the story, writes the picture."""
    run_dir = run_dir.absolute()
    shutil.rmtree(run_dir, ignore_errors=True)
    environment = Environment(run_dir, Options(None, ports={}), background=False)
    with ExitStack() as stack:
        stack.callback(environment.close)
        launcher = stack.enter_context(Launcher())
        environment.up()
        values = environment.values()
        kubectl = Kubectl(Path(values["KUBECONFIG"]))
        kubectl("create", "namespace", NAMESPACE)
        kubectl("config", "set-context", "--current", "--namespace", NAMESPACE)
        OperatorProcess.start(
            run_dir / "operator",
            kubeconfig=kubectl.kubeconfig,
            lenses_url=values["LENSES_URL"],
            lenses_token=values["LENSES_TOKEN"],
            launcher=launcher,
            settings={**SETTINGS, "POLL_INTERVAL": "1", "WATCH_NAMESPACES": NAMESPACE},
        ).wait_ready()
        render(run_dir / "connectors", run_dir / "files")
        install_programs(run_dir / "bin")
        PICTURE.write_text(picture(TITLE, told(kubectl, run_dir)))
    print(f"picture: {PICTURE.relative_to(paths.ROOT)}")


if __name__ == "__main__":
    make(paths.RUN / "picture")
    sys.exit()
