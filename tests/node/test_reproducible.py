"""The same commit gives the same image."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.node import steps
from node.test_image import manifest


@pytest.mark.timeout(1000)
def test_the_same_context_gives_the_same_image(again: Path) -> None:
    """What identifies an image is a digest of its configuration, which holds those of its layers."""
    assert again.read_text().strip().removeprefix("sha256:") == manifest(steps.IMAGE)["Config"].removesuffix(".json")
