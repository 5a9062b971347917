"""Build the programs the environment needs into `build/`, each again only when its inputs changed."""

import fcntl
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness import paths
from harness.build_progress import Progress, downloads, listing, packages, talking
from harness.process import Launcher, Process, ProcessFailedError

PROGRESS_INTERVAL = 15.0
TERMINAL_INTERVAL = 1.0
Count = Callable[[Iterable[str]], str]
TIMEOUT = 3600.0
HELM_VERSION = "v4.3.1"
ACTIONLINT_VERSION = "v1.7.7"
HELM_3_VERSIONS = {"3.18.6": 33, "3.22.0": 37}
"""The oldest that the chart is tried with, and the newest of that line; each with the minor of the Kubernetes that its
releases take for the cluster's where there is none: without being told at the build, a helm 3 takes 1.20."""
# Beside the one that everything else runs on, which is in kafka/pom.xml.
CONNECTS = ("2.8.2", "3.4.1", "3.5.2", "3.6.2", "3.9.2", "4.0.0")
PLUGINS = ("debezium-postgres", "debezium-jdbc")
# Smaller and quicker to link; nobody debugs Kubernetes here.
GO_FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags=-s -w")
KUBERNETES = re.compile(r"^(?:require)?\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\S*)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One thing to build: the command makes `made`, in a scratch directory, from the inputs."""

    name: str
    title: str
    output: Path
    inputs: tuple[Path, ...]
    argv: tuple[str, ...]
    cwd: Path
    made: str
    optional: bool = False
    """Whether only those want it who name it."""

    @property
    def stamp(self) -> Path:
        """Holds the hash of the inputs the output was built from."""
        return paths.BUILD / "stamps" / self.name

    def fingerprint(self) -> str:
        """Changes with the inputs and with the command."""
        digest = hashlib.sha256(repr((self.argv, self.made)).encode())
        for path in self.inputs:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def is_current(self) -> bool:
        """Whether there is nothing to do."""
        return self.output.exists() and self.stamp.exists() and self.stamp.read_text() == self.fingerprint()


def _steps() -> tuple[Step, ...]:
    control_plane, kafka = paths.HARNESS / "controlplane", paths.HARNESS / "kafka"
    kstatus = paths.HARNESS / "kstatus"
    return (
        Step(
            "kafka",
            "Kafka and Kafka Connect (mvn)",
            paths.KAFKA_LIBS,
            (kafka / "pom.xml",),
            ("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory={scratch}/libs"),
            kafka,
            "libs",
        ),
        Step(
            "helm",
            "helm (go install)",
            paths.BUILD / "bin" / "helm",
            (),
            ("go", "install", *GO_FLAGS, f"helm.sh/helm/v4/cmd/helm@{HELM_VERSION}"),
            paths.ROOT,
            "helm",
        ),
        Step(
            "actionlint",
            "actionlint (go install)",
            paths.ACTIONLINT,
            (),
            ("go", "install", *GO_FLAGS, f"github.com/rhysd/actionlint/cmd/actionlint@{ACTIONLINT_VERSION}"),
            paths.ROOT,
            "actionlint",
        ),
        Step(
            "promtool",
            "promtool (Debian's package, else go install)",
            paths.PROMTOOL,
            (paths.HARNESS / "promtool.sh",),
            ("sh", "tests/harness/promtool.sh", "{scratch}"),
            paths.ROOT,
            "promtool",
        ),
        Step(
            "controlplane",
            "Kubernetes control plane (go build; the first time takes minutes)",
            paths.CONTROL_PLANE,
            tuple(control_plane / name for name in ("main.go", "prepare.go", "go.mod", "go.sum")),
            ("go", "build", *GO_FLAGS, versioned(control_plane / "go.mod"), "-o", "{scratch}/controlplane", "."),
            control_plane,
            "controlplane",
        ),
        # After the control plane, which has compiled most of it: the versions of k8s.io/* and the flags are the same.
        Step(
            "kstatus",
            "kstatus (go build)",
            paths.KSTATUS,
            tuple(kstatus / name for name in ("main.go", "go.mod", "go.sum")),
            ("go", "build", *GO_FLAGS, "-o", "{scratch}/kstatus", "."),
            kstatus,
            "kstatus",
        ),
        # After the control plane too, with the same versions of k8s.io/* and of what these are made of.
        _tool("flux", "Flux' kustomize-controller (go build; the first time takes minutes)", paths.FLUX),
        _tool("argocd", "Argo CD (go build; the first time takes minutes)", paths.ARGOCD, "main.go"),
        *(_older_helm(version) for version in HELM_3_VERSIONS),
        *(_other_api_server(mod) for mod in sorted((paths.HARNESS / "apiserver").glob("1.*.mod"))),
        *(_jars(f"connect-{version}", "connect.xml", paths.connect_libs(version), version) for version in CONNECTS),
        *(_jars(name, f"{name}.xml", paths.PLUGINS / name) for name in PLUGINS),
    )


def _older_helm(version: str) -> Step:
    minor = HELM_3_VERSIONS[version]
    known = {"chartutil.k8sVersionMajor": 1, "chartutil.k8sVersionMinor": minor}
    known |= {"lint/rules.k8sVersionMajor": 1, "lint/rules.k8sVersionMinor": minor}
    told = " ".join(f"-X helm.sh/helm/v3/pkg/{name}={value}" for name, value in known.items())
    flags = (*GO_FLAGS[:-1], f"{GO_FLAGS[-1]} {told}")
    argv = ("go", "install", *flags, f"helm.sh/helm/v3/cmd/helm@v{version}")
    name = f"helm-{version}"
    return Step(name, f"helm {version} (go install)", paths.BUILD / "bin" / name, (), argv, paths.ROOT, "helm", True)


def _other_api_server(mod: Path) -> Step:
    """Of the Kubernetes version that this file requires."""
    name = f"apiserver-{mod.stem}"
    argv = ("go", "build", *GO_FLAGS, versioned(mod), f"-modfile={mod.name}", "-o", f"{{scratch}}/{name}", ".")
    title = f"API server of Kubernetes {mod.stem} (go build; the first time takes minutes)"
    inputs = (mod, mod.with_suffix(".sum"), mod.with_name("main.go"), mod.with_name("prepare.go"))
    return Step(name, title, paths.BUILD / "bin" / name, inputs, argv, mod.parent, name, True)


def _tool(name: str, title: str, output: Path, *sources: str) -> Step:
    home = paths.HARNESS / name
    inputs = tuple(home / file for file in ("build.sh", "go.mod", "go.sum", *sources))
    argv = ("sh", f"tests/harness/{name}/build.sh", "{scratch}")
    return Step(name, title, output, inputs, argv, paths.ROOT, name, optional=True)


def _jars(name: str, pom: str, output: Path, version: str = "") -> Step:
    """What a pom of `harness/connectors` depends on, in one directory."""
    where = paths.HARNESS / "connectors"
    options = (f"-Dkafka.version={version}",) if version else ()
    copy = ("dependency:copy-dependencies", "-DoutputDirectory={scratch}/libs")
    argv = ("mvn", "-q", "-B", "-f", pom, *options, *copy)
    return Step(name, f"{name} (mvn)", output, (where / pom,), argv, where, "libs", optional=True)


def kubernetes_of(go_mod: Path) -> str:
    """The version it requires, such as 1.36.3."""
    return _required(go_mod)[1].removeprefix("v")


def _required(go_mod: Path) -> re.Match[str]:
    found = KUBERNETES.search(go_mod.read_text())
    if found is None:
        raise RuntimeError(f"{go_mod} does not require k8s.io/kubernetes")
    return found


def versioned(go_mod: Path) -> str:
    """The linker flag by which the API server says its version, which helm holds against a chart's `kubeVersion`."""
    found = _required(go_mod)
    parts = zip(("gitVersion", "gitMajor", "gitMinor"), found.groups(), strict=True)
    return " ".join(["-ldflags=-s -w", *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in parts)])


