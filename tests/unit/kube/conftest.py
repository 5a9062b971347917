"""The API server's own answers, in memory."""

import pytest

from unit.kube.fakes import FakeApi


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()
