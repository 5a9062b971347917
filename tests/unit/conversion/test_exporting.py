"""What is exported is what Lenses has, by the operator's own rules for rendering and for adoption."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lenses_operator.conversion.exporting import Exported, exported
from lenses_operator.conversion.manifest import LONGEST, NotExpressible
from lenses_operator.conversion.text import connector_text, values_text
from lenses_operator.conversion.values import PLACEHOLDER
from lenses_operator.domain.drift import compare, hides
from lenses_operator.domain.references import RefData, RefName
from lenses_operator.domain.render import render
from lenses_operator.lenses.models import ConnectorDetails
from lenses_operator.resources.connector import ConnectorSpec
from unit.conversion.exported import CLASS, CONFIG, details, export

FIELDS = ("name", "connector.class", "tasks.max")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.sampled_from(["topics", "db.password", "a b", "on", "x", "errors.tolerance", "é.secret"]) | TEXT


def without_config() -> ConnectorDetails:
    return ConnectorDetails(name="orders", cluster="eu", state="RUNNING")


def read_back(found: Exported) -> tuple[dict[str, Any], dict[str, str]]:
    """The object as written, and the configuration the operator makes of it."""
    body = yaml.safe_load(connector_text(found.manifest))
    references = {}
    for values in found.objects:
        written = yaml.safe_load(values_text(values))
        data = written["stringData" if values.kind == "Secret" else "data"]
        references[RefName(values.kind, written["metadata"]["name"])] = RefData(
            "1", {key: value.encode() for key, value in data.items()}
        )
    return body, dict(render(ConnectorSpec.model_validate(body["spec"]), references).config)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(KEYS.filter(lambda key: 0 < len(key) < 900), TEXT | st.integers().map(str) | st.booleans().map(str))
)
def test_what_the_operator_makes_of_it_is_what_was_there(config: dict[str, str]) -> None:
    config = {key: value for key, value in config.items() if key not in FIELDS and not hides(key, value)}
    _, back = read_back(export(CONFIG | config))
    assert back | {"name": "orders"} == CONFIG | config


def test_it_reads_well() -> None:
    config = CONFIG | {
        "database.password": "planted",
        "value.converter": "io.confluent.connect.avro.AvroConverter",
        "errors.log.enable": "true",
        "producer.override.linger.ms": "100",
        "database.port": "5432",
        "message.key.columns": "0644",
        "query": "SELECT a\nFROM b\n",
        "topics": "x,y",
        "transforms": "route",
    }
    found = exported("prod", details(config, state="PAUSED", name="Orders"), "orders", "shop")
    assert connector_text(found.manifest) == (
        "apiVersion: connect.lenses.io/v1alpha1\n"
        "kind: LensesConnector\n"
        "metadata:\n"
        "  name: orders\n"
        "  namespace: shop\n"
        "spec:\n"
        "  environment: prod\n"
        "  cluster: eu\n"
        "  name: Orders\n"
        f"  class: {CLASS}\n"
        "  tasksMax: 1\n"
        "  config:\n"
        "    topics: x,y\n"
        "    database.port: 5432\n"
        '    message.key.columns: "0644"\n'
        "    query: |\n"
        "      SELECT a\n"
        "      FROM b\n"
        "    topic.prefix: shop\n"
        "    transforms: route\n"
        "    value.converter: io.confluent.connect.avro.AvroConverter\n"
        "    errors.log.enable: true\n"
        "    producer.override.linger.ms: 100\n"
        "  configFrom:\n"
        "    - key: database.password\n"
        "      secretKeyRef: {name: orders-connector-secrets, key: database.password}\n"
        "  state: paused\n"
    )
    assert values_text(found.secrets[0]) == (
        "apiVersion: v1\n"
        "kind: Secret\n"
        "metadata:\n"
        "  name: orders-connector-secrets\n"
        "  namespace: shop\n"
        "stringData:\n"
        "  database.password: planted\n"
    )


@pytest.mark.parametrize(
    ("state", "written", "told"),
    [
        ("RUNNING", None, False),
        ("FAILED", None, False),
        ("PAUSED", "paused", False),
        ("STOPPED", "stopped", False),
        ("UNASSIGNED", None, True),
        (None, None, True),
    ],
)
def test_states(state: str | None, written: str | None, told: bool) -> None:
    found = export(state=state)
    assert found.manifest.state == written
    assert any("state" in note for note in found.notes) == told


def test_tasks_max_only_where_it_is_there() -> None:
    config = {key: value for key, value in CONFIG.items() if key != "tasks.max"}
    body, back = read_back(export(config))
    assert "tasksMax" not in body["spec"]
    assert "tasks.max" not in back


@pytest.mark.parametrize("masked", ["****", "********", "[hidden]"])
def test_a_masked_value_becomes_a_placeholder_that_is_taken_for_the_same(masked: str) -> None:
    config = CONFIG | {"database.password": masked, "other": masked}
    found = export(config)
    assert found.secrets[0].data == {"database.password": PLACEHOLDER, "other": PLACEHOLDER}
    assert "database.password, other" in " ".join(found.notes)
    assert values_text(found.secrets[0]).count("# Lenses does not show this value") == 2
    _, back = read_back(found)
    assert not compare(back, config, None)


def test_what_is_not_shown_at_all_becomes_a_placeholder_too() -> None:
    errors = [
        {"field": "config.db.pass", "reason": "x"},
        {"field": "config.topics", "reason": "x"},
        {"field": "topic.prefix", "reason": "x"},
        {"field": "workerId"},
    ]
    found = export(__errors=errors)
    assert found.secrets[0].data == dict.fromkeys(("db.pass", "topic.prefix", "topics"), PLACEHOLDER)
    _, back = read_back(found)
    assert not compare(back, CONFIG, None, {"db.pass", "topic.prefix", "topics"})


def test_a_value_hidden_in_part_is_kept_and_told() -> None:
    found = export(CONFIG | {"database.url": "jdbc:db://u:***@host/x"})
    assert found.secrets[0].data["database.url"] == "jdbc:db://u:***@host/x"
    assert "database.url" in found.notes[0]


def test_what_connect_calls_a_password_is_one() -> None:
    found = exported(
        "prod", details(CONFIG | {"magic": "planted", "ref": "${vault:x:y}"}), "orders", passwords={"magic", "ref"}
    )
    assert found.secrets[0].data == {"magic": "planted"}
    assert found.manifest.config["ref"] == "${vault:x:y}"
    assert "planted" not in connector_text(found.manifest)
    assert "planted" not in repr(found)


def test_keys_that_no_secret_can_have() -> None:
    found = export(CONFIG | {"pass word.password": "a", "pass-word.password": "b", "é.secret": "c"})
    assert sorted(found.secrets[0].data.values()) == ["a", "b", "c"]
    _, back = read_back(found)
    assert (back["pass word.password"], back["pass-word.password"], back["é.secret"]) == ("a", "b", "c")


def test_a_value_too_long_for_the_resource_goes_to_a_config_map() -> None:
    long = base64.b64encode(b"x" * LONGEST).decode()
    found = export(CONFIG | {"schema": long})
    assert [values.kind for values in found.objects] == ["ConfigMap"]
    assert read_back(found)[1]["schema"] == long


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"omit": True}, "does not show its configuration"),
        ({"__errors": [{"field": "config", "reason": "x"}]}, "does not show its configuration"),
        ({"name": "a/b"}, "the name 'a/b'"),
        ({"cluster": "a/b"}, "the cluster 'a/b'"),
        ({"config": CONFIG | {"tasks.max": "03"}}, "tasks.max"),
        ({"config": CONFIG | {"tasks.max": "3000000000"}}, "tasks.max"),
        ({"config": CONFIG | {"connector.class": "a b"}}, "connector.class"),
        ({"config": {"topics": "x"}}, "connector.class"),
        ({"config": {"topics": "x"}, "className": CLASS}, "missing connector.class"),
        ({"config": CONFIG | {f"{n}.password": "planted" for n in range(65)}}, "65 values"),
        ({"config": CONFIG | {"k" * 1001: ""}}, "longer than 1000"),
    ],
)
def test_what_no_resource_can_say(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(NotExpressible) as problem:
        exported("prod", without_config() if "omit" in fields else details(**fields), "orders")
    assert why in str(problem.value)
    assert "planted" not in str(problem.value)
