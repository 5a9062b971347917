"""The environment as pytest fixtures, each started when the first test asks: `pytest_plugins = ["harness.fixtures"]`.

With pytest-xdist every worker process has its own.
"""

from collections.abc import Iterator

import pytest

from harness import build
from harness.controlplane import ControlPlane
from harness.kafka import Broker, ConnectWorker, KafkaAdmin
from harness.kube import Kube
from harness.kubectl import Kubectl


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A Kubernetes control plane without the kinds of the operator."""
    build.require("controlplane")
    with ControlPlane.start(tmp_path_factory.mktemp("controlplane")) as plane:
        yield plane


@pytest.fixture(scope="session")
def kube(control_plane: ControlPlane) -> Iterator[Kube]:
    """The Kubernetes API as the admin."""
    with Kube(control_plane.url, control_plane.token, control_plane.ca) as client:
        yield client


@pytest.fixture(scope="session")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    """The real kubectl as the admin."""
    return Kubectl(control_plane.kubeconfig)


@pytest.fixture
def namespace(kube: Kube) -> Iterator[str]:
    """A fresh namespace; it is deleted afterwards, which nobody waits for."""
    name = kube.create_namespace()
    yield name
    kube.delete("Namespace", None, name)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka broker."""
    build.require("kafka")
    with Broker.start(tmp_path_factory.mktemp("kafka")) as started:
        yield started


@pytest.fixture(scope="session")
def kafka_admin(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> KafkaAdmin:
    """Topics and records of the broker."""
    return KafkaAdmin(broker.bootstrap, tmp_path_factory.mktemp("kafka-admin"))


@pytest.fixture(scope="session")
def connect(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectWorker]:
    """A Kafka Connect cluster of one worker."""
    with ConnectWorker.start(tmp_path_factory.mktemp("connect"), broker.bootstrap) as started:
        yield started
