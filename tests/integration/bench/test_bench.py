"""The bench itself, small: that it runs to its end, and that what it counts can be believed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.dimensions import DIMENSIONS
from harness import build, paths
from harness.waiting import HANG

COUNT = 4


def run(*arguments: str) -> str:
    build.require("controlplane")
    env = {**os.environ, "PYTHONPATH": f"{paths.ROOT / 'operator'}:{paths.ROOT / 'tests'}"}
    command = [sys.executable, "-m", "bench", *arguments]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=HANG, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_it_measures_both_operators(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    arguments = [
        "--sizes",
        str(COUNT),
        "--steady",
        "1",
        "--changes",
        "2",
        "--quiet",
        "1",
        "--rounds",
        "0",
        "--out",
        str(out),
    ]
    only = ["--only", "steady,change,start,delete,floor"]
    table = run(*arguments, *only)
    ours, baseline = json.loads(out.read_text())["results"]
    assert (ours["operator"], baseline["operator"]) == ("lenses-operator", "plain kopf")
    assert ours["start"]["writes"] == 0
    assert ours["create"]["lenses_each"] >= 2, "validate and create at least"
    assert ours["create"]["writes_each"] >= 3, "finalizer, claim, status"
    assert ours["delete"]["left_in_lenses"] == 0
    assert ours["floor"]["per_second"] > 0
    assert baseline["floor"] is None
    assert ours["ratios"]["create_api_server"] > 0
    assert ours["ratios"]["create_plain"] > 0
    for scenario in ("create", "steady", "call", "start", "delete"):
        assert 0 < ours["holds"][scenario]["rare"] <= ours["holds"][scenario]["longest"]
    assert not baseline["holds"]
    for result in (ours, baseline):
        assert {"kube-apiserver", "Lenses API server for tests", "bench"} < result["create"]["parts"].keys()
        assert 0 < result["call"]["p50"] <= result["call"]["p99"]
        assert result["create"]["peak"] > 50
    assert "steady: Lenses requests/min" in table


SMALL = {
    "clusters": "1,3",
    "tokens": "1,2",
    "churn": "5",
    "failing": "4",
    "secrets": "3",
    "operations": "3",
    "policy": "1,9",
    "many": "4",
}
# What each must have come to, by the phase that is its own.
COST = {
    "clusters": ("steady", "minute"),
    "tokens": ("steady", "minute"),
    "churn": ("every entry has another state of its task", "poll"),
    "failing": ("all their tasks fail", "connector"),
    "secrets": ("all rotate", "Secret"),
    "operations": ("offsets operations", "operation"),
    "policy": ("the policy changes", "connector"),
    "many": ("restart", "connector"),
}


@pytest.mark.parametrize("name", DIMENSIONS)
def test_each_dimension_runs_to_its_end(name: str, tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    small = ["--steady", "3", "--quiet", "0", "--connectors", "6", "--polls", "2", "--trace", "20", "--every", "0.1"]
    table = run(
        "--dimensions", name, f"--{name}", SMALL[name], *small, "--setting", "POLL_INTERVAL=1", "--out", str(out)
    )
    results = json.loads(out.read_text())["dimensions"]
    assert ",".join(str(result["size"]) for result in results) == SMALL[name]
    own, unit = COST[name]
    for result in results:
        [phase] = [one for one in result["phases"] if one["name"] == own]
        spent = phase["spent"]
        assert phase["unit"] == unit
        assert any(one["spent"]["lenses"] for one in result["phases"])
        assert spent["holds"]["turns"] > 0
    assert f"{own}: seconds" in table
    assert ("n^" in table) == (len(results) > 1)
