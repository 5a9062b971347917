"""Puts a fault into a copy of the package."""

from __future__ import annotations

from pathlib import Path

from faults.catalogue import Fault


def put(fault: Fault, operator: Path) -> None:
    """`operator` is the folder that holds the package. Raises ValueError where the code is another by now."""
    module = operator / "lenses_operator" / fault.module
    module.write_text(faulty(fault, module.read_text()))


def faulty(fault: Fault, source: str) -> str:
    """The module's source with the fault in it, which still compiles. Raises ValueError."""
    found = source.count(fault.before)
    if found != 1:
        raise ValueError(f"{fault.module} holds {fault.before!r} {found} times, and not once: put the fault anew")
    changed = source.replace(fault.before, fault.after)
    compile(changed, fault.module, "exec")
    return changed
