"""One node for all tests of this folder, and every scenario under way on it at the same time: most of it is waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from harness.kube import Kube
from harness.lenses.running import RunningLenses
from harness.node.running import ADDRESS, Node, OnlyNode
from harness.node.steps import unavailable
from harness.paths import CRDS
from node.scenarios import SCENARIOS
from node.support import FIGURES, Release


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """This process is in its network until all tests are over."""
    if why := unavailable():
        pytest.skip(why)
    with OnlyNode(), Node.start(tmp_path_factory.mktemp("node")) as started:
        yield started


@pytest.fixture(scope="session")
def scenarios(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    """All of SCENARIOS, begun at once but for the first, which measures a start: alone."""
    lenses = RunningLenses.start(host=ADDRESS)
    with node.kube() as kube, ThreadPoolExecutor(len(SCENARIOS)) as pool:
        kube.install_crds(CRDS)
        begun: dict[str, Future[None]] = {}
        for name, scenario in SCENARIOS.items():
            begun[name] = pool.submit(_run, scenario, node, kube, lenses, name, tmp_path_factory)
            if len(begun) == 1:
                wait(begun.values())
        yield begun
    lenses.stop()


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
