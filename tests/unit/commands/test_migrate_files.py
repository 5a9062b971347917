"""Connectors of Connect's own files, converted; and whatever is given, from a directory into a directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenses_operator.cli import main
from unit.commands.migrated import CLASS, STRIMZI, WHERE, converted, migrate, refused, sent


def test_properties() -> None:
    text = rb"""
# comment
! comment
name=My Orders
connector.class = org.example.Sink
tasks.max: 2
topics   a,\
         b
path=c:\\x\ty
uni=\u00e9\uD83D\uDE00
key\ with\:this=1
empty=
database.password=planted
database.password=${file:/x:y}
"""
    body, told = converted("properties", text, "--cluster", "eu")
    assert body["metadata"]["name"] == "my-orders"
    assert body["spec"]["name"] == "My Orders"
    assert (body["spec"]["class"], body["spec"]["tasksMax"]) == ("org.example.Sink", 2)
    assert body["spec"]["config"] == {
        "topics": "a,b",
        "path": "c:\\x\ty",
        "uni": "é😀",
        "key with:this": 1,
        "empty": "",
        "database.password": "${file:/x:y}",
    }
    assert told == ["14: database.password is given twice: the last one counts, as in Kafka Connect"]


def test_properties_beyond_ascii() -> None:
    base = "name=a\nconnector.class=B\nx=é\n"
    body, told = converted("properties", base, "--cluster", "eu")
    assert body["spec"]["config"]["x"] == "é"
    assert "ISO-8859-1" in told[0]
    body, told = converted("properties", base.encode("iso-8859-1"), "--cluster", "eu")
    assert body["spec"]["config"]["x"] == "é"
    assert told == []


WHOLE: dict[str, Any] = {"name": "orders", "config": {"connector.class": "B", "tasks.max": "1", "a": "1.0"}}
INFO = {"orders": {"info": WHOLE | {"tasks": [], "type": "sink"}, "status": {"connector": {"state": "PAUSED"}}}}


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (WHOLE, {}),
        ([WHOLE], {}),
        (WHOLE["config"] | {"name": "orders"}, {}),
        (WHOLE | {"tasks": [{"connector": "orders", "task": 0}], "type": "sink"}, {}),
        (WHOLE | {"initial_state": "STOPPED"}, {"state": "stopped"}),
        (INFO, {"state": "paused"}),
    ],
    ids=["whole", "list", "config", "answer", "with-state", "expanded"],
)
def test_json_in_every_form(given: Any, more: dict[str, str]) -> None:
    body, told = converted("json", json.dumps(given), "--cluster", "eu")
    expected = {"environment": "prod", "cluster": "eu", "class": "B", "tasksMax": 1, "config": {"a": "1.0"}}
    assert body["metadata"]["name"] == "orders"
    assert body["spec"] == expected | more
    assert told == []


def test_json_numbers_are_texts_as_they_are_written() -> None:
    text = (
        '{"name": "a", "config": {"connector.class": "B", "f": 1.50, "e": 1e3, "i": 12345678901234567890, "b": true}}'
    )
    body, _ = converted("json", text, "--cluster", "eu")
    assert sent(body) == {"connector.class": "B", "f": "1.50", "e": "1e3", "i": "12345678901234567890", "b": "true"}


def test_a_name_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    file.write_text('{"connector.class": "B"}')
    done = CliRunner().invoke(main, ["migrate", "json", *WHERE, "--cluster", "eu", str(file)])
    assert yaml.safe_load(done.stdout)["metadata"]["name"] == "orders"
    assert "taken from the file's" in done.stderr


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("json", "{", "1: not JSON"),
        ("json", "3", "neither a connector"),
        ("json", '{"a": 1, "a": 2}', "a is given twice"),
        ("json", '{"name": "a", "config": {"connector.class": "B", "x": ["planted"]}}', "x is neither a text"),
        ("json", '{"name": "a", "config": {"connector.class": "B", "x": "\\ud800"}}', "not valid Unicode"),
        ("json", '{"name": "a/b", "config": {"connector.class": "B"}}', "the name 'a/b' cannot be used"),
        ("json", '{"name": "a", "config": {"connector.class": "B"}, "initial_state": "X"}', "initial_state"),
        ("properties", "name=a\n", "connector.class is missing"),
        ("properties", "name=a\nx=\\u12\n", "2: \\u without four"),
        ("properties", "name=a\nconnector.class=B\ntasks.max=x\n", "3: tasks.max is not a positive integer"),
    ],
)
def test_files_that_cannot_be_converted(kind: str, text: str, words: str) -> None:
    line = refused(kind, text, "--cluster", "eu")
    assert words in line
    assert "planted" not in line


CONFIGS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
        lambda key: key not in ("name", "connector.class", "tasks.max")
    ),
    st.text(st.characters(exclude_categories=["Cs"])),
    max_size=5,
)


@given(CONFIGS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_configuration_comes_through(config: dict[str, str]) -> None:
    whole = {"name": "orders", "config": {"connector.class": "B", **config}}
    done = migrate("json", json.dumps(whole), "--cluster", "eu")
    assert done.exit_code == 0, done.stderr
    assert sent(yaml.safe_load(done.stdout)) == whole["config"]
    resource = yaml.safe_load(STRIMZI)
    resource["spec"]["config"] = config
    # In quotes: PyYAML leaves words such as `y` bare, which Kubernetes takes for true.
    done = migrate("strimzi", yaml.safe_dump(resource, default_style='"'))
    assert sent(yaml.safe_load(done.stdout)) == {"connector.class": CLASS, **config}


def test_a_directory_into_a_directory(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "b.yaml").write_text(STRIMZI)
    (source / "a.yml").write_text(STRIMZI.replace("my-source", "other"))
    (source / "readme.md").write_text("no YAML: [")
    command = ["migrate", "strimzi", *WHERE, "-f", str(source), "--out", str(out)]
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, done.output) == (0, "")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert sorted(before) == ["my-source.yaml", "other.yaml"]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["-f", "no-such-file"], 1), (["-f", "{tmp}"], 2)])
def test_files_that_are_not_there(tmp_path: Path, arguments: list[str], code: int) -> None:
    given = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    done = CliRunner().invoke(main, ["migrate", "strimzi", *WHERE, *given])
    assert done.exit_code == code
    assert "Traceback" not in done.output
