"""One node for all tests of this folder, and every scenario under way on it at the same time: most of it is waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from harness.kube import Kube
from harness.lenses.running import RunningLenses
from harness.node import steps
from harness.node.running import ADDRESS, Node, OnlyNode
from harness.paths import CRDS, ROOT
from harness.process import Launcher
from node.scenarios import SCENARIOS
from node.support import FIGURES, Release

IMAGE = "the image, once more"
BUILD_TIMEOUT = 900.0


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """This process is in its network until all tests are over."""
    if why := steps.unavailable():
        pytest.skip(why)
    with OnlyNode(), Node.start(tmp_path_factory.mktemp("node")) as started:
        yield started


@pytest.fixture(scope="session")
def again(scenarios: dict[str, Future[Path | None]]) -> Path:
    """What identifies the product's image, built once more beside the scenarios."""
    identity = scenarios[IMAGE].result(BUILD_TIMEOUT)
    assert identity is not None
    return identity


@pytest.fixture(scope="session")
def scenarios(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Path | None]]]:
    """All of SCENARIOS, begun at once but for the first, which measures a start: alone."""
    lenses = RunningLenses.start(host=ADDRESS)
    with node.kube() as kube, ThreadPoolExecutor(len(SCENARIOS) + 1) as pool:
        kube.install_crds(CRDS)
        begun: dict[str, Future[Path | None]] = {}
        for name, scenario in SCENARIOS.items():
            begun[name] = pool.submit(_run, scenario, node, kube, lenses, name, tmp_path_factory)
            if len(begun) == 1:
                wait(begun.values())
                begun[IMAGE] = pool.submit(_build, tmp_path_factory.mktemp("again"))
        yield begun
    lenses.stop()


def _build(folder: Path) -> Path:
    """From nothing but the base. Processes of a Launcher are started in the network that this one began in."""
    identity = folder / "id"
    with Launcher() as launcher:
        words = steps.image_command(str(identity), "-", "docker.io/library/lenses-operator:again")
        process = launcher.spawn("build of the image", words, folder / "build.log", cwd=ROOT)
        code = process.wait_for(BUILD_TIMEOUT)
        if code:
            raise process.failed(f"ended with code {code}")
    return identity


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for figure in FIGURES:
        terminalreporter.write_line(figure)


def _run(
    scenario: Callable[[Release], None],
    node: Node,
    kube: Kube,
    lenses: RunningLenses,
    name: str,
    folders: pytest.TempPathFactory,
) -> None:
    release = Release(node, kube, lenses, name, folders.mktemp(name))
    try:
        scenario(release)
    except BaseException as error:
        error.add_note(f"{release}\n{node.log('kubelet')}")
        raise
