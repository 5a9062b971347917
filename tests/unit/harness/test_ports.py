"""A port is given to one process at a time, also before that one listens on it."""

import os
import tempfile
from pathlib import Path

import pytest

from harness import ports

ALL = range(20100, 20103)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(ports, "LOWEST", ALL[0])
    monkeypatch.setattr(ports, "HIGHEST", ALL[-1])
    monkeypatch.setattr(ports, "is_free", lambda _: True)


def test_no_port_is_given_twice() -> None:
    assert {ports.free_port() for _ in ALL} == set(ALL)
    with pytest.raises(OSError, match="no free port"):
        ports.free_port()


def test_a_port_is_given_again_once_its_time_is_over(tmp_path: Path) -> None:
    given = [ports.free_port() for _ in ALL]
    (lease,) = tmp_path.glob(f"*/{given[1]}")
    old = lease.stat().st_mtime - ports.LEASE
    os.utime(lease, (old, old))
    assert ports.free_port() == given[1]


def test_a_port_somebody_listens_on_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port == ALL[1])
    assert ports.free_port() == ALL[1]
