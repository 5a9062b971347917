"""Each resource's conditions as Prometheus reads them: `lenses_operator_resource_condition`.

One series for each condition that is there, with the value 1, since three times as many would say no more. The lines
are written here: at 5,000 resources the client library would hold up everything else for a fifth of a second at each
scrape. A resource that has not changed costs nothing, its lines being those of the last time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lenses_operator.observability.metrics import NAMESPACE
from lenses_operator.resources.base import ObjectKey
from lenses_operator.resources.connector import KIND as CONNECTOR
from lenses_operator.resources.connector import LensesConnector
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from lenses_operator.turns import slices

NAME = f"{NAMESPACE}_resource_condition"
CONDITIONS = frozenset({NAME})
HEAD = f"# HELP {NAME} 1 for each condition of a resource.\n# TYPE {NAME} gauge\n"
SLICE = 500
"""Resources between two turns of the event loop: some 5 ms where all of them have changed."""
ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class ConditionLines:
    """`find`: the LensesConnector of that name, if there is one. Nothing while another process works."""

    def __init__(
        self,
        connectors: Iterable[LensesConnector],
        offsets: Iterable[LensesConnectorOffsets],
        find: Callable[[ObjectKey], LensesConnector | None],
        working: Callable[[], bool],
    ) -> None:
        self._connectors = connectors
        self._offsets = offsets
        self._find = find
        self._working = working
        self._lines: dict[str, tuple[LensesConnector, str]] = {}

    async def __call__(self) -> str:
        """In Prometheus' text format. Others have their turn in between: all at once would hold the event loop for
        longer than anything else."""
        if not self._working():
            return ""
        found = [HEAD]
        there: list[LensesConnector | LensesConnectorOffsets] = [*self._connectors, *self._offsets]
        async for some in slices(there, SLICE):
            found += [self._of(one) for one in some]
        self._lines = {uid: self._lines[uid] for one in self._connectors if (uid := one.metadata.uid) in self._lines}
        return "".join(found)

    def _of(self, one: LensesConnector | LensesConnectorOffsets) -> str:
        if isinstance(one, LensesConnectorOffsets):
            found = self._find(ObjectKey(CONNECTOR, one.metadata.namespace, one.spec.connector_ref.name))
            return _lines(one, found.spec.environment if found else "")
        known = self._lines.get(one.metadata.uid)
        if known is None or known[0] is not one:  # resources are immutable: a changed one is another object
            known = self._lines[one.metadata.uid] = one, _lines(one, one.spec.environment)
        return known[1]


def _lines(resource: LensesConnector | LensesConnectorOffsets, environment: str) -> str:
    kind, namespace, name = resource.key
    what = {"kind": kind, "namespace": namespace, "name": name, "environment": environment}
    found = ""
    for condition in resource.status.conditions:
        labels = what | {"type": condition.type, "status": condition.status, "reason": condition.reason}
        pairs = ",".join(f'{label}="{value.translate(ESCAPED)}"' for label, value in labels.items())
        found += f"{NAME}{{{pairs}}} 1\n"
    return found
