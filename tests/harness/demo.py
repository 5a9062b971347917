"""`make demo`: everything from an empty directory to records that flow through connectors the operator runs."""

import fcntl
import os
import shlex
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness import http, paths, postgres
from harness.demo_postgres import PostgresScene
from harness.environment import Environment, ignore_signals, interruptible
from harness.kafka import KafkaAdmin
from harness.kubectl import Kubectl, KubectlError
from harness.operator_process import OperatorProcess
from harness.parts import Options
from harness.process import Launcher, tail
from harness.waiting import wait_until

EXAMPLES = paths.ROOT / "examples"
PLACEHOLDER = "/tmp/lenses-demo"
NAMESPACE = "lenses-demo"
READY, RECORDS, GONE = 120.0, 60.0, 60.0
GOOD, MISTAKE = ("demo-source", "demo-sink"), "demo-mistake"
LINES = [f"line {number}" for number in range(1, 6)]
REASON = '{.status.conditions[?(@.type=="Ready")].reason}'
MESSAGE = '{.status.conditions[?(@.type=="Ready")].message}'
SETTINGS = {"POLL_INTERVAL": "5", "LOG_LEVEL": "INFO"}


class DemoFailedError(RuntimeError):
    """What did not come out, with the end of the log of the part that is to blame."""

    def __init__(self, what: object, log: Path) -> None:
        super().__init__("\n".join([str(what), f"the end of {_short(log)}:", *(f"  {line}" for line in tail(log))]))


def demo(run_dir: Path, options: Options, *, stay: bool) -> None:
    """Set up, show, and end everything; `stay` waits for Ctrl-C before the end. With plugins there is a database."""
    run_dir = run_dir.absolute()
    if options.plugins and postgres.programs() is None:
        raise RuntimeError(postgres.MISSING)
    with _only_one(run_dir), interruptible(), ExitStack() as stack:
        for name in ("parts", "operator", "examples", "files"):
            shutil.rmtree(run_dir / name, ignore_errors=True)
        (run_dir / "processes.json").unlink(missing_ok=True)
        # Whatever happens from here on, no second Ctrl-C gets in between the ending of one part and of the next.
        environment = Environment(run_dir, options, background=False)
        stack.callback(environment.close)
        launcher = stack.enter_context(Launcher())
        try:
            _heading("The environment: Kubernetes, Kafka, Kafka Connect and a stand-in for Lenses")
            environment.up()
            scene = Scene(run_dir, environment, launcher, own_cluster=options.kubeconfig is None)
            stack.callback(scene.tidy)
            scene.play()
            if options.plugins:
                server = stack.enter_context(postgres.Postgres.start(run_dir / "postgres", launcher))
                scene.play_postgres(server)
            if stay:
                _stay(scene)
        finally:
            ignore_signals()
    _say("\ndemo: everything it started has ended; the logs are in " + _short(run_dir))


