"""Imports that are left out: most of the time and memory of a start would go into code that never runs.

`kubernetes` imports, with any part of it, all of itself with requests and OAuth, and kopf and httpx import what else is
installed in case somebody wants it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec

BARE = ("kubernetes", "kubernetes.aio", "kubernetes.aio.config", "kubernetes.aio.utils")
"""Packages that are imported without their own `__init__`: of each only the modules that are named are loaded."""
ABSENT = ("kubernetes.client", "httpx._main")
"""Modules that count as not installed: models of objects that kopf would take too, and httpx' command line."""


def leave_out() -> None:
    """Before anything else is imported; what has been imported already stays as it is."""
    for name in BARE:
        spec = None if name in sys.modules else find_spec(name)
        if spec is None:
            continue
        module = sys.modules[name] = module_from_spec(spec)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    for name in ABSENT:
        if name not in sys.modules:
            sys.modules[name] = None  # type: ignore[assignment]  # how Python notes that there is no such module
