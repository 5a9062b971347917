"""All figures as one table, each with how it was counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table

from bench.figures import API_SERVER, BENCH, LENSES, Latency, Result

Value = Callable[[Result], float | None]


def _of(part: str, name: str) -> Value:
    def value(result: Result) -> float | None:
        found = getattr(result, part)
        figure = None if found is None else getattr(found, name)
        return None if figure is None else float(figure)

    return value


def _latency(path: str, share: str) -> Value:
    def value(result: Result) -> float | None:
        found: object = result
        for name in path.split("."):
            found = getattr(found, name, None)
        return getattr(found, share) if isinstance(found, Latency) else None

    return value


def _scaled(value: Value, by: float) -> Value:
    def scaled(result: Result) -> float | None:
        found = value(result)
        return None if found is None else by * found

    return scaled


def _ratio(name: str) -> Value:
    return _of("ratios", name)


def _hold(scenario: str, name: str) -> Value:
    def value(result: Result) -> float | None:
        found = result.holds.get(scenario)
        return None if found is None else float(getattr(found, name)) * 1000

    return value


def _part(name: str) -> Value:
    return lambda result: None if result.create is None else result.create.parts.get(name)


def _each(result: Result) -> float | None:
    return None if result.create is None else result.create.cpu * 1000 / result.connectors


AUDIT = "requests of the operator's account in the API server's audit log"
SERVER = "counted by the Lenses server"
PROC = "/proc of the operator's process"
OVER = "own CPU over that of API server and etcd, each by /proc, in the same time"
BESIDE_LENSES = "own CPU over that of the tests' Lenses server, each by /proc, in the same time"
BESIDE_PLAIN = "over the same figure of plain kopf with as many connectors, same run of the bench"
TURNS = "at most, by the operator's histogram of its loop; one answer about its metrics included"
HOLDS = (
    ("longest", "longest hold of the loop", TURNS + "; time that passed, whoever had the processor"),
    ("rare", "99.9 % of its turns", "the same"),
    ("busiest", "most CPU in one turn", TURNS + "; CPU time of the loop's own thread"),
    ("busy_rare", "99.9 % of its turns, CPU", "the same"),
)
SCENARIOS = {
    "create": "mass create",
    "steady": "steady",
    "call": "single changes",
    "repair": "repair of states",
    "start": "restart",
    "beside": "beside a slow environment",
    "delete": "mass delete",
}
CALL = "apply sent, to the first validate, delete or create of it in the Lenses server's log"

ROWS: Sequence[tuple[str, str, Value, str]] = (
    ("mass create: connectors/s", ".1f", _of("create", "per_second"), "first apply to last Ready, by a watch"),
    ("  all applied after, s", ".1f", _of("create", "applied_in"), "8 server-side applies at a time"),
    ("  apply to Ready p50, s", ".2f", _latency("create.ready", "p50"), "each apply to its Ready, by a watch"),
    ("  apply to Ready p99, s", ".2f", _latency("create.ready", "p99"), "the same"),
    ("  Kubernetes writes each", ".2f", _of("create", "writes_each"), AUDIT + ", Events included"),
    ("  Lenses requests each", ".2f", _of("create", "lenses_each"), SERVER),
    ("  CPU, s", ".1f", _of("create", "cpu"), PROC + ", start included"),
    ("  each of it, ms", ".1f", _each, PROC),
    ("  against API server and etcd", ".2f", _ratio("create_api_server"), OVER + ", start included"),
    ("  against plain kopf", ".2f", _ratio("create_plain"), "CPU " + BESIDE_PLAIN),
    ("  API server and etcd, ms each", ".1f", _part(API_SERVER), "/proc of that process, during the mass create"),
    ("  Lenses, ms each", ".1f", _part(LENSES), "the same"),
    ("  bench, ms each", ".1f", _part(BENCH), "the same"),
    ("  peak RSS, MB", ".0f", _of("create", "peak"), PROC + ": VmHWM"),
    ("  the writes alone, connectors/s", ".1f", _of("floor", "per_second"), "sent by the bench itself, no operator"),
    ("steady: Lenses requests/min", ".1f", _of("steady", "lenses_per_minute"), SERVER),
    ("  Kubernetes requests/min", ".1f", _of("steady", "kube_per_minute"), AUDIT),
    ("  Kubernetes writes", ".0f", _of("steady", "writes"), AUDIT + ", whole time"),
    ("  CPU, % of a core", ".2f", _scaled(_of("steady", "cpu"), 100), PROC),
    ("  CPU for each Lenses request, ms", ".2f", _scaled(_of("steady", "per_request"), 1000), PROC + ", all it did"),
    ("  CPU against the Lenses server", ".2f", _ratio("steady_lenses"), BESIDE_LENSES),
    ("  CPU against plain kopf", ".2f", _ratio("steady_plain"), BESIDE_PLAIN),
    ("  CPU for each request against plain kopf", ".2f", _ratio("request_plain"), BESIDE_PLAIN),
    ("  Lenses requests against plain kopf", ".2f", _ratio("requests_plain"), BESIDE_PLAIN),
    ("  RSS, MB", ".0f", _of("steady", "rss"), PROC + ": VmRSS at the end"),
    ("  RSS growth, MB", ".1f", _of("steady", "growth"), "the end's less the beginning's"),
    ("one change: apply to call p50, ms", ".0f", _scaled(_latency("call", "p50"), 1000), CALL),
    ("  p99, ms", ".0f", _scaled(_latency("call", "p99"), 1000), "the same"),
    ("outside pause to resume p50, s", ".1f", _latency("state_repair", "p50"), "change to the resume in that log"),
    ("  p99, s", ".1f", _latency("state_repair", "p99"), "the same"),
    ("outside config to repair p50, s", ".1f", _latency("config_repair", "p50"), "change to the first write"),
    ("  p99, s", ".1f", _latency("config_repair", "p99"), "the same"),
    ("restart: all looked at after, s", ".1f", _of("start", "seconds"), "start of the process; see tests/bench"),
    ("  Kubernetes writes", ".0f", _of("start", "writes"), AUDIT),
    ("  Lenses requests", ".0f", _of("start", "lenses"), SERVER),
    ("  CPU, s", ".1f", _of("start", "cpu"), PROC),
    ("  CPU against API server and etcd", ".2f", _ratio("start_api_server"), OVER),
    ("  CPU against plain kopf", ".2f", _ratio("start_plain"), BESIDE_PLAIN),
    ("  peak RSS, MB", ".0f", _of("start", "peak"), PROC + ": VmHWM"),
    ("apply to call, other env. healthy p99, ms", ".0f", _scaled(_latency("beside.healthy", "p99"), 1000), CALL),
    ("  other env. answers after 5 s p99, ms", ".0f", _scaled(_latency("beside.slow", "p99"), 1000), CALL),
    ("  other env.'s lists fail p99, ms", ".0f", _scaled(_latency("beside.failing", "p99"), 1000), CALL),
    ("mass delete: connectors/s", ".1f", _of("delete", "per_second"), "namespace delete to last object gone"),
    ("  Kubernetes writes each", ".2f", _of("delete", "writes_each"), AUDIT),
    ("  Lenses requests each", ".2f", _of("delete", "lenses_each"), SERVER),
    ("  CPU, s", ".1f", _of("delete", "cpu"), PROC),
    ("  CPU against API server and etcd", ".2f", _ratio("delete_api_server"), OVER),
    ("  CPU against plain kopf", ".2f", _ratio("delete_plain"), BESIDE_PLAIN),
    ("  left in Lenses", ".0f", _of("delete", "left_in_lenses"), "asked of the Lenses server"),
    *(
        (f"{shown}: {words}, ms" if name == "longest" else f"  {words}, ms", ".1f", _hold(scenario, name), how)
        for scenario, shown in SCENARIOS.items()
        for name, words, how in HOLDS
    ),
)


def shown(results: Sequence[Result]) -> str:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("figure")
    for result in results:
        table.add_column(f"{result.operator}\n{result.connectors}", justify="right")
    table.add_column("how it was counted")
    for name, form, value, how in ROWS:
        cells = [value(result) for result in results]
        if any(cell is not None for cell in cells):
            table.add_row(name, *("" if cell is None else format(cell, form) for cell in cells), how)
    return printed(table)


def printed(table: Table) -> str:
    text = StringIO()
    Console(file=text, width=400).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
