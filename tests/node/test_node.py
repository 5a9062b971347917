"""The image in real pods, installed by helm; see `scenarios` for what is looked at."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from node.scenarios import SCENARIOS

TIMEOUT = 800.0


@pytest.mark.timeout(TIMEOUT + 100)
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(scenarios: dict[str, Future[object]], name: str) -> None:
    scenarios[name].result(TIMEOUT)
