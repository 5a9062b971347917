"""One more operator for the whole run, which watches references, and a persona of the Lenses server for each test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from harness.controlplane import ControlPlane
from harness.kube import Kube
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import Operators, Place
from harness.operator_process import OperatorProcess
from harness.personas import persona, pytest_generate_tests
from harness.process import Launcher

__all__ = ["persona", "pytest_generate_tests", "watched", "watching_operator"]

WATCHING = {"tests/operator": "watching"}


@pytest.fixture(scope="session")
def watching_operator(
    operator_kube: Kube, control_plane: ControlPlane, lenses: RunningLenses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """Watches labelled Secrets and ConfigMaps, and makes no drift checks: what it does it was told to."""
    selector = ",".join(f"{key}={value}" for key, value in WATCHING.items())
    with Launcher() as launcher:
        operators = Operators(tmp_path_factory.mktemp("watching"), control_plane, lenses, launcher)
        yield operators.start(LABEL_SELECTOR=selector, WATCH_REFERENCES="true", DRIFT_INTERVAL=86400)


@pytest.fixture
def watched(watching_operator: OperatorProcess, operator_kube: Kube, lenses: RunningLenses) -> Iterator[Place]:
    """The operator that watches references looks after it; the first look at the details is its last."""
    said = len(watching_operator.text())
    environment = f"env-{secrets.token_hex(4)}"
    lenses.control.add_environment(environment, {"connect": {"backend": "memory"}})
    made = Place(operator_kube, lenses.control, operator_kube.create_namespace(), environment, WATCHING)
    yield made
    made.leave()
    assert watching_operator.alive
    assert "Traceback" not in watching_operator.text()[said:]
