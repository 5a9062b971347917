"""A Lenses whose answers go over the real client, some of them spoilt, and two connectors that run on it."""

# ruff: noqa: ARG002 - the signatures are the client's

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from hypothesis import strategies as st

from fuzz.garbage import NASTY_JSON, holes
from lenses_operator.lenses.client import LensesClient, Listing, Shown
from lenses_operator.lenses.models import ClusterInfo, OffsetsText, Plugin
from unit.controllers.fakes import RUNNING, FakeKube, Operator
from unit.lenses.fakes import PAGE, rig
from unit.offsets.rig import OffsetsLenses

T = TypeVar("T")
OBJECT = 1_000_000
"""Bytes of an object, well below what etcd takes."""
DESTROYS = ("delete_connector", "reset_offsets", "alter_offsets", "put_resource")
PAGES = ((200, PAGE.encode()), (200, b""), (404, PAGE.encode()), (500, b"\xff"), (302, b""), (502, b"<" * 5000))


@dataclass
class Wire(OffsetsLenses):
    """Its answers go through the real client, some of them spoilt: what `spoil` gives of (operation, right answer)."""

    spoil: Callable[[str, Any], tuple[int, bytes] | None] = field(default=lambda *_: None)

    def __post_init__(self) -> None:
        super().__init__()

    async def _wire(self, operation: str, right: Any, ask: Callable[[LensesClient], Awaitable[T]]) -> T:
        status, body = self.spoil(operation, right) or (200, json.dumps(right).encode())
        return await ask(rig(httpx.Response(status, content=body)).client)

    async def poll_connectors(
        self, environment: str, known: Listing | None = None, *, cluster: str | None = None
    ) -> Listing:
        found = [_json(one) for one in await super().list_connectors(environment)]
        return await self._wire("list_connectors", {"data": found}, lambda it: it.poll_connectors("e", known))

    async def poll_connector(self, environment: str, cluster: str, name: str, known: bytes | None = None) -> Shown:
        shown = await super().poll_connector(environment, cluster, name)
        found = _json(shown.details)
        return await self._wire("get_connector", found, lambda client: client.poll_connector("e", cluster, name, known))

    async def get_cluster_info(self, environment: str, cluster: str) -> ClusterInfo:
        found = _json(await super().get_cluster_info(environment, cluster))
        return await self._wire("get_cluster_info", found, lambda client: client.get_cluster_info("e", cluster))

    async def get_topics(self, environment: str, cluster: str, name: str) -> list[str]:
        found = await super().get_topics(environment, cluster, name)
        return await self._wire("get_topics", found, lambda client: client.get_topics("e", cluster, name))

    async def list_plugins(self, environment: str, *, cluster: str | None = None) -> list[Plugin]:
        found = [_json(one) for one in await super().list_plugins(environment, cluster=cluster)]
        return await self._wire("list_plugins", {"data": found}, lambda client: client.list_plugins("e"))

    async def validate(self, environment: str, request: Any) -> Any:
        found = _json(await super().validate(environment, request))
        return await self._wire("validate", found, lambda client: client.validate("e", request))

    async def get_offsets(self, environment: str, cluster: str, name: str) -> OffsetsText:
        right = json.loads((await super().get_offsets(environment, cluster, name)).text)
        return await self._wire("get_offsets", {"offsets": right}, lambda it: it.get_offsets("e", cluster, name))


def _json(model: Any) -> Any:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


@dataclass
class Spoiler:
    """Spoils what is read of the connector `orders`, and the lists, as `draw` says; others' answers are right."""

    draw: st.DataObject | None = None
    active: bool = False

    def __call__(self, operation: str, right: Any) -> tuple[int, bytes] | None:
        if not self.active or self.draw is None:
            return None
        if isinstance(right, dict) and right.get("name") == "payments":
            return None
        if not self.draw.draw(st.booleans()):
            return None
        page = st.sampled_from(PAGES)
        # A configuration of other values is what Lenses says, not garbage: it is put right, by a delete.
        shapes = [hole for hole in holes(right) if not ('"config": {' in hole and "%" in _config_of(hole))]
        one = st.tuples(st.sampled_from(shapes), st.sampled_from(NASTY_JSON))
        spoilt = one.map(lambda pair: (200, pair[0].replace("%", _wrong(*pair), 1).encode()))
        raw = json.dumps(right).encode()
        cut = st.integers(0, len(raw) - 1).map(lambda at: (200, raw[:at]))
        return self.draw.draw(spoilt | spoilt | cut | page)


def _config_of(hole: str) -> str:
    return hole.partition('"config": ')[2].partition("}")[0]


def _wrong(shape: str, value: str) -> str:
    return "null" if '"config": %' in shape and value.startswith("{") else value


def fits_kubernetes(kube: FakeKube) -> None:
    """Every status that was written: within the limits, and JSON."""
    for status in kube.statuses:
        wire = json.dumps(status.to_wire(), allow_nan=False).encode()
        assert len(wire) < OBJECT
        assert all(len(condition.message) <= 32768 for condition in status.conditions)
        ids = [task.id for task in status.tasks]
        assert len(ids) == len(set(ids))


async def both_run(op: Operator) -> None:
    for name in ("orders", "payments"):
        op.kube.apply(name)
    await asyncio.sleep(30)
    assert op.said("orders") == op.said("payments") == RUNNING
    op.lenses.calls.clear()
