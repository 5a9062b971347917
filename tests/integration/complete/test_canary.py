"""Planted values: Lenses gets them to the letter, and nothing that anybody can read shows one, however it is quoted."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from harness import http
from harness.kube import Object
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import KIND, Operators, Place, reason
from harness.operator_process import OperatorProcess
from integration.complete.support import CONFIG, annotate, config_map, secret, sent

PLAIN = "planted-plain-7f3a9c"
SPECIAL = 'plantedA"b/plantedC\\d&plantedE=plantedF?g#plantedH%20i+plantedJ é'
LINES = ("plantedMIIEvQIBADANBgkqhkiG9w0B/+", "plantedAQEFAASCBKcwggSjAgEAAoIB==")
PEM = "\n".join(("-----BEGIN PRIVATE KEY-----", *LINES, "-----END PRIVATE KEY-----", ""))
IN_URL, IN_PAIR = "planted%2Furl&1", "planted-pair-2"
JDBC = f"jdbc:postgresql://app:{IN_URL}@db.example.org/x?user=u&password={IN_PAIR}"
SECRETS = {"a.plain": PLAIN, "a.special": SPECIAL, "a.pem": PEM, "connection.url": JDBC}
TOKEN = "planted-team-token-5"
RESOLVED = "planted-R01"
VISIBLE = "plain-words-of-a-configmap"
HIDDEN, WITHHELD = "[redacted]", "withheld"


def forms(value: str) -> Iterator[str]:
    """The ways in which servers quote a value."""
    yield value
    yield from (quote(value, safe=""), quote(value), quote_plus(value))
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        yield once.replace("&", "\\u0026").replace("<", "\\u003c").replace("=", "\\u003d")
    yield quote(value, safe="!'()*-._~")
    yield from (html.escape(value), html.escape(value, quote=False), html.escape(json.dumps(value)[1:-1]))
    yield value.replace('"', '""')
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(value.encode()).decode()
        yield encode(value.encode()).decode().rstrip("=")


QUOTED = [
    quoted for part in (PLAIN, SPECIAL, PEM, *LINES, JDBC, IN_URL, IN_PAIR) for quoted in dict.fromkeys(forms(part))
]
ECHO = f"{VISIBLE} " + "\n and ".join(f"<{quoted}>" for quoted in QUOTED)
"""Everything at once, whole and in parts."""
LONG = "planted" + "x" * 70_000
"""An answer that quotes it must not be cut in the middle of it, which nobody would recognise then."""


def forbidden() -> set[str]:
    """No text may hold one of these; `planted` alone would show a piece of any value."""
    found = {"planted", *QUOTED, *forms(TOKEN), *forms(RESOLVED)}
    found |= {base64.b64encode(b"x" * offset + b"planted").decode()[3 * (offset > 0) : 9] for offset in range(3)}
    return {text for text in found if len(text) > 4}


@dataclass(frozen=True)
class Leak:
    """A way for text to get out: a fault, what the connector says then, and a word that proves it came through."""

    reason: str
    proof: str = HIDDEN
    fault: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)


def validation(**errors: str) -> dict[str, Any]:
    fields = [{"name": key.replace("__", "."), "errors": [words], "value": words} for key, words in errors.items()]
    return {"operation": "ValidateConnector", "body": {"class": "x", "configuration": fields}}


def at_create(**fault: Any) -> dict[str, Any]:
    return {"operation": "CreateConnector", "message": ECHO, **fault}


OF_LONG = {"configFrom": [{"key": "a.long", "secretKeyRef": {"name": "long", "key": "long"}}]}
RESOLVES = {"config": {**CONFIG, "connection.uri": "mongodb+srv://app:${env:DB_PASS}@mongo.example.org:27017"}}
RESOLVED_WORDS = f"Invalid value mongodb+srv://app:{RESOLVED}@mongo.example.org:27017 for configuration connection.uri"

AT_ONCE: Mapping[str, Leak] = {
    "validate-own-key": Leak("ConfigInvalid", WITHHELD, validation(a__plain=ECHO)),
    "validate-other-key": Leak("ConfigInvalid", HIDDEN, validation(file=ECHO)),
    "validate-plain-words": Leak("ConfigInvalid", VISIBLE, validation(topic=f"{VISIBLE} is wrong, {PLAIN}")),
    "validate-key-is-the-words": Leak("ConfigInvalid", HIDDEN, validation(**{ECHO: "is unknown"})),
    "validate-key-is-a-value": Leak("ConfigInvalid", HIDDEN, validation(**{PLAIN: f"{PLAIN} is unknown"})),
    "validate-key-resolved": Leak("ConfigInvalid", WITHHELD, validation(**{RESOLVED_WORDS: RESOLVED_WORDS}), RESOLVES),
    "validate-resolved": Leak("ConfigInvalid", WITHHELD, validation(connection__uri=RESOLVED_WORDS), RESOLVES),
    "validate-400": Leak("ConfigInvalid", HIDDEN, {"operation": "ValidateConnector", "status": 400, "message": ECHO}),
    "validate-500": Leak("ConfigInvalid", HIDDEN, {"operation": "ValidateConnector", "status": 500, "message": ECHO}),
    "create-400": Leak("ConfigInvalid", HIDDEN, at_create(status=400)),
    "create-400-hq": Leak("ConfigInvalid", HIDDEN, at_create(status=400, shape="hq")),
    "create-400-long": Leak("ConfigInvalid", HIDDEN, at_create(status=400, message=f"Invalid value {LONG}"), OF_LONG),
    "create-400-resolved": Leak("ConfigInvalid", WITHHELD, at_create(status=400, message=RESOLVED_WORDS), RESOLVES),
    "create-500": Leak("ConfigInvalid", HIDDEN, at_create(status=500)),
    "create-500-hq": Leak("ConfigInvalid", HIDDEN, at_create(status=500, shape="hq")),
    "create-502-page": Leak("LensesUnavailable", "", at_create(status=502, shape="html")),
    "create-503-text": Leak("LensesUnavailable", "", at_create(status=503, shape="text")),
    "create-403": Leak("Forbidden", HIDDEN, at_create(status=403)),
    "create-409": Leak("ConnectRebalancing", HIDDEN, at_create(status=409)),
    "create-text": Leak("LensesUnavailable", "", at_create(text=ECHO)),
    "create-dropped": Leak("LensesUnavailable", "dropped", at_create(drop="before")),
    "details-of-another-shape": Leak(
        "LensesUnavailable", "", {"operation": "GetConnector", "body": {"name": ECHO, "tasks": ECHO, "config": [ECHO]}}
    ),
    # Of a connector that is not known to be its own, nothing is quoted.
    "details-500": Leak("LensesUnavailable", WITHHELD, {"operation": "GetConnector", "status": 500, "message": ECHO}),
}
REFUSED = [name for name, leak in AT_ONCE.items() if leak.reason == "ConfigInvalid" and "status" in leak.fault]
"""Until a minute has gone they are told in another way."""
LISTS = {
    "list-agent": Leak("LensesUnavailable", HIDDEN, {"status": 500, "message": ECHO}),
    "list-hq": Leak("LensesUnavailable", HIDDEN, {"status": 500, "shape": "hq", "message": ECHO}),
    "list-page": Leak("LensesUnavailable", "", {"status": 500, "shape": "html", "message": ECHO}),
    "list-item": Leak("LensesUnavailable", "", {"body": {"data": [{"name": ECHO, "state": [ECHO]}]}}),
    "list-dropped": Leak("LensesUnavailable", "dropped", {"drop": "after"}),
}
LATER: Mapping[str, Leak] = {
    "trace": Leak("TaskFailed", HIDDEN),
    "trace-part": Leak("TaskFailed", HIDDEN),
    "pause-500": Leak("LensesUnavailable", HIDDEN, {"operation": "ConnectorState", "status": 500, "message": ECHO}),
    # Told for a moment only: handled once, the annotation leaves the failed task's trace to be told.
    "restart-500": Leak("TaskFailed", HIDDEN, {"operation": "ConnectorTaskRestart", "status": 500, "message": ECHO}),
    "put-400": Leak(
        "ConfigInvalid",
        HIDDEN,
        {"operation": "PutResource", "status": 400, "message": ECHO},
        {"updateStrategy": "InPlace"},
    ),
    "recreate-400": Leak("ConfigInvalid", HIDDEN, at_create(status=400, with_config={"file": "/dev/zero"})),
    "delete-403": Leak("DeletionBlocked", WITHHELD, {"operation": "DeleteConnector", "status": 403, "message": ECHO}),
}
EDIT = {**CONFIG, "file": "/dev/zero"}
PART = f"org.postgresql.util.PSQLException: refused\n\tat a.b.C\nCaused by: x: refused for password={IN_PAIR}, {JDBC}"


def apply(place: Place, name: str, **spec: Any) -> None:
    keys = [{"key": key, "secretKeyRef": {"name": "store", "key": key}} for key in SECRETS]
    place.apply(name, **{"configFrom": [*keys, {"configMapRef": {"name": "open"}}], **spec})


def readable(operator: OperatorProcess, place: Place) -> Mapping[str, str]:
    """Everything that people get to see, by where it stands."""
    events: list[Object] = place.kube.list("Event", place.namespace)
    texts = {f"Event {event['metadata']['name']}": json.dumps(event, ensure_ascii=False) for event in events}
    for found in place.kube.list(KIND, place.namespace):
        metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
        shown = {"metadata": metadata, "status": found["status"]}
        texts[f"status of {metadata['name']}"] = json.dumps(shown, ensure_ascii=False)
    texts["metrics"] = http.get(f"{operator.url}/metrics", timeout=60).text
    return texts | {f"log line {number}": line for number, line in enumerate(operator.text().splitlines())}


def assert_clean(operator: OperatorProcess, place: Place) -> None:
    texts, words = readable(operator, place), forbidden()
    assert len([name for name in texts if name.startswith("Event")]) > 3
    leaks = {where: text for where, text in texts.items() if any(word in text for word in words)}
    assert leaks == {}


def plant(place: Place) -> None:
    secret(place, "store", SECRETS, watched=True)
    secret(place, "long", {"long": LONG}, watched=True)
    config_map(place, "open", {"note": VISIBLE}, watched=True)


def test_planted_values(own_place: Place, operators: Operators) -> None:
    place = own_place
    operator = operators.start(place.namespace, WATCH_REFERENCES="true", LOG_FORMAT="json", LOG_LEVEL="DEBUG")
    plant(place)
    for name, leak in (*AT_ONCE.items(), *LATER.items()):
        if name in AT_ONCE:
            place.fault(connector=name, **leak.fault)
        apply(place, name, **leak.spec)
    place.fault(operation=["GetConnectorTopics", "ListPlugins"], status=500, message=ECHO)
    for name in LISTS:
        place.control.add_environment(f"{place.environment}-{name}", {place.cluster: {"backend": "memory"}})
        apply(place, name, environment=f"{place.environment}-{name}")
    secret(place, "team", {"token": TOKEN}, watched=True)
    place.control.add_environment(f"{place.environment}-team", {place.cluster: {"backend": "memory"}})
    place.control.add_fault(f"{place.environment}-team", status=401, message=f"no such token: {TOKEN}")
    token = {"tokenSecretRef": {"name": "team", "key": "token"}}
    apply(place, "team", environment=f"{place.environment}-team", **token)
    place.wait_reason("Unauthorized", "team", about=HIDDEN)

    for name in REFUSED:
        place.wait_reason("LensesUnavailable", name, about=AT_ONCE[name].proof)
    for name in (*LATER, *LISTS):
        place.wait_running(name, timeout=60)
    for name, leak in LISTS.items():
        lost = ["ListConnectors", "GetClusterInfo"]
        place.control.add_fault(f"{place.environment}-{name}", operation=lost, **leak.fault)
    place.change("trace", tasks=[{"id": 0, "state": "FAILED", "trace": f"java.lang.Exception: {ECHO}"}])
    place.change("trace-part", tasks=[{"id": 0, "state": "FAILED", "trace": PART}])
    place.change("restart-500", tasks=[{"id": 0, "state": "FAILED", "trace": ECHO}])
    for name, leak in LATER.items():
        if leak.fault:
            place.fault(connector=name, **leak.fault)
    apply(place, "pause-500", state="paused")
    annotate(place, "restart-500", restart="1")
    apply(place, "put-400", updateStrategy="InPlace", config=EDIT)
    apply(place, "recreate-400", config=EDIT)
    place.delete("delete-403")
    place.wait_request("ConnectorTaskRestart", "restart-500")
    for name, leak in {**LISTS, **AT_ONCE, **LATER}.items():
        place.wait_reason(leak.reason, name, about=leak.proof, timeout=150)
    place.wait_event("RolledBack", "recreate-400")
    place.wait_polls(3)
    part = place.wait("trace-part")["status"]["tasks"][0]["error"]
    assert "password=[redacted]" in part
    assert "PSQLException: refused" in part
    assert_clean(operator, place)

    for name in ("create-400", "trace"):
        assert SECRETS.items() <= sent(place, name).items()
        assert sent(place, name)["note"] == VISIBLE
    validated = place.requests("ValidateConnector", connector="create-400")[0]["body"]["configuration"]
    assert SECRETS.items() <= validated.items()
    for name in LISTS:
        place.control.remove_environment(f"{place.environment}-{name}")
    place.control.remove_environment(f"{place.environment}-team")


def test_put_sends_them_to_the_letter(place: Place) -> None:
    plant(place)
    apply(place, "orders", updateStrategy="InPlace")
    place.wait_running()
    apply(place, "orders", updateStrategy="InPlace", config=EDIT)
    place.wait_event("ConfigUpdated")
    (request,) = place.requests("PutResource")
    assert SECRETS.items() <= request["body"]["spec"]["config"].items()
    assert SECRETS.items() <= place.wait_connector()["config"].items()


def test_a_deletion_after_a_restart(own_place: Place, operators: Operators) -> None:
    """A process that has never rendered the configuration knows what not to show all the same."""
    place = own_place
    first = operators.start(place.namespace)
    plant(place)
    apply(place, "orders")
    apply(place, "resolves", **RESOLVES)
    place.wait_running()
    place.wait_running("resolves")
    place.fault(operation="DeleteConnector", connector="orders", status=403, message=ECHO)
    place.fault(operation="DeleteConnector", connector="resolves", status=403, message=RESOLVED_WORDS)
    place.delete()
    place.delete("resolves")
    place.wait_reason("DeletionBlocked")
    place.wait_reason("DeletionBlocked", "resolves")
    assert first.terminate() == 0
    mark = place.mark()
    second = operators.start(place.namespace)
    place.wait_request("DeleteConnector", "orders", since=mark, count=2)
    place.wait_request("DeleteConnector", "resolves", since=mark, count=2)
    assert_clean(second, place)


FAILED = [{"id": 0, "state": "FAILED", "trace": f"org.example.Refused: {ECHO}"}]


def listed(lenses: RunningLenses, place: Place) -> str:
    """A list as the operator gets it."""
    url = f"{lenses.url}/api/v1/environments/{place.environment}/proxy/api/kafka-connect/connectors"
    headers = {"Authorization": f"Bearer {lenses.token}", "Content-Type": "application/json"}
    return http.get(url, headers=headers, timeout=60).raise_for_status().text


@pytest.mark.persona("observed", "its lists carry the traces of failed tasks")
def test_a_trace_in_a_list_whose_secret_is_gone(own_place: Place, operators: Operators, lenses: RunningLenses) -> None:
    """A process that never read the Secret, and now cannot, meets its values in what it has to read for everyone."""
    place = own_place
    first = operators.start(place.namespace)
    plant(place)
    names = ("running", "suspended", "held", "leaving")
    for name in names:
        apply(place, name)
    for name in names:
        place.wait_running(name)
    apply(place, "suspended", suspend=True)
    place.wait_reason("Suspended", "suspended")
    place.change("running", tasks=FAILED)
    place.wait_reason("TaskFailed", "running", about=HIDDEN)
    assert first.terminate() == 0
    place.kube.delete("Secret", place.namespace, "store")
    for name in names[1:]:
        place.change(name, tasks=FAILED)
    assert PLAIN in listed(lenses, place)

    second = operators.start(place.namespace, LOG_FORMAT="json", LOG_LEVEL="DEBUG")
    place.fault(operation="DeleteConnector", status=403, message=ECHO)
    place.delete("leaving")
    place.wait_reason("DeletionBlocked", "leaving", about=WITHHELD)
    for name in names[:-1]:
        place.wait_reason("ReferenceNotFound", name)
        place.kube.patch("lc", place.namespace, name, {"metadata": {"labels": {"team": "other"}}})
        annotate(place, name, reconcile="1", restart="1")
    apply(place, "held", state="paused")
    place.wait(predicate=lambda found: reason(found) == "ReferenceNotFound", name="held")
    place.change("running", tasks=[*FAILED, {"id": 1}])
    place.wait("running", lambda found: found["status"]["tasksSummary"] == "1/2")
    place.wait_polls(4)
    assert "planted" not in first.text()
    assert_clean(second, place)
