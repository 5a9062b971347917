"""The parts of the environment: what they wait for, and until when."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.kubectl import Kubectl
from harness.parts import wait_served
from harness.process import Launcher


def test_kinds_are_not_waited_for_once_everything_is_being_stopped(tmp_path: Path) -> None:
    """Or an interrupt would keep its caller waiting for an API server that it has ended itself."""
    launcher = Launcher()
    launcher.close()
    with pytest.raises(RuntimeError, match="lensesconnectors are not waited for any more"):
        wait_served(Kubectl(tmp_path / "kubeconfig"), "lensesconnectors", launcher)