class Scene:
    """The part that is about the operator; each step fails loudly."""

    def __init__(self, run_dir: Path, environment: Environment, launcher: Launcher, *, own_cluster: bool) -> None:
        self._run_dir, self._launcher, self._own_cluster = run_dir, launcher, own_cluster
        self._values = environment.values()
        self._kubectl = Kubectl(Path(self._values["KUBECONFIG"]))
        # Somebody else's cluster may have more than one demo, and more than one operator.
        self.namespace = NAMESPACE if own_cluster else f"{NAMESPACE}-{uuid.uuid4().hex[:6]}"
        self._files, self._examples = run_dir / "files", run_dir / "examples"
        self._connect_log = run_dir / "parts" / "connect" / "connect.log"
        self._namespace_made = False
        self.operator: OperatorProcess | None = None

    def play(self) -> None:
        """The whole story."""
        self._start_operator()
        self._apply()
        self._show_records()
        self._show_mistake()
        self._delete()

    def play_postgres(self, server: postgres.Postgres) -> None:
        """Rows of a database, after the files."""
        kafka = KafkaAdmin(self._values["KAFKA_BOOTSTRAP"], self._run_dir / "kafka-admin", self._launcher)
        try:
            PostgresScene(self, server, kafka, self._examples).play()
        except (RuntimeError, TimeoutError) as error:
            raise error if isinstance(error, DemoFailedError) else DemoFailedError(error, self._connect_log) from None

    def tidy(self) -> None:
        """In a cluster that stays: let the operator take its finalizers off, then remove the namespace."""
        if self._own_cluster or not self._namespace_made:
            return
        _heading("Tidying up the cluster (the custom resource definitions stay)")
        if self.operator is not None and self.operator.alive:
            self._run("delete", "lensesconnectors", "--all", "-n", self.namespace, f"--timeout={GONE:g}s")
        self._run("delete", "namespace", self.namespace, "--wait=false")

    def _start_operator(self) -> None:
        _heading("The operator")
        self._kubectl("create", "namespace", self.namespace)
        self._namespace_made = True
        self.operator = OperatorProcess.start(
            self._run_dir / "operator",
            kubeconfig=Path(self._values["KUBECONFIG"]),
            lenses_url=self._values["LENSES_URL"],
            lenses_token=self._values["LENSES_TOKEN"],
            launcher=self._launcher,
            settings={**SETTINGS, "WATCH_NAMESPACES": self.namespace},
        ).wait_ready()
        _say(f"lenses-operator run: ready; it writes to {_short(self.operator.log)}")
        _say("To look around from another terminal, in this directory:")
        _say(
            f"  export KUBECONFIG={_short(Path(self._values['KUBECONFIG']))} PATH={_short(paths.KUBECTL.parent)}:$PATH"
        )

    def _apply(self) -> None:
        _heading("Three connectors, one of them with a mistake in it")
        _render(self._examples, self._files)
        self._show("apply", "-n", self.namespace, "-f", _short(self._examples))
        wait, bound = ("wait", "-n", self.namespace), f"--timeout={READY:g}s"
        self._show(*wait, "--for=condition=Ready", bound, *(f"lensesconnector/{name}" for name in GOOD))
        self._show(*wait, f"--for=jsonpath={REASON}=ConfigInvalid", bound, f"lensesconnector/{MISTAKE}")
        self._show("get", "lensesconnectors", "-n", self.namespace, "-o", "wide")

    def _show_records(self) -> None:
        _heading("Records flow: from a file through Kafka into another file")
        source, sink = self._files / "source.txt", self._files / "sink.txt"
        text = "".join(f"{line}\n" for line in LINES)
        _say(f"$ printf '%s\\n' {shlex.join(LINES)} >> {_short(source)}")
        with source.open("a") as file:
            file.write(text)
        _wait_for(f"{len(LINES)} lines in {_short(sink)}", lambda: len(_read(sink)) >= len(text), self._connect_log)
        _say(f"$ cat {_short(sink)}")
        _say(_read(sink).rstrip("\n"))
        if _read(sink) != text:
            raise DemoFailedError("what came out is not what went in", self._connect_log)
        _say("The same lines came out.")

    def _show_mistake(self) -> None:
        _heading("The mistake: what its resource says")
        name = f"lensesconnector/{MISTAKE}"
        message = self._show("get", name, "-n", self.namespace, "-o", f"jsonpath={MESSAGE}")
        said = self._show("describe", name, "-n", self.namespace, wait=lambda text: "ConfigInvalid  " in text)
        if "topic" not in message or "Warning" not in said:
            raise DemoFailedError(f"{MISTAKE} does not say what is wrong with it", self.log)

    def _delete(self) -> None:
        _heading("Deleting a resource deletes its connector")
        name, url = GOOD[1], f"{self._values['CONNECT_URL']}/connectors/{GOOD[1]}"
        self._expect(url, 200)
        self._show("delete", "lensesconnector", name, "-n", self.namespace, f"--timeout={GONE:g}s")
        self._expect(url, 404)

    def _expect(self, url: str, status: int) -> None:
        """What Kafka Connect itself says; a connector that was just deleted is gone, so this needs no waiting."""
        answer = http.get(url, timeout=30)
        _say(f"GET {url}")
        _say(f"{answer.status_code} {answer.text[:200]}")
        if answer.status_code != status:
            raise DemoFailedError(f"Kafka Connect answered {answer.status_code} where {status} was due", self.log)

    @property
    def log(self) -> Path:
        """Where to look when something does not come out."""
        return self.operator.log if self.operator else self._connect_log

    def apply(self, manifest: Path) -> None:
        self._show("apply", "-n", self.namespace, "-f", _short(manifest))

    def show(self, *arguments: str) -> str:
        return self._show(*arguments)

    @staticmethod
    def heading(text: str) -> None:
        _heading(text)

    @staticmethod
    def say(text: str) -> None:
        _say(text)

    def _show(self, *arguments: str, wait: Callable[[str], bool] | None = None) -> str:
        """Run kubectl, with the command as one would type it and what it printed."""
        _say(f"$ kubectl {shlex.join(arguments)}")
        found = ""

        def check() -> bool:
            nonlocal found
            found = self._run(*arguments)
            return wait is None or wait(found)

        _wait_for(f"kubectl {arguments[0]}", check, self.log)
        _say(found.rstrip("\n"))
        return found

    def _run(self, *arguments: str) -> str:
        try:
            return self._kubectl(*arguments, timeout=READY + 30)
        except KubectlError as error:
            states = self._kubectl.run("get", "lensesconnectors", "-n", self.namespace, "-o", "wide").stdout
            raise DemoFailedError(f"{error}\n{states}", self.log) from None


def _stay(scene: Scene) -> None:
    _say("\nThe demo stays up until Ctrl-C.")
    try:
        while scene.operator is not None and scene.operator.alive:
            time.sleep(1)
    except KeyboardInterrupt:
        return
    raise DemoFailedError("the operator has ended", scene.log)


def _render(to: Path, files: Path) -> None:
    """The examples with a directory of ours in place of the one they name."""
    to.mkdir()
    files.mkdir()
    for example in sorted(EXAMPLES.glob("*.yaml")):
        (to / example.name).write_text(example.read_text().replace(PLACEHOLDER, str(files)))
    _say(f"{_short(to)} is examples/ with {_short(files)} instead of {PLACEHOLDER}")


def _wait_for(what: str, check: Callable[[], bool], log: Path) -> None:
    try:
        wait_until(what, check, RECORDS)
    except TimeoutError as error:
        raise DemoFailedError(error, log) from None


@contextmanager
def _only_one(run_dir: Path) -> Iterator[None]:
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another demo runs in {_short(run_dir)}; end it first") from None
        yield


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _short(path: Path) -> str:
    """As one would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _heading(text: str) -> None:
    _say(f"\n== {text}")


def _say(text: str) -> None:
    print(text, flush=True)
