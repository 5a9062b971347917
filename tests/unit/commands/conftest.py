"""A plan over manifests, with Lenses and the cluster in memory."""

from pathlib import Path

import pytest

from unit.commands.planned import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)
