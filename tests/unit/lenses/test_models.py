"""Answers as they really come: fields missing, null, renamed by type, or unknown."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorList,
    ConnectorListItem,
    ConnectorRequest,
    ConnectorState,
    ListedTask,
    OffsetEntry,
    Plugin,
    PluginList,
    Task,
    ValidationResult,
    offsets_of,
    parse_offsets,
)

BASE: dict[str, Any] = {"name": "orders", "cluster": "prod", "lrn": "kafka-connect:connector:prod/orders"}


def item(**changes: Any) -> ConnectorListItem:
    return ConnectorListItem.model_validate_json(json.dumps(BASE | changes))


def details(**changes: Any) -> ConnectorDetails:
    return ConnectorDetails.model_validate_json(json.dumps(BASE | changes))


@pytest.mark.parametrize("state", [None, "RUNNING", "DESTROYED", ""])
def test_any_state_is_read(state: str | None) -> None:
    assert item(state=state).state == details(state=state).state == state


def test_a_known_state_equals_its_word() -> None:
    assert item(state="STOPPED").state == ConnectorState.STOPPED
    assert item().state is None


@pytest.mark.parametrize("number", [7, "7"])
def test_task_ids_are_numbers_in_both_answers(number: int | str) -> None:
    tasks = [{"id": number, "state": "LOST", "workerId": "w1:8083", "trace": "boom", "new": True}]
    assert item(tasks=tasks).tasks == (ListedTask(id=7, state="LOST"),)
    assert details(tasks=tasks).tasks == (Task(id=7, state="LOST", worker_id="w1:8083", trace="boom"),)


def test_no_free_text_of_a_list_is_kept() -> None:
    """Traces, whatever else a build adds, and a state that is a sentence: nobody could cut a value out of them."""
    told = "the password hunter2 is wrong"
    task = {"id": 0, "state": told, "trace": told, "workerId": told, "message": told}
    found = item(tasks=[task], state=told, type=told, author=told, icon=told, description=told)
    assert "hunter2" not in found.model_dump_json() + repr(found)
    assert (found.state, found.type, found.tasks[0].state) == (None, None, "")


@pytest.mark.parametrize("task", [{"id": 0}, {"id": 0, "state": None}])
def test_a_task_without_a_state(task: dict[str, Any]) -> None:
    assert item(tasks=[task]).tasks[0].state == ""


@pytest.mark.parametrize("absent", [{}, {"tasks": None, "className": None, "type": None, "lrn": None, "state": None}])
def test_optional_fields_may_be_null_or_missing(absent: dict[str, Any]) -> None:
    found = item(**absent)
    assert (found.tasks, found.class_name, found.type, found.state) == ((), None, None, None)


@pytest.mark.parametrize("key", ["name", "cluster"])
@pytest.mark.parametrize("value", [None, "", 3])
def test_a_connector_without_its_name_or_cluster_is_none(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        item(**{key: value})


def test_an_absent_config_is_unknown_not_empty() -> None:
    assert details().config is None
    assert details(config=None).config is None
    assert details(config={}).config == {}


def test_config_values_become_the_text_of_connect() -> None:
    config = {"text": "a", "int": 3, "float": 1.5, "yes": True, "no": False, "null": None, "list": ["x", 1]}
    assert details(config=config).config == {
        "text": "a",
        "int": "3",
        "float": "1.5",
        "yes": "true",
        "no": "false",
        "list": '["x",1]',
    }


@pytest.mark.parametrize(
    ("errors", "hidden", "keys"),
    [
        (None, False, set()),
        ([], False, set()),
        ([{"field": "config", "reason": "no permission"}], True, set()),
        ([{"field": "config.password", "reason": "r"}, {"field": "user"}], False, {"password", "user"}),
        ([{"field": "config"}, {"field": "config.config"}], True, {"config"}),
        ([{"field": "config.config.storage.topic"}], False, {"config.storage.topic"}),
        (["nonsense", {"reason": "r"}, 3], False, set()),
        ("nonsense", False, set()),
    ],
)
def test_what_lenses_hides(errors: Any, hidden: bool, keys: set[str]) -> None:
    found = details(__errors=errors)
    assert found.config_hidden is hidden
    assert found.hidden_keys == keys


def test_details_can_be_made_by_field_names() -> None:
    made = ConnectorDetails(name="a", cluster="c", class_name="X", config_hidden=True, hidden_keys=frozenset({"k"}))
    assert (made.class_name, made.config_hidden, set(made.hidden_keys)) == ("X", True, {"k"})


def test_models_are_frozen() -> None:
    with pytest.raises(ValidationError):
        item().name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("body", ["{}", '{"data": null}', '{"data": []}'])
def test_lists_may_lack_their_data(body: str) -> None:
    assert ConnectorList.model_validate_json(body).data == ()
    assert PluginList.model_validate_json(body).data == ()


def test_a_list_with_one_unreadable_item_is_none() -> None:
    with pytest.raises(ValidationError):
        ConnectorList.model_validate_json(json.dumps({"data": [BASE, {"name": "half"}]}))


def test_plugins() -> None:
    full = {"class": "io.x.Sink", "cluster": "prod", "name": "Sink", "type": "sink", "version": "1.0", "icon": "i"}
    assert Plugin.model_validate(full) == Plugin(
        class_name="io.x.Sink", cluster="prod", name="Sink", type="sink", version="1.0"
    )
    assert Plugin.model_validate({"class": "X", "cluster": "c", "version": None}).version is None


def test_validation_errors_are_those_of_fields_that_have_any() -> None:
    result = ValidationResult.model_validate_json(
        json.dumps(
            {
                "class": "X",
                "configuration": [
                    {"name": "ok", "errors": [], "value": 3, "required": True},
                    {"name": "none", "errors": None},
                    {"name": "bad", "errors": ["first"], "value": None},
                    {"name": "bad", "errors": ["second"]},
                ],
            }
        )
    )
    assert result.class_name == "X"
    assert result.errors == {"bad": ("first", "second")}
    assert [field.value for field in result.fields] == ["3", None, None, None]
    assert ValidationResult.model_validate({"class": "X"}).errors == {}


def test_a_cluster_needs_a_name_and_a_version_to_count_as_answering() -> None:
    with pytest.raises(ValidationError):
        ClusterInfo.model_validate({"name": "prod"})


OFFSETS = '[ {"partition":{"p":1.0, "n":[null]},"offset":{"pos":123456789012345678901234567890}},{"partition":{}} ]'


@pytest.mark.parametrize(
    "body",
    [
        f'{{"offsets":{OFFSETS}}}',
        f'\n{{ "other" : {{"offsets":[3]}} , "offsets" : {OFFSETS} , "last":"]}}" }}\t',
        f'{{"offsets":[],"offsets":{OFFSETS}}}',
        f'{{"off\\u0073ets":{OFFSETS}}}',
    ],
)
def test_offsets_are_kept_to_the_letter(body: str) -> None:
    found = offsets_of(body)
    assert (found.text, found.entries) == (OFFSETS, 2)


@pytest.mark.parametrize("body", ["{}", '{"offsets":null}', '{"offsets":[]}', '{"x": 1}'])
def test_no_offsets(body: str) -> None:
    assert (offsets_of(body).text, offsets_of(body).entries) == ("[]", 0)


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "3", '{"offsets":{}}', '{"offsets":[3]}', '{"offsets":[{}]}', "{", '{"offsets":[NaN]}']
)
def test_what_are_no_offsets(body: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|partition"):
        offsets_of(body)


def test_deep_nesting_is_refused_not_fatal() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_offsets("[" * 200_000)


def test_offset_errors_never_quote() -> None:
    with pytest.raises(ValueError, match="not JSON") as caught:
        parse_offsets('[{"partition": hunter2}]')
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_numbers_of_offsets_are_exact() -> None:
    first, second = parse_offsets(OFFSETS)
    assert first.partition == {"p": Decimal("1.0"), "n": [None]}
    assert isinstance(first.partition["p"], Decimal)
    assert first.offset == {"pos": 123456789012345678901234567890}
    assert second == OffsetEntry(partition={}, offset=None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    offsets=st.lists(st.fixed_dictionaries({"partition": _JSON, "offset": _JSON}), max_size=3),
    around=st.dictionaries(st.text().filter(lambda key: key != "offsets"), _JSON, max_size=3),
    indent=st.sampled_from([None, 0, 2]),
)
def test_whatever_surrounds_the_offsets(offsets: list[Any], around: dict[str, Any], indent: int | None) -> None:
    found = offsets_of(json.dumps({**around, "offsets": offsets}, indent=indent))
    assert json.loads(found.text) == offsets
    assert [entry.partition for entry in parse_offsets(found.text)] == [entry["partition"] for entry in offsets]


def test_reprs_show_no_values() -> None:
    planted = "hunter2"
    shown = [
        ConnectorRequest(name="a", cluster="c", configuration={"password": planted}),
        details(config={"password": planted}, tasks=[{"id": 1, "state": "FAILED", "trace": planted}]),
        ValidationResult.model_validate(
            {"class": "X", "configuration": [{"name": "password", "value": planted, "errors": [f"bad {planted}"]}]}
        ),
        offsets_of(f'{{"offsets":[{{"partition":"{planted}"}}]}}'),
    ]
    for model in shown:
        assert planted not in f"{model!r} {model!s} {model} {[model]}"
        assert planted in model.model_dump_json()


def test_validation_errors_of_ours_quote_no_values() -> None:
    with pytest.raises(ValidationError) as caught:
        ConnectorRequest.model_validate({"name": "a", "cluster": "c", "configuration": {"password": ["hunter2"]}})
    assert "hunter2" not in str(caught.value)
