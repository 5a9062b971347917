"""Where things are in this checkout; everything generated stays below `build/` and `.run/`."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "tests" / "harness"
OPERATOR = ROOT / "operator"
CRDS = ROOT / "crds"
CHART = ROOT / "helm" / "lenses-operator"
BUILD = ROOT / "build"
RUN = ROOT / ".run"

ACTIONLINT = BUILD / "bin" / "actionlint"
CONTROL_PLANE = BUILD / "bin" / "controlplane"
API_SERVER = Path(os.environ.get("API_SERVER_BINARY") or CONTROL_PLANE)
"""Of another version in the trials of `harness.versions`; and so is helm."""
HELM = Path(os.environ.get("HELM_BINARY") or BUILD / "bin" / "helm")
KSTATUS = BUILD / "bin" / "kstatus"
PROMTOOL = BUILD / "bin" / "promtool"
ARGOCD = BUILD / "argocd"
FLUX = BUILD / "flux"
KAFKA_LIBS = BUILD / "kafka" / "libs"
# One directory for each plugin, as Connect's plugin.path has them.
PLUGINS = BUILD / "kafka" / "plugins"
# The one that comes with the locked dependencies: another kubectl may be on PATH.
KUBECTL = Path(sys.executable).parent / "kubectl"


def connect_libs(version: str) -> Path:
    """The jars of a Kafka Connect of that version."""
    return BUILD / "kafka" / f"connect-{version}"
