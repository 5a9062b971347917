"""LensesConnectorOffsets in a plan: what would run once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenses_operator.domain.offsets_text import OffsetsInvalid, differences, request_text
from lenses_operator.domain.reasons import OffsetsReason
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses.models import parse_offsets
from lenses_operator.manifests.documents import Document
from lenses_operator.manifests.schema import refusals
from lenses_operator.planning.cluster import Bodies
from lenses_operator.planning.lenses_view import LensesView
from lenses_operator.planning.result import Action, Item
from lenses_operator.resources.connector import ConnectorKey
from lenses_operator.resources.connector_offsets import Action as Operation
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets, OffsetsSpec

MOST_ROWS = 20
"""Partitions that are shown one by one."""


class OffsetsPlanner:
    """`connectors`: of every LensesConnector in the files or the cluster, by namespace and name."""

    def __init__(
        self,
        lenses_view: LensesView,
        bodies: Bodies,
        connectors: Mapping[tuple[str, str], ConnectorKey],
        *,
        clustered: bool,
    ) -> None:
        self._sight = lenses_view
        self._bodies = bodies
        self._connectors = connectors
        self._clustered = clustered

    async def item(self, document: Document) -> Item:
        item = Item(document.kind, document.namespace, document.name, place=document.place())
        before = self._bodies.get((document.kind, document.namespace, document.name))
        wrong = refusals(document, before)
        if wrong:
            return item.refuse("Invalid", *wrong)
        spec = OffsetsSpec.model_validate(
            {key: value for key, value in document.body["spec"].items() if value is not None}
        )
        name = spec.connector_ref.name
        item.connector = self._connectors.get((document.namespace, name))
        if item.connector is None:
            where = "neither in the files nor in the cluster" if self._clustered else "not in the files"
            item.notes.append(f"LensesConnector {name} is {where}; until it is there, this waits.")
        if spec.action is Operation.OBSERVE:
            item.notes.append("Reads the connector's offsets into status.offsets; changes nothing.")
            return item
        try:
            text = request_text(spec)
        except OffsetsInvalid as error:
            return item.refuse(OffsetsReason.OFFSETS_INVALID, (document.place(("spec", "offsets")), str(error)))
        if _carried_out(before, document):
            item.notes.append("Was carried out already.")
            return item
        item.action = Action.OFFSETS
        item.notes.append(_what(name, text, clustered=self._clustered))
        if item.connector is not None:
            item.notes += await self._differences(item.connector, text)
        return item

    async def _differences(self, connector: ConnectorKey, text: str | None) -> list[str]:
        """By the comparison that the operator makes after it has set them."""
        try:
            now = await self._sight.offsets(connector)
        except LensesError as error:
            return [f"What the offsets are now could not be read ({error})."]
        rows = differences(text, now)
        if not rows:
            return ["The offsets are like that now."]
        more = [f"and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []
        return [f"now: {row}" for row in rows[:MOST_ROWS]] + more


def _what(name: str, text: str | None, *, clustered: bool) -> str:
    count = 0 if text is None else len(parse_offsets(text))
    partitions = f"sets the offsets of {count} {'partition' if count == 1 else 'partitions'}"
    what = "forgets all its offsets" if text is None else partitions
    once = "" if clustered else " It runs once for each generation: not again if it was applied like this before."
    return f"Stops connector {name}, {what}, and lets it go on.{once}"


def _carried_out(before: Mapping[str, Any] | None, document: Document) -> bool:
    """The same spec was applied to the end, well or badly: a new generation is a new operation."""
    if before is None or before["spec"] != document.body["spec"]:
        return False
    operation = LensesConnectorOffsets.read(before)
    return operation.applied or operation.failed
