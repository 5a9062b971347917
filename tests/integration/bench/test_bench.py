"""The bench itself, small: that it runs to its end, and that what it counts can be believed."""

import json
import os
import subprocess
import sys
from pathlib import Path

from harness import build, paths

COUNT = 4
TIMEOUT = 200


def test_it_measures_both_operators(tmp_path: Path) -> None:
    build.require("controlplane")
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
    env = {**os.environ, "PYTHONPATH": f"{paths.ROOT / 'operator'}:{paths.ROOT / 'tests'}"}
    command = [sys.executable, "-m", "bench", *arguments, *only]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
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
    assert "steady: Lenses requests/min" in ended.stdout
