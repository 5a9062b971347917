"""What the tests of the Lenses server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.kafka import ConnectWorker
from harness.lenses.client import LensesApi
from harness.lenses.environment import LensesEnv

SOURCE = {"connector.class": "FileStreamSource", "tasks.max": "1", "file": "/dev/null", "topic": "lines"}
SINK = {"connector.class": "FileStreamSink", "tasks.max": "1", "file": "/dev/null", "topics": "lines"}


@pytest.fixture
def api(lenses_env: LensesEnv) -> Iterator[LensesApi]:
    """A client that may do everything in a fresh environment."""
    with lenses_env.client() as client:
        yield client


@pytest.fixture(params=["memory", "connect"])
def cluster(request: pytest.FixtureRequest, lenses_env: LensesEnv) -> str:
    """The name of a cluster of each backend in the fresh environment."""
    if request.param == "memory":
        return lenses_env.cluster
    worker: ConnectWorker = request.getfixturevalue("connect")
    lenses_env.control.add_cluster(lenses_env.name, "real", {"backend": "connect", "url": worker.url})
    return "real"
