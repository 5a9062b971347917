"""The log of requests, for tests that assert what went over the wire and in which order."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Request:
    """One API request. `status` stays None while it is under way, and for one that got no answer."""

    seq: int
    method: str
    path: str
    query: dict[str, list[str]]
    operation: str | None
    environment: str | None
    clusters: tuple[str, ...] = ()
    connector: str | None = None
    token: str | None = None
    body: Any = None
    status: int | None = None
    outcome: str = "pending"
    processed: bool = False
    monotonic: float = field(default_factory=time.monotonic)
    wall: float = field(default_factory=time.time)
    finished: float | None = None
    content_type: str | None = None
    accept: str | None = None
    request_id: str | None = None
    error_id: str | None = None

    @property
    def cluster(self) -> str | None:
        return self.clusters[0] if len(self.clusters) == 1 else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"cluster": self.cluster, "clusters": list(self.clusters)}


class RequestLog:
    """A bounded ring of requests; the counts are kept apart and do not roll over."""

    def __init__(self, size: int = 20_000) -> None:
        self._ring: deque[Request] = deque(maxlen=size)
        self._counts: dict[str | None, Counter[str]] = {}
        self._next = 1

    def add(self, **fields: Any) -> Request:
        request = Request(seq=self._next, **fields)
        self._next += 1
        self._ring.append(request)
        self._counts.setdefault(request.environment, Counter())[request.operation or "unknown"] += 1
        return request

    def find(
        self,
        environment: str | None = None,
        operation: list[str] | None = None,
        connector: str | None = None,
        since: int = 0,
    ) -> list[Request]:
        return [
            request
            for request in self._ring
            if request.seq > since
            and (environment is None or request.environment == environment)
            and (operation is None or request.operation in operation)
            and (connector is None or request.connector == connector)
        ]

    def counts(self, environment: str | None = None) -> dict[str, int]:
        if environment is not None:
            return dict(self._counts.get(environment, Counter()))
        return dict(sum(self._counts.values(), Counter()))

    def reset(self, environment: str | None = None) -> None:
        if environment is None:
            self._ring.clear()
            self._counts.clear()
            return
        kept = [request for request in self._ring if request.environment != environment]
        self._ring.clear()
        self._ring.extend(kept)
        self._counts.pop(environment, None)
