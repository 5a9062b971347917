"""configFrom: values from Secrets and ConfigMaps of the resource's own namespace, followed as they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.operator_fixtures import Operators, Place, conditions, message, reason
from integration.complete.support import (
    CONFIG,
    config_map,
    creates,
    secret,
    sent,
    wait_creates,
)

MAP, SECRET = {"configMapRef": {"name": "defaults"}}, {"secretRef": {"name": "settings"}}
MAP_KEY = {"key": "one", "configMapKeyRef": {"name": "region", "key": "aws"}}
SECRET_KEY = {"key": "two", "secretKeyRef": {"name": "s3", "key": "secretKey"}}
FORMS: Mapping[str, Any] = {"map": MAP, "secret": SECRET, "map-key": MAP_KEY, "secret-key": SECRET_KEY}
SOON = 10.0
"""Well before a missing reference is looked for again by itself, which takes twelve seconds at least."""


def put_all(place: Place, *, watched: bool = False) -> None:
    config_map(place, "defaults", {"a": "map"}, watched=watched)
    secret(place, "settings", {"b": "secret"}, watched=watched)
    config_map(place, "region", {"aws": "eu"}, watched=watched)
    secret(place, "s3", {"secretKey": "planted"}, watched=watched)


def optional(form: Mapping[str, Any]) -> dict[str, Any]:
    return {field: {**ref, "optional": True} if field.endswith("Ref") else ref for field, ref in form.items()}


def from_secret(key: str = "password", name: str = "db", data_key: str = "pw") -> dict[str, Any]:
    return {"key": key, "secretKeyRef": {"name": name, "key": data_key}}


def test_all_four_forms(place: Place) -> None:
    put_all(place)
    found = place.runs(configFrom=list(FORMS.values()))
    values = {"a": "map", "b": "secret", "one": "eu", "two": "planted"}
    assert {key: sent(place)[key] for key in values} == values
    assert values.items() <= place.wait_connector()["config"].items()
    names = {(entry["name"], entry["key"]) for entry in found["status"]["appliedConfig"]["secrets"]}
    assert names == {("settings", "b"), ("s3", "secretKey")}


def test_optional(place: Place) -> None:
    """Neither object nor key is there; each form by itself asks for it when it is not optional."""
    place.runs("none", configFrom=[optional(form) for form in FORMS.values()])
    config_map(place, "region", {"other": "x"})
    secret(place, "s3", {"other": "x"})
    place.runs("no-key", configFrom=[optional(MAP_KEY), optional(SECRET_KEY)])
    for name in ("none", "no-key"):
        assert set(sent(place, name)) == {"file", "topic", "connector.class"}


def test_precedence(place: Place) -> None:
    """A later entry over an earlier one, whatever its form; config over all of them."""
    config_map(place, "first", {"a": "1", "b": "1", "c": "1", "file": "1"})
    secret(place, "second", {"b": "2", "c": "2"})
    config_map(place, "third", {"x": "3"})
    place.runs(
        configFrom=[
            {"configMapRef": {"name": "first"}},
            {"secretRef": {"name": "second"}},
            {"key": "c", "configMapKeyRef": {"name": "third", "key": "x"}},
        ]
    )
    expected = {"a": "1", "b": "2", "c": "3", "file": CONFIG["file"]}
    assert {key: sent(place)[key] for key in expected} == expected
    place.runs(
        "turned", configFrom=[{"secretRef": {"name": "second"}}, {"configMapRef": {"name": "first"}}], config=CONFIG
    )
    assert sent(place, "turned")["b"] == "1"


def test_the_same_namespace_only(place: Place, own_place: Place) -> None:
    secret(own_place, "db", {"pw": "planted"})
    place.apply(configFrom=[from_secret()])
    found = place.wait_reason("ReferenceNotFound", about="Secret db, which does not exist in this namespace")
    assert "planted" not in str(found)
    place.wait_polls()
    assert place.writes() == []


def test_missing_and_then_there(place: Place) -> None:
    """Each form names field, object and key; the connector starts at the next look once it is there."""
    for name, form in FORMS.items():
        place.apply(name, configFrom=[optional(MAP), form])
    for name, what in (("map", "ConfigMap defaults"), ("secret", "Secret settings")):
        found = place.wait_reason("ReferenceNotFound", name, about=what)
        assert "spec.configFrom[1]" in message(found)
        assert set(conditions(found)) == {"Ready", "Stalled"}
    config_map(place, "region", {"other": "x"})
    secret(place, "s3", {"other": "x"})
    place.apply("no-key", configFrom=[MAP_KEY])
    place.apply("no-secret-key", configFrom=[SECRET_KEY])
    missing_key = {"no-key": ("'aws'", "ConfigMap region"), "no-secret-key": ("'secretKey'", "Secret s3")}
    for name, words in missing_key.items():
        found = place.wait_reason("ReferenceNotFound", name, about="spec.configFrom[0]")
        assert all(word in message(found) for word in words)
        place.wait_event("ReferenceNotFound", name, about=words[0])
    assert place.writes() == []
    put_all(place)
    for name in (*FORMS, *missing_key):
        place.wait_running(name)
        assert creates(place, name) == 1


def test_missing_and_then_there_where_it_is_watched(watched: Place) -> None:
    for name, form in FORMS.items():
        watched.apply(name, configFrom=[form])
    for name in FORMS:
        watched.wait_reason("ReferenceNotFound", name)
    put_all(watched, watched=True)
    for name in FORMS:
        watched.wait_running(name, timeout=SOON)


def test_a_running_connector_keeps_its_configuration_while_a_reference_is_missing(watched: Place) -> None:
    secret(watched, "db", {"pw": "one"}, watched=True)
    watched.runs(configFrom=[from_secret()])
    before = watched.connector()
    watched.kube.delete("Secret", watched.namespace, "db")
    found = watched.wait_reason("ReferenceNotFound", about="Secret db", timeout=SOON)
    assert (found["status"]["state"], found["status"]["ownership"]["state"]) == ("RUNNING", "Owned")
    watched.wait_polls()
    assert watched.connector() == before
    secret(watched, "db", {"pw": "one"}, watched=True)
    watched.wait_reason("Running", timeout=SOON)
    watched.wait_polls()
    assert watched.writes() == ["CreateConnector"]


def test_rotation_at_the_next_drift_check(place: Place) -> None:
    secret(place, "db", {"pw": "one"})
    config_map(place, "defaults", {"a": "1"})
    place.runs(configFrom=[from_secret(), MAP])
    secret(place, "db", {"pw": "two"})
    wait_creates(place, 2)
    assert sent(place)["password"] == "two"
    config_map(place, "defaults", {"a": "2"})
    wait_creates(place, 3)
    assert (sent(place)["password"], sent(place)["a"]) == ("two", "2")
    place.wait_running()
    place.wait_checks(count=3)
    assert creates(place) == 3
    assert "password" in place.wait_event("ConfigUpdated", about="password")


def test_rotation_where_it_is_watched(watched: Place) -> None:
    """The label decides: without it nothing happens here, where there are no drift checks; with it, at once."""
    secret(watched, "db", {"pw": "one"}, watched=True)
    secret(watched, "plain", {"pw": "one"})
    watched.apply(configFrom=[from_secret()])
    watched.apply("unlabelled", configFrom=[from_secret(name="plain")])
    watched.wait_running()
    watched.wait_running("unlabelled")
    watched.wait_polls(3)  # what followed the create is over
    secret(watched, "plain", {"pw": "two"})
    secret(watched, "db", {"pw": "two"}, watched=True)
    wait_creates(watched, 2)
    assert sent(watched)["password"] == "two"
    watched.wait_running()
    watched.wait_polls(3)
    assert creates(watched, "unlabelled") == 1
    secret(watched, "plain", {"pw": "two"}, watched=True)
    wait_creates(watched, 2, "unlabelled")
    assert sent(watched, "unlabelled")["password"] == "two"
    watched.wait_running("unlabelled")


def test_metadata_is_no_change(watched: Place) -> None:
    secret(watched, "db", {"pw": "one"}, watched=True)
    watched.apply(configFrom=[from_secret()])
    watched.apply("other", configFrom=[from_secret(name="db")], config={**CONFIG, "file": "/dev/zero"})
    watched.wait_running()
    watched.wait_running("other")
    watched.wait_polls(3)
    mark = watched.mark()
    secret(watched, "db", {"pw": "one"}, watched=True, annotations={"a": "b"})
    secret(watched, "late", {"pw": "x"}, watched=True)  # comes over the same watch, later
    watched.runs("late", configFrom=[from_secret(name="late")])
    watched.wait_polls()
    for name in ("orders", "other"):
        assert watched.requests("GetConnector", "ValidateConnector", connector=name, since=mark) == []
        assert watched.writes(name, since=mark) == []


def test_metadata_of_a_masked_secret_is_no_change(own_place: Place, operators: Operators) -> None:
    """Neither to a drift check nor to an operator that begins anew, which knows the data by its digest."""
    first = operators.start(own_place.namespace)
    own_place.fault(operation="GetConnector", mask=["password"])
    secret(own_place, "db", {"pw": "one"})
    own_place.apply(configFrom=[from_secret()])
    before = own_place.wait_running()["status"]["appliedConfig"]["secrets"]
    version = secret(own_place, "db", {"pw": "one"}, annotations={"a": "b"})["metadata"]["resourceVersion"]
    assert version != before[0]["resourceVersion"]
    own_place.wait_checks()
    assert first.terminate() == 0
    operators.start(own_place.namespace)
    own_place.wait_checks()
    own_place.wait_running()
    assert own_place.writes() == ["CreateConnector"]


NOT_UTF8 = b"\xff\xfe"
PROPERTIES = "name=x\n# a whole file\nconnector.class=org.example.Sink\ntopics=a\n"
JSON_FILE = '{"name": "x", "config": {"connector.class": "org.example.Sink"}}'
JSON_MAP = '{"connector.class": "org.example.Sink", "topics": "a"}'

Put = Callable[[Place], object]
INVALID: Mapping[str, tuple[Put, Mapping[str, Any], tuple[str, ...]]] = {
    "secret-not-utf8": (
        lambda place: secret(place, "settings", {"good": "x", "bad": NOT_UTF8}),
        SECRET,
        ("'bad'", "Secret settings", "not UTF-8"),
    ),
    "secret-key-not-utf8": (
        lambda place: secret(place, "s3", {"secretKey": NOT_UTF8}),
        SECRET_KEY,
        ("'secretKey'", "Secret s3", "not UTF-8"),
    ),
    "map-not-utf8": (
        lambda place: config_map(place, "defaults", {"bad": NOT_UTF8}),
        MAP,
        ("'bad'", "ConfigMap defaults", "not UTF-8"),
    ),
    "map-key-not-utf8": (
        lambda place: config_map(place, "region", {"aws": NOT_UTF8}),
        MAP_KEY,
        ("'aws'", "ConfigMap region", "not UTF-8"),
    ),
    "reserved-in-a-map": (
        lambda place: config_map(place, "defaults", {"connector.class": "x", "tasks.max": "4", "a": "b"}),
        MAP,
        ("'connector.class' and 'tasks.max'", "ConfigMap defaults", "spec.class"),
    ),
    "reserved-in-a-secret": (
        lambda place: secret(place, "settings", {"name": "x"}),
        SECRET,
        ("'name'", "Secret settings", "spec.name"),
    ),
    "reserved-as-the-key": (
        lambda place: secret(place, "s3", {"secretKey": "4"}),
        {"key": "tasks.max", "secretKeyRef": {"name": "s3", "key": "secretKey"}},
        ("'tasks.max'", "Secret s3", "spec.tasksMax"),
    ),
    "a-properties-file": (
        lambda place: config_map(place, "defaults", {"sink.properties": PROPERTIES}),
        MAP,
        ("'sink.properties'", "ConfigMap defaults", "whole connector"),
    ),
    "a-json-file": (
        lambda place: secret(place, "settings", {"sink.json": JSON_FILE}),
        SECRET,
        ("'sink.json'", "Secret settings", "whole connector"),
    ),
    "a-json-map": (
        lambda place: config_map(place, "defaults", {"sink.json": JSON_MAP}),
        MAP,
        ("'sink.json'", "ConfigMap defaults", "whole connector"),
    ),
}


def test_invalid_values(place: Place) -> None:
    """Each names its source and what is wrong, sends nothing, and shows no value."""
    for name, (put, form, words) in INVALID.items():
        put(place)
        found = place.apply_until("ConfigInvalid", name, about="spec.configFrom[0]", configFrom=[form])
        for word in words:
            assert word in message(found), name
        assert "org.example.Sink" not in message(found)
        assert set(conditions(found)) == {"Ready", "Stalled"}
    place.wait_polls()
    assert place.requests("ValidateConnector", "CreateConnector") == []


def test_mended_where_it_is_watched(watched: Place) -> None:
    config_map(watched, "defaults", {"tasks.max": "4"}, watched=True)
    watched.apply_until("ConfigInvalid", configFrom=[MAP])
    config_map(watched, "defaults", {"a": "b"}, watched=True)
    watched.wait_running(timeout=SOON)


def test_a_key_that_only_begins_like_a_reserved_one(place: Place) -> None:
    config_map(place, "defaults", {"name.format": "a", "tasks.max.enforce": "false", "connector.class.path": "x"})
    place.runs(configFrom=[MAP])
    assert sent(place)["tasks.max.enforce"] == "false"


def test_a_trailing_newline_is_sent_and_told(place: Place) -> None:
    """Once, and by its key alone: people make it with `echo`."""
    secret(place, "db", {"pw": "planted-line\n", "good": "x"})
    place.runs(configFrom=[from_secret(), from_secret("good", data_key="good")])
    assert sent(place)["password"] == "planted-line\n"
    told = place.wait_event("TrailingNewline", about="password")
    assert "planted-line" not in told
    assert "good" not in told
    place.wait_checks()
    (event,) = [found for found in place.kube.events(place.namespace, "orders") if found["reason"] == "TrailingNewline"]
    assert (event["count"], event["type"]) == (1, "Warning")


def test_long_values(place: Place) -> None:
    """Longer than spec.config may hold."""
    long = "x" * 40_000
    secret(place, "db", {"pw": long + "s"})
    config_map(place, "defaults", {"a": long + "m"})
    place.runs(configFrom=[from_secret(), MAP])
    assert (sent(place)["password"], sent(place)["a"]) == (long + "s", long + "m")


def test_a_reference_that_is_dropped_takes_its_keys_along(place: Place) -> None:
    config_map(place, "defaults", {"a": "b"})
    place.runs(configFrom=[MAP])
    place.apply()
    place.wait_event("ConfigUpdated", about="removed a")
    place.wait_running()
    assert "a" not in sent(place)


def test_a_new_generation_reads_anew(watched: Place) -> None:
    """An edit of the spec renders with the values of now, labelled or not."""
    secret(watched, "db", {"pw": "one"})
    watched.runs(configFrom=[from_secret()])
    secret(watched, "db", {"pw": "two"})
    watched.apply(configFrom=[from_secret()], config={**CONFIG, "file": "/dev/zero"})
    wait_creates(watched, 2)
    assert (sent(watched)["password"], sent(watched)["file"]) == ("two", "/dev/zero")
    assert reason(watched.wait_running()) == "Running"
