"""Everything that the cost is asked to grow with, by name."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from bench.changes import OPERATIONS, POLICY, SECRETS
from bench.figures import DimensionResult
from bench.ground import Dimension
from bench.lists import CHURN, FAILING
from bench.many import MANY
from bench.spread import CLUSTERS, TOKENS

DIMENSIONS: dict[str, Dimension] = {
    one.name: one for one in (CLUSTERS, TOKENS, CHURN, FAILING, SECRETS, OPERATIONS, POLICY, MANY)
}


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _chosen(text: str) -> list[Dimension]:
    names = list(DIMENSIONS) if text == "all" else text.split(",")
    return [DIMENSIONS[name] for name in names]


def _setting(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def add_options(parser: ArgumentParser) -> None:
    """Which dimensions, each one's sizes, and what belongs to some of them."""
    parser.add_argument("--dimensions", type=_chosen, default=[], help=f"these alone: all, or {','.join(DIMENSIONS)}")
    for one in DIMENSIONS.values():
        parser.add_argument(f"--{one.name}", type=numbers, default=list(one.sizes), help=f"numbers of {one.grows}")
    how = "of the operator in each of them, such as POLL_INTERVAL=1"
    parser.add_argument("--setting", type=_setting, action="append", default=[], help=how)
    parser.add_argument("--connectors", type=int, default=1000, help="of clusters, tokens and policy")
    parser.add_argument("--polls", type=int, default=8, help="of churn")
    parser.add_argument("--trace", type=float, default=20, help="of failing: KiB of each task's trace")
    parser.add_argument("--every", type=float, default=1, help="of operations: seconds between two of them")


def measure_all(options: Namespace, done: Callable[[list[DimensionResult]], None]) -> list[DimensionResult]:
    """Called after each: one that is broken off leaves what it has."""
    results: list[DimensionResult] = []
    for one in options.dimensions:
        for size in getattr(options, one.name):
            results.append(asyncio.run(one.measure(size, options)))
            done(results)
    return results
