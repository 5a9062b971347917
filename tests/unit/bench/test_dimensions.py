"""What the bench makes of the figures of a dimension."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from bench import many
from bench.dimension_table import dimensions_shown, growth
from bench.dimensions import DIMENSIONS, add_options
from bench.figures import API_SERVER, DimensionResult, Holds, Phase, Spent


def phase(
    name: str, units: float, cpu: float, *, seconds: float = 10, peak: float = 100, busiest: float = 0.01
) -> Phase:
    spent = Spent(
        seconds=seconds,
        cpu=cpu,
        parts={API_SERVER: 2 * cpu},
        lenses={"ListConnectors": 5, "GetConnector": 15},
        kube=3,
        writes=2,
        rss=90,
        peak=peak,
        growth=0,
        holds=Holds(turns=10, longest=0.2, rare=0.1, over_aim=1, busiest=busiest, busy_rare=0.005),
    )
    return Phase(name=name, unit="connector", units=units, spent=spent)


def test_growth_is_the_power_between_the_first_and_the_last_size() -> None:
    assert growth([1, 10, 100], [2.0, 7.0, 200.0]) == "n^1.00"
    assert growth([1, 10, 100], [2.0, None, 2.0]) == "n^0.00"
    assert growth([10, 100], [1.0, None]) == ""
    assert growth([10, 10], [1.0, 2.0]) == ""


def test_each_figure_stands_beside_how_it_was_counted() -> None:
    results = [
        DimensionResult(dimension="one", grows="things", size=10, phases=[phase("made", 10, 1.0)]),
        DimensionResult(dimension="one", grows="things", size=20, phases=[phase("made", 20, 4.0)], missed=["too big"]),
        DimensionResult(dimension="other", grows="others", size=7, phases=[phase("kept", 1, 0.5)]),
    ]
    first, second = dimensions_shown(results).split("\n\n")
    [each] = [line for line in first.splitlines() if "CPU for each connector" in line]
    assert [cell.strip() for cell in each.split("│")][:4] == [
        "CPU for each connector, ms",
        "100.00",
        "200.00",
        "n^1.00",
    ]
    [ratio] = [line for line in first.splitlines() if "against API server" in line]
    assert "0.50" in ratio
    assert first.endswith("gives way at 20 things: too big")
    assert second.startswith("others")
    for line in first.splitlines()[2:-1]:
        assert line.split("│")[-1].strip(), line


def test_what_gives_way_is_each_aim_that_is_missed() -> None:
    held = [phase("create", 1, 1, peak=600), phase("steady", 1, 1, busiest=0.08), phase("restart", 1, 1, seconds=15)]
    assert many.missed(held) == [
        "create: peak RSS, against the chart's limit 600 MB, aim 537",
        "steady: most CPU in one turn of the loop 80 ms, aim 50",
    ]
    assert many.missed([phase("create", 1, 1)]) == ["nothing"]
    assert many.missed([]) == ["the memory of this machine: left out"]


def test_what_does_not_fit_into_memory_is_not_begun() -> None:
    assert many.fits(20_000, 10_000)
    assert not many.fits(20_000, 4_000)
    assert many.available() > 0


@pytest.mark.parametrize("name", DIMENSIONS)
def test_sizes_are_options(name: str) -> None:
    parser = ArgumentParser()
    add_options(parser)
    usual, chosen = parser.parse_args([]), parser.parse_args([f"--{name}", "2,3", "--dimensions", name])
    assert usual.dimensions == []
    assert len(getattr(usual, name)) > 1, "one size alone shows no growth"
    assert getattr(chosen, name) == [2, 3]
    assert [one.name for one in chosen.dimensions] == [name]
    assert len(parser.parse_args(["--dimensions", "all"]).dimensions) == len(DIMENSIONS)
