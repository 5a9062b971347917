"""The figures of one operator with one number of connectors, and how each was counted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel

API_SERVER, LENSES, BENCH = "kube-apiserver", "Lenses API server for tests", "bench"
"""The processes beside the operator; etcd is a part of the first."""


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


class Holds(BaseModel):
    """Turns of the operator's event loop, in seconds, by the bounds of its histogram: each is that long at most.
    `rare`: 999 of 1,000 were no longer. `busiest`, `busy_rare`: the same of the CPU time that the loop's thread had in
    them, which does not grow with what else the machine does."""

    turns: int
    longest: float
    rare: float
    over_aim: int
    busiest: float
    busy_rare: float


class Spent(BaseModel):
    """What something cost from its beginning to its end. `cpu`: the operator's, in seconds; `parts`: that of every
    process that took part; `lenses`: requests by operation."""

    seconds: float
    cpu: float
    parts: dict[str, float]
    lenses: dict[str, int]
    kube: int
    writes: int
    rss: float
    peak: float
    growth: float
    holds: Holds | None = None

    @property
    def requests(self) -> int:
        return sum(self.lenses.values())

    @property
    def control_plane(self) -> float:
        """Seconds of CPU of API server and etcd."""
        return self.parts.get(API_SERVER, 0.0)


class Phase(BaseModel):
    """A part of a dimension's measurement; `units`: what its cost is shared out among."""

    name: str
    unit: str
    units: float
    spent: Spent


class DimensionResult(BaseModel):
    """One size of a dimension. `missed`: aims that it missed, where it has any."""

    dimension: str
    grows: str
    size: int
    phases: list[Phase]
    missed: list[str] = []


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
    control_plane: float
    """Seconds of CPU of API server and etcd."""


class Steady(BaseModel):
    """Nothing happens: rates per minute, CPU as a share of one core, memory at the end less that at the beginning."""

    seconds: float
    lenses_per_minute: float
    kube_per_minute: float
    writes: int
    cpu: float
    per_request: float | None
    """Seconds of CPU for each request to Lenses, with all that is done about it."""
    lenses_cpu: float
    """Of the Lenses server, as a share of one core."""
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
    control_plane: float
    """Seconds of CPU of API server and etcd."""


class Beside(BaseModel):
    """Apply to the first request about it that changes or validates, while another environment is in trouble."""

    healthy: Latency
    slow: Latency
    failing: Latency


class Ratios(BaseModel):
    """The operator's own CPU over that of others in the same run, which any machine should show alike.

    `…_api_server`: over API server and etcd while they did the same; `…_lenses`: over the Lenses server, which answered
    the same requests; `…_plain`: over the plain kopf operator with as
    many connectors, both on the same machine one after the other.
    """

    create_api_server: float | None = None
    delete_api_server: float | None = None
    start_api_server: float | None = None
    steady_lenses: float | None = None
    create_plain: float | None = None
    steady_plain: float | None = None
    request_plain: float | None = None
    start_plain: float | None = None
    delete_plain: float | None = None
    requests_plain: float | None = None
    """Lenses requests in the steady state, not CPU."""


class Result(BaseModel):
    """None: not measured here. `holds`: by scenario."""

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
    holds: dict[str, Holds] = {}
    ratios: Ratios = Ratios()


PLAIN = "plain kopf"


def compared(results: Sequence[Result]) -> list[Result]:
    """Each with its ratios, as far as there is something to hold it against."""
    plain = {result.connectors: result for result in results if result.operator == PLAIN}
    return [result.model_copy(update={"ratios": _ratios(result, plain.get(result.connectors))}) for result in results]


def _ratios(one: Result, plain: Result | None) -> Ratios:
    create, delete, start, steady = one.create, one.delete, one.start, one.steady
    found = {
        "create_api_server": create and _over(create.cpu * 1000 / one.connectors, create.parts.get(API_SERVER)),
        "delete_api_server": delete and _over(delete.cpu, delete.control_plane),
        "start_api_server": start and _over(start.cpu, start.control_plane),
        "steady_lenses": steady and _over(steady.cpu, steady.lenses_cpu),
    }
    if plain is not None and plain is not one:
        for name, part, figure in (
            ("create_plain", "create", "cpu"),
            ("steady_plain", "steady", "cpu"),
            ("request_plain", "steady", "per_request"),
            ("start_plain", "start", "cpu"),
            ("delete_plain", "delete", "cpu"),
            ("requests_plain", "steady", "lenses_per_minute"),
        ):
            ours, theirs = (getattr(getattr(result, part), figure, None) for result in (one, plain))
            found[name] = _over(ours, theirs)
    return Ratios(**found)


def _over(value: float | None, by: float | None) -> float | None:
    return value / by if value is not None and by else None
