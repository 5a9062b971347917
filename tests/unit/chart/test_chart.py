"""The chart agrees with what it is made from and with the code it runs."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from harness import chart
from harness.paths import CHART, CRDS, ROOT
from lenses_operator.ending import GRACE
from lenses_operator.settings import Settings
from lenses_operator.variables import PREFIX

TEXT = (CHART / "values.yaml").read_text()
VALUES: dict[str, Any] = yaml.safe_load(TEXT)
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())


def test_made_files_are_up_to_date() -> None:
    """`make chart` makes them."""
    stale = [str(path.relative_to(ROOT)) for path, text in chart.made().items() if path.read_text() != text]
    assert stale == []
    copies = {path.name for path in (CHART / "files" / "crds").iterdir()}
    assert copies == {path.name for path in CRDS.iterdir()}


def test_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == project["version"]


def test_every_value_is_explained() -> None:
    assert [one.name for one in chart.values(TEXT) if not one.text] == []


def objects(schema: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every map with known fields in the schema."""
    if "properties" in schema:
        yield name, schema
        for key, below in schema["properties"].items():
            yield from objects(below, f"{name}.{key}")
    if isinstance(schema.get("items"), dict):
        yield from objects(schema["items"], f"{name}[]")


def test_schema_is_strict_and_complete() -> None:
    Draft7Validator.check_schema(SCHEMA)
    Draft7Validator(SCHEMA).validate(VALUES)
    found = dict(objects(SCHEMA))
    assert [name for name, one in found.items() if one.get("additionalProperties") is not False] == []
    for name, one in found.items():
        present: Any = VALUES
        for key in name.split(".")[1:]:
            present = present.get(key) if isinstance(present, dict) else None
        if isinstance(present, dict) and name not in (".resources", ".strategy", ".affinity"):
            assert set(present) == set(one["properties"]) - {"global"}, name


def limits(name: str) -> tuple[float, float]:
    parts = {type(part).__name__: part for part in Settings.model_fields[name].metadata}
    return parts["Ge"].ge, parts["Le"].le


@pytest.mark.parametrize("name", ["poll_interval", "list_rate", "drift_interval", "concurrency"])
def test_limits_are_the_settings_own(name: str) -> None:
    head, _, tail = name.partition("_")
    said = SCHEMA["properties"][head + tail.title()]
    assert (said["minimum"], said["maximum"]) == limits(name)
    assert VALUES[head + tail.title()] == Settings.model_fields[name].default


def test_every_setting_can_be_set() -> None:
    """All but the address to listen on, which is every one in a pod."""
    templates = "".join(path.read_text() for path in sorted((CHART / "templates").iterdir()))
    used = set(re.findall(rf"name: {PREFIX}(\w+)", templates))
    assert used == {name.upper() for name in Settings.model_fields} - {"HTTP_HOST"}


def test_a_pod_may_take_its_time_to_end() -> None:
    assert VALUES["terminationGracePeriodSeconds"] > GRACE


def test_table_of_values() -> None:
    text = "a:\n  # The first,\n  # in two lines.\n  b: 1\n# All of c | d.\nc:\n  x: [1]\n"
    found = chart.values(text)
    assert found == [
        chart.Value("a.b", "1", "The first, in two lines."),
        chart.Value("c", '{"x": [1]}', "All of c | d."),
    ]
    table = [
        "| value | default | meaning |",
        "|---|---|---|",
        "| `a.b` | `1` | The first, in two lines. |",
        '| `c` | `{"x": [1]}` | All of c \\| d. |',
    ]
    before = "\n".join(["head", chart.BEGIN, "old", chart.END, "tail"])
    assert chart.readme(before, found).splitlines() == ["head", chart.BEGIN, *table, chart.END, "tail"]
