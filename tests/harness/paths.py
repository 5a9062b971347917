"""Where things are in this checkout; everything generated stays below `build/` and `.run/`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "tests" / "harness"
OPERATOR = ROOT / "operator"
CRDS = ROOT / "crds"
CHART = ROOT / "helm" / "lenses-operator"
BUILD = ROOT / "build"
RUN = ROOT / ".run"

CONTROL_PLANE = BUILD / "bin" / "controlplane"
HELM = BUILD / "bin" / "helm"
KSTATUS = BUILD / "bin" / "kstatus"
PROMTOOL = BUILD / "bin" / "promtool"
KAFKA_LIBS = BUILD / "kafka" / "libs"
# One directory for each plugin, as Connect's plugin.path has them.
PLUGINS = BUILD / "kafka" / "plugins"
# The one that comes with the locked dependencies: another kubectl may be on PATH.
KUBECTL = Path(sys.executable).parent / "kubectl"


def connect_libs(version: str) -> Path:
    """The jars of a Kafka Connect of that version."""
    return BUILD / "kafka" / f"connect-{version}"
