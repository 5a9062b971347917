"""Alert rules and dashboard, held against the metrics there are; promtool evaluates the rules as Prometheus would."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import build
from harness.paths import PROMTOOL, ROOT
from harness.waiting import HANG
from lenses_operator.domain.reasons import OffsetsReason, Reason
from unit.observability.full import Full

HERE = Path(__file__).parent
FILES = ROOT / "helm" / "lenses-operator" / "files"
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((FILES / "dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in ALERTS] + [
    (panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]
]
TESTS = sorted(HERE.glob("*.test.yaml"))
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
SERIES = Full().series()
TARGET = {"job", "instance", "namespace", "pod"}
"""Labels that Prometheus adds to whatever it scrapes."""
METRIC = re.compile(r"\b((?:lenses_operator|process)_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')


def promtool(*args: str | Path) -> str:
    build.require("promtool")
    done = subprocess.run([PROMTOOL, *args], capture_output=True, text=True, check=False, timeout=HANG)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def labels_of(expression: str) -> set[str]:
    """Every label that the expression's series may have."""
    return TARGET.union(*(labels for name, _ in METRIC.findall(expression) for labels in SERIES.get(name, ())))


def test_the_rules_are_rules() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", FILES / "alerts.yaml")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_alerts_fire_when_they_should(path: Path) -> None:
    promtool("test", "rules", path)


def cases() -> Iterator[tuple[str, bool]]:
    """Alert, and whether it fires there."""
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                yield case["alertname"], bool(case["exp_alerts"])


def test_every_alert_is_seen_to_fire_and_seen_not_to() -> None:
    assert set(cases()) == {(rule["alert"], fires) for rule in ALERTS for fires in (True, False)}


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_metrics_and_labels_exist(title: str, expression: str) -> None:
    found = METRIC.findall(expression)
    assert found
    for name, matchers in found:
        assert name in SERIES, name
        for label, _, _ in MATCHER.findall(matchers):
            assert any(label in labels for labels in SERIES[name]), f"{name} has no label {label}"
    for grouped in re.findall(r"\b(?:by|on|ignoring) \(([^)]*)\)", expression):
        assert {label.strip() for label in grouped.split(",")} <= labels_of(expression)


def inputs() -> Iterator[tuple[str, str]]:
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for series in test["input_series"]:
                yield path.name, series["series"]


def test_what_the_alerts_are_tried_with_could_come_from_the_operator() -> None:
    for path, series in inputs():
        [(name, matchers)] = METRIC.findall(series)
        labels = {label for label, _, _ in MATCHER.findall(matchers)}
        own = labels - TARGET if "namespace" not in set().union(*SERIES[name]) else labels
        assert own in SERIES[name], (path, series)


REASONS = {str(reason) for reason in (*Reason, *OffsetsReason)}


def test_reasons_exist() -> None:
    """A misspelt reason in a rule would match nothing, for ever."""
    for title, expression in EXPRESSIONS:
        for name, matchers in METRIC.findall(expression):
            if name in ("lenses_operator_resource_condition", "lenses_operator_environment_error"):
                named = [value for label, _, value in MATCHER.findall(matchers) if label == "reason"]
                assert {word for value in named for word in value.split("|")} <= REASONS, title


def test_labels_in_texts_are_there() -> None:
    for rule in ALERTS:
        texts = " ".join(rule["annotations"].values())
        assert set(re.findall(r"\$labels\.(\w+)", texts)) <= labels_of(rule["expr"]), rule["alert"]
    for panel in PANELS:
        for target in panel["targets"]:
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels_of(target["expr"]), panel[
                "title"
            ]


def anchors() -> dict[str, str]:
    """Of every heading, as GitHub makes them, and what stands below it."""
    parts = re.split(r"^## (.+)\n", RUNBOOK, flags=re.MULTILINE)[1:]
    return {heading.lower().replace(" ", "-"): text for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def test_every_alert_has_its_section_in_the_runbook_and_every_section_its_alert() -> None:
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in ALERTS}
    assert links == {alert: f"docs/runbook.md#{alert.lower()}" for alert in links}
    assert anchors().keys() == {alert.lower() for alert in links}
    for text in anchors().values():
        assert [word for word in ("Meaning", "Look at", "Do") if f"**{word}.** " in text] == [
            "Meaning",
            "Look at",
            "Do",
        ]


def test_metrics_named_in_the_runbook_exist() -> None:
    assert set(re.findall(r"lenses_operator_\w+", RUNBOOK)) <= SERIES.keys()


def test_alerts_say_how_bad_it_is() -> None:
    assert {rule["labels"]["severity"] for rule in ALERTS} == {"critical", "warning"}
    assert all(rule["for"] for rule in ALERTS)


def test_queries_of_the_dashboard_are_queries(tmp_path: Path) -> None:
    rules = []
    for number, (title, expression) in enumerate(EXPRESSIONS[len(ALERTS) :]):
        plain = expression.replace("$__rate_interval", "5m").replace("$environment", "prod|dev")
        assert "$" not in plain, title
        rules.append({"record": f"panel:{number}", "expr": plain})
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", path)


def test_the_dashboard_takes_any_prometheus() -> None:
    def sources(found: Any) -> Iterator[Any]:
        if isinstance(found, dict):
            yield from ([found["datasource"]] if "datasource" in found else [])
            for value in found.values():
                yield from sources(value)
        elif isinstance(found, list):
            for value in found:
                yield from sources(value)

    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources(DASHBOARD))
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {"datasource", "environment"}
    assert not DASHBOARD.keys() & {"id", "uid"}


def test_its_panels_lie_beside_each_other() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["title"] and panel["description"] for panel in PANELS)


def test_every_metric_is_shown() -> None:
    shown = {name for _, expression in EXPRESSIONS[len(ALERTS) :] for name, _ in METRIC.findall(expression)}
    ours = {name for name in SERIES if name.startswith("lenses_operator_")}
    helpers = {name for name in ours if name.endswith(("_created", "_sum", "_count"))}
    assert shown >= ours - helpers
