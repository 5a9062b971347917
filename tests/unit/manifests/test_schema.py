"""What the API server would refuse; the integration tests hold the same cases against a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.paths import CRDS
from lenses_operator.manifests.documents import Document, read
from lenses_operator.manifests.schema import RULES, crd_schema, refusals
from lenses_operator.planning.inputs import resource_of
from unit.manifests.refused import BAD_NAMES, GOOD, OFFSETS, REFUSED, manifest, offsets


def document(tmp_path: Path, body: dict[str, Any]) -> Document:
    file = tmp_path / "m.yaml"
    file.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False))
    found = read([file], "mine")
    return (found.connectors + found.offsets)[0]


@pytest.mark.parametrize("spec", GOOD)
def test_good_ones(tmp_path: Path, spec: dict[str, Any]) -> None:
    assert refusals(document(tmp_path, manifest(**spec))) == []


@pytest.mark.parametrize(("spec", "words"), REFUSED.values(), ids=list(REFUSED))
def test_refused(tmp_path: Path, spec: dict[str, Any], words: tuple[str, ...]) -> None:
    found = refusals(document(tmp_path, manifest(**spec)))
    assert found
    for word in words:
        assert any(word in message for _, message in found), (word, found)


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
@pytest.mark.parametrize("field", ["name", "cluster", "environment"])
def test_bad_names(tmp_path: Path, field: str, name: str) -> None:
    found = refusals(document(tmp_path, manifest(**{field: name})))
    assert any(f"spec.{field}" in message for _, message in found)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted(crd_schema("LensesConnector")["properties"]["spec"]["properties"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(FIELDS), value=ANYTHING)
def test_whatever_stands_there_is_refused_or_can_be_used(tmp_path: Path, field: str, value: object) -> None:
    body = manifest()
    body["spec"][field] = value
    found = document(tmp_path, body)
    if not refusals(found):
        resource_of(found, None, 0)


def test_lines(tmp_path: Path) -> None:
    found = document(tmp_path, manifest(config={"a": "b", "rate": 0.5}, nothing=1))
    text = Path(found.file).read_text().splitlines()
    for place, message in refusals(found):
        assert message.split()[0].rsplit(".", 1)[-1] in text[place.line - 1]


def test_values_are_never_quoted(tmp_path: Path) -> None:
    found = refusals(document(tmp_path, manifest(config={"password": {"planted": "planted"}, "list": ["planted"]})))
    assert len(found) == 2
    assert "planted" not in str(found)


@pytest.mark.parametrize("field", ["environment", "cluster", "name"])
def test_what_cannot_be_changed(tmp_path: Path, field: str) -> None:
    before = manifest(name="orders")
    assert refusals(document(tmp_path, manifest(name="orders")), before) == []
    ((_, message),) = refusals(document(tmp_path, manifest(**{"name": "orders", field: "other"})), before)
    assert "cannot be changed" in message


def test_a_name_cannot_be_added(tmp_path: Path) -> None:
    ((_, message),) = refusals(document(tmp_path, manifest(name="orders")), manifest())
    assert "spec.name cannot be changed" in message


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"name": "Upper"}, "metadata.name"),
        ({"name": "a", "namespace": "a.b"}, "metadata.namespace"),
        ({"name": "a", "namespace": 5}, "metadata.namespace must be text"),
        ({"name": "a", "annotations": {"x": 1}}, "metadata.annotations.x must be text"),
        ({"name": "x" * 250}, "longer than the 249 characters"),
    ],
)
def test_metadata(tmp_path: Path, metadata: dict[str, Any], said: str) -> None:
    ((_, message),) = refusals(document(tmp_path, {**manifest(), "metadata": metadata}))
    assert said in message


@pytest.mark.parametrize(("spec", "said"), OFFSETS)
def test_offsets(tmp_path: Path, spec: dict[str, Any], said: str) -> None:
    found = refusals(document(tmp_path, offsets(**spec)))
    assert [said in message for _, message in found] == ([True] if said else [])


def rules(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from (rule["rule"] for rule in schema.get("x-kubernetes-validations", ()))
        for inner in schema.values():
            yield from rules(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from rules(inner)


def test_every_rule_of_the_crds_has_its_equivalent_and_no_other() -> None:
    found = {
        " ".join(rule.split())
        for kind in ("LensesConnector", "LensesConnectorOffsets")
        for rule in rules(crd_schema(kind))
    }
    assert found == set(RULES)


def test_the_package_has_the_crds_of_the_checkout() -> None:
    packaged = CRDS.parent / "operator" / "lenses_operator" / "crds"
    assert {file.name: file.read_text() for file in packaged.iterdir()} == {
        file.name: file.read_text() for file in CRDS.iterdir()
    }
