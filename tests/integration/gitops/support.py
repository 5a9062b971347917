"""What the tests of this folder have in common: the YAML that docs/gitops.md shows."""

from __future__ import annotations

import re
from typing import Any

import yaml

from harness.paths import ROOT

DOC = ROOT / "docs" / "gitops.md"


def documents() -> list[dict[str, Any]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", DOC.read_text(), re.MULTILINE | re.DOTALL)
    return [document for block in blocks for document in yaml.safe_load_all(block)]
