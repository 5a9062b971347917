"""One life on each version of Kafka Connect, side by side; what was seen makes the table of the docs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors import table
from connectors.conftest import StageOn
from connectors.life import STEPS, Life
from connectors.table import TRIED
from harness import build
from harness.kafka import Broker, ConnectWorker

VERSIONS = (*build.CONNECTS, "4.3.1")
PLUGINS = {"Debezium PostgreSQL 3.6.1", "Debezium JDBC sink 3.5.0", "MirrorMaker 2"}
LIMIT = 280.0
"""Seconds for all of them, on a machine that is busy."""

Lives = dict[str, Future[dict[str, str]]]


@pytest.fixture(scope="module")
def lives(
    request: pytest.FixtureRequest, stage_on: StageOn, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lives]:
    """By version, as far as it is asked for: what came of each step."""
    asked = {item.callspec.params.get("version") for item in request.session.items if hasattr(item, "callspec")}
    versions = [version for version in VERSIONS if version in asked]
    build.require(*(f"connect-{version}" for version in versions if version in build.CONNECTS))
    where = tmp_path_factory.mktemp("versions")
    with ThreadPoolExecutor(max_workers=len(versions)) as pool:
        yield {version: pool.submit(live, version, stage_on, broker, where / version) for version in versions}


def live(version: str, stage_on: StageOn, broker: Broker, where: Path) -> dict[str, str]:
    name = f"connect-{version}"
    other = version if version in build.CONNECTS else None
    with ConnectWorker.start(where, broker.bootstrap, name=name, version=other) as worker:
        return Life(stage_on(worker), tuple(int(part) for part in version.split(".")[:2])).live()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_life(version: str, lives: Lives) -> None:
    seen = lives[version].result(LIMIT)
    TRIED.versions[version] = seen
    assert list(seen) == list(STEPS)


def test_the_docs_say_what_was_seen() -> None:
    """Last of all, once everything else was tried."""
    if list(TRIED.versions) != list(VERSIONS) or set(TRIED.plugins) != PLUGINS:
        pytest.skip("not everything was tried this time")
    table.check()
