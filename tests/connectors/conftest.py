"""Real connectors and the Kafka Connect versions that people run: `make test-connectors` builds what this needs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.offsets import Offsets
from connectors.rows import Database
from e2e.conftest import SLOW, Stage, make_stage
from harness import build, paths
from harness.kafka import Broker, ConnectWorker
from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.lenses.running import RunningLenses
from harness.operator_process import OperatorProcess
from harness.postgres import MISSING, Postgres, programs
from harness.process import Launcher

StageOn = Callable[[ConnectWorker], Stage]


@pytest.fixture(scope="session")
def stage_on(
    shared_operator: OperatorProcess,
    operator_kube: Kube,
    kubectl: Kubectl,
    lenses: RunningLenses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StageOn]:
    """Makes a namespace and a Lenses environment whose one cluster is that worker."""
    made: list[Stage] = []

    def make(worker: ConnectWorker) -> Stage:
        stage = make_stage(operator_kube, kubectl, lenses, worker, tmp_path_factory.mktemp("files"))
        made.append(stage)
        return stage

    yield make
    for stage in made:
        stage.place.leave()
    assert "Traceback" not in shared_operator.text()


@pytest.fixture(scope="session")
def worker(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectWorker]:
    """Of our own version, with the plugins."""
    build.require(*build.PLUGINS)
    where = tmp_path_factory.mktemp("plugins-worker")
    with ConnectWorker.start(where, broker.bootstrap, name="plugins", plugins=paths.PLUGINS) as started:
        yield started


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with Launcher() as launcher, Postgres.start(tmp_path_factory.mktemp("postgres"), launcher) as started:
        yield started


@pytest.fixture
def stage(stage_on: StageOn, worker: ConnectWorker) -> Stage:
    return stage_on(worker)


@pytest.fixture
def offsets(stage: Stage) -> Offsets:
    return Offsets(stage)


@pytest.fixture
def database(postgres: Postgres) -> Database:
    """With a table `orders` of three rows, and a user for Debezium."""
    return Database.create(postgres, f"shop_{secrets.token_hex(4)}")


@pytest.fixture
def secret(stage: Stage) -> Callable[..., None]:
    """Applies the Secret `database`."""

    def put(**values: str) -> None:
        metadata = {"name": "database", "namespace": stage.place.namespace}
        stage.place.kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values})

    return put


@pytest.fixture
def apply(stage: Stage) -> Callable[..., None]:
    """A connector of any class; returns once it runs, or says `until`."""

    def put(name: str, class_name: str, config: dict[str, Any], *, until: str = "Running", **spec: Any) -> None:
        stage._apply(name, {"class": class_name, "config": config, **spec})
        stage.place.wait_reason(until, name, SLOW)

    return put


def lines(path: Path) -> list[Any]:
    """What a file sink has written, a JSON value on each line."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def lenses_log(shared_operator: OperatorProcess) -> Callable[[], str]:
    """What the operator has logged, at DEBUG."""
    return shared_operator.text
