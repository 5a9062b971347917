"""The figures of one operator with one number of connectors, and how each was counted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Latency(BaseModel):
    """Seconds."""

    count: int
    p50: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Latency:
        return cls(count=len(values), p50=percentile(values, 0.5), p99=percentile(values, 0.99))


class Create(BaseModel):
    """All applied as fast as the API server takes them, eight at a time; per connector where it says `each`."""

    seconds: float
    per_second: float
    applied_in: float
    writes_each: float
    lenses_each: float
    ready: Latency
    cpu: float
    peak: float
    parts: dict[str, float]
    """Milliseconds of CPU each, of every process that took part: an operator shares its machine with them here."""


class Floor(BaseModel):
    """The API server's part of a mass create alone: the same objects and writes, without an operator or a watch."""

    per_second: float


class Start(BaseModel):
    """A restart with everything converged: until every connector was looked at."""

    seconds: float
    writes: int
    lenses: int
    cpu: float
    peak: float
    rss: float


class Steady(BaseModel):
    """Nothing happens: rates per minute, CPU as a share of one core, memory at the end less that at the beginning."""

    seconds: float
    lenses_per_minute: float
    kube_per_minute: float
    writes: int
    cpu: float
    rss: float
    growth: float


class Delete(BaseModel):
    """The namespace is deleted: until the last object, and with it the last connector, is gone."""

    seconds: float
    per_second: float
    writes_each: float
    lenses_each: float
    left_in_lenses: int
    cpu: float


class Beside(BaseModel):
    """Apply to the first request about it that changes or validates, while another environment is in trouble."""

    healthy: Latency
    slow: Latency
    failing: Latency


class Result(BaseModel):
    """None: not measured here."""

    operator: str
    connectors: int
    create: Create | None = None
    steady: Steady | None = None
    call: Latency | None = None
    state_repair: Latency | None = None
    config_repair: Latency | None = None
    beside: Beside | None = None
    start: Start | None = None
    delete: Delete | None = None
    floor: Floor | None = None