STEPS = {step.name: step for step in _steps()}
CONNECTORS = (*(f"connect-{version}" for version in CONNECTS), *PLUGINS)


def needed() -> list[str]:
    """The names of those that are built unless others are named."""
    return [name for name, step in STEPS.items() if not step.optional]


def ensure(*names: str) -> None:
    """Build what is missing or out of date, all but the optional if none is named; another builder is waited for."""
    ensure_steps([STEPS[name] for name in names or needed()])


def ensure_steps(wanted: Sequence[Step]) -> None:
    """The same for any steps."""
    if all(step.is_current() for step in wanted):
        return
    with _only_builder():
        for step in wanted:
            if not step.is_current():
                _build(step)


def require(*names: str) -> None:
    """Fail with the remedy unless everything named is there: a test's time limit is too short to build it."""
    missing = [name for name in names or needed() if not STEPS[name].is_current()]
    if missing:
        raise RuntimeError(f"not built or out of date: {', '.join(missing)}; run `make build` first")


@contextmanager
def _only_builder() -> Iterator[None]:
    paths.BUILD.mkdir(exist_ok=True)
    with (paths.BUILD / "building").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("build: another process builds already, waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(step: Step) -> None:
    fingerprint = step.fingerprint()
    scratch = paths.BUILD / "scratch" / step.name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    argv = [word.replace("{scratch}", str(scratch)) for word in talking(step.argv)]
    if shutil.which(argv[0]) is None:
        raise RuntimeError(f"{argv[0]} is needed to build {step.title} and is not on PATH")
    print(f"build: {step.title}", flush=True)
    begin = time.monotonic()
    with Launcher() as launcher:
        env = {"GOBIN": str(scratch)}
        log = paths.BUILD / "logs" / f"{step.name}.log"
        count = _counting(step, launcher)
        _follow(step, launcher.spawn(f"build of {step.title}", argv, log, env=env, cwd=step.cwd), begin, count)
    step.stamp.unlink(missing_ok=True)
    _replace(scratch / step.made, step.output)
    shutil.rmtree(scratch)
    step.stamp.parent.mkdir(parents=True, exist_ok=True)
    step.stamp.write_text(fingerprint)
    print(f"build: {step.title} done after {time.monotonic() - begin:.0f} s", flush=True)


def _counting(step: Step, launcher: Launcher) -> Count:
    """How far its log says that it is. To know how many packages there are in all, Go downloads the modules."""
    argv = listing(step.argv)
    if argv is None:
        return lambda _log: ""
    log = paths.BUILD / "logs" / f"{step.name}-packages.log"
    of = 0
    with suppress(ProcessFailedError):  # the build fails of the same, and says it better
        _follow(step, launcher.spawn(f"packages of {step.title}", argv, log, cwd=step.cwd), time.monotonic(), downloads)
        of = packages(log.read_text(errors="replace"))
    return lambda lines: str(Progress.read(lines, of))


def _follow(step: Step, process: Process, begin: float, count: Count) -> None:
    """Wait for the end, with a sign of life now and then: a line, or on a terminal the same line again and again."""
    terminal = sys.stdout.isatty()
    shown = 0
    while True:
        try:
            code = process.wait_for(TERMINAL_INTERVAL if terminal else PROGRESS_INTERVAL)
        except TimeoutError:
            elapsed = time.monotonic() - begin
            if elapsed > TIMEOUT:
                raise process.failed(f"took more than {TIMEOUT:g} s") from None
            line = _so_far(step, process, elapsed, count)
            print(f"\r{line:<{shown}}" if terminal else line, end="" if terminal else "\n", flush=True)
            shown = len(line)
            continue
        if shown and terminal:
            print(flush=True)
        if code:
            raise process.failed(f"ended with code {code}")
        return


def _so_far(step: Step, process: Process, elapsed: float, count: Count) -> str:
    with process.log.open(errors="replace") as log:
        done = count(log)
    return f"build: {step.title}, {elapsed:.0f} s so far" + (f", {done}" if done else "")


def _replace(made: Path, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.is_dir():
        shutil.rmtree(output)
    os.replace(made, output)


def report(names: Sequence[str]) -> None:
    """Build on behalf of the command line and say what is there."""
    ensure(*names)
    for name in names or needed():
        print(f"build: {STEPS[name].output.relative_to(paths.ROOT)} is up to date")
