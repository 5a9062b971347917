"""What the tests of this folder have in common: offsets resources beside a place's connectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.kube import Object
from harness.lenses import exactjson
from harness.lenses.control import Json
from harness.operator_fixtures import TIMEOUT, Place, reason
from harness.waiting import wait_until

KIND = "LensesConnectorOffsets"
FILE: Mapping[str, Any] = {"filename": "/dev/null"}
BEFORE = '[{"partition": {"filename": "/dev/null"}, "offset": {"position": 1000}}]'
S3 = "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector"
S3_CONFIG: Mapping[str, Any] = {"topics": "orders", "connect.s3.kcql": "insert into lake select * from orders"}
ANY = {"class": "example.AnySource", "type": "source", "alters_offsets": True}
"""Takes whatever offsets it is given, as most sources do."""
CALLS = ("ConnectorState", "GetConnectorOffsets", "AlterConnectorOffsets", "ResetConnectorOffsets")


def at(position: int) -> list[Json]:
    return [{"partition": dict(FILE), "offset": {"position": position}}]


@dataclass(frozen=True)
class Offsets:
    """The offsets resources of a place; everything is about connector `orders` unless it says otherwise."""

    place: Place

    def manifest(self, name: str = "back", /, *, connector: str = "orders", **spec: Any) -> Object:
        """An Alter to position 5 unless it says otherwise."""
        wanted = {"connectorRef": {"name": connector}, "action": "Alter", **spec}
        if wanted["action"] == "Alter" and "offsetsJson" not in wanted:
            wanted.setdefault("offsets", at(5))
        return {
            "apiVersion": "connect.lenses.io/v1alpha1",
            "kind": KIND,
            "metadata": {"name": name, "namespace": self.place.namespace, "labels": dict(self.place.labels)},
            "spec": wanted,
        }

    def apply(self, name: str = "back", /, **spec: Any) -> Object:
        return self.place.kube.apply(self.manifest(name, **spec))

    def apply_until(self, wanted: str, name: str = "back", /, **spec: Any) -> Object:
        self.apply(name, **spec)
        return self.wait_reason(wanted, name)

    def get(self, name: str = "back") -> Object:
        found = self.place.kube.get(KIND, self.place.namespace, name)
        assert found is not None
        return found

    def delete(self, name: str = "back") -> None:
        self.place.kube.delete(KIND, self.place.namespace, name)

    def wait(
        self, name: str = "back", predicate: Callable[[Object], object] = bool, timeout: float = TIMEOUT
    ) -> Object:
        return self.place.kube.wait_for(KIND, self.place.namespace, name, predicate, timeout)

    def wait_reason(self, wanted: str, name: str = "back", timeout: float = TIMEOUT) -> Object:
        return self.wait(name, lambda found: reason(found) == wanted, timeout)

    def runs(self, name: str = "orders", *, offsets: str = BEFORE, **spec: Any) -> None:
        """A connector that is as it should be and has these offsets."""
        self.place.apply(name, **spec)
        self.place.wait_reason(str(spec.get("state", "running")).title(), name)
        self.place.control.set_offsets(self.place.environment, self.place.cluster, name, offsets)

    def now(self, name: str = "orders") -> str:
        """The offsets in Lenses, numbers to the letter."""
        return exactjson.dumps(self.place.control.get_offsets(self.place.environment, self.place.cluster, name))

    def wait_state(self, state: str, name: str = "orders") -> None:
        """In Lenses, and seen by the resource."""
        self.place.wait_connector(name, lambda found: found["state"] == state)
        self.place.wait_reason(state.title(), name)

    def order(self, name: str = "orders", since: int = 0) -> list[str]:
        """State changes and offsets calls that were answered well, in order; reads of the state left out."""
        requests = [one for one in self.place.requests(*CALLS, connector=name, since=since) if one["status"] == 200]
        return [
            one["path"].rpartition("/")[2] if one["operation"] == "ConnectorState" else one["operation"]
            for one in requests
        ]

    def bodies(self, name: str = "orders", since: int = 0) -> list[str]:
        """Of every Alter, numbers to the letter."""
        found = self.place.requests("AlterConnectorOffsets", connector=name, since=since)
        return [exactjson.dumps(one["body"]["offsets"]) for one in found]

    def until(self, what: str, holds: Callable[[], object], timeout: float = TIMEOUT) -> None:
        wait_until(what, holds, timeout)
