"""suspend, a team's own token, and the policy of those who run the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.kube import Object
from harness.operator_fixtures import SOURCE, Operators, Place, conditions, message
from harness.process import ProcessFailedError
from harness.waiting import wait_until
from integration.complete.support import CONFIG, annotate, by_token, secret

SEEN_FIELDS = {"state", "tasks", "tasksSummary", "topics", "lrn", "workerId", "version", "type"}
TEAM: dict[str, Any] = {"tokenSecretRef": {"name": "team", "key": "token"}}


# suspend
def test_suspended_from_the_start(place: Place) -> None:
    """Neither a finalizer nor a write, and no claim either; then it converges."""
    found = place.apply_until("Suspended", about="does not exist, and is not created", suspend=True)
    assert conditions(found)["Ready"]["status"] == "Unknown"
    assert set(conditions(found)) == {"Ready"}
    place.wait_polls(3)
    found = place.wait_reason("Suspended")
    assert "finalizers" not in found["metadata"]
    assert found["status"].get("ownership", {}).get("state", "None") == "None"
    assert place.requests("CreateConnector", "ValidateConnector") == []
    place.runs(suspend=False)
    assert place.writes() == ["CreateConnector"]


def test_suspended_from_the_start_shows_nothing_of_a_foreign_connector(place: Place) -> None:
    place.change(config={"connector.class": SOURCE, **CONFIG})
    found = place.apply_until("Suspended", suspend=True)
    assert not SEEN_FIELDS & set(found["status"])
    place.delete_and_wait()
    assert place.writes() == []
    assert place.connector() is not None


def test_drift_is_not_repaired_while_suspended(place: Place) -> None:
    place.runs()
    place.apply_until("Suspended", suspend=True)
    mark = place.mark()
    place.change(config_changes={"file": "/dev/zero"}, state="PAUSED")
    place.wait_reason("Suspended", about="PAUSED")
    place.wait_checks(count=2)
    place.wait_polls()
    assert place.writes(since=mark) == []
    place.change(state="RUNNING", tasks=[{"id": 0, "state": "FAILED", "trace": "x"}])
    place.wait(predicate=lambda found: found["status"]["state"] == "RUNNING")
    place.wait_reason("Suspended", about="RUNNING")
    place.runs(suspend=False)
    assert place.wait_connector()["config"]["file"] == CONFIG["file"]
    assert place.writes(since=mark) == ["DeleteConnector", "CreateConnector"]


def test_edits_wait_while_suspended(place: Place) -> None:
    place.runs()
    mark = place.mark()
    place.apply_until("Suspended", suspend=True, config={**CONFIG, "file": "/dev/zero"}, state="paused")
    place.wait_checks()
    assert place.writes(since=mark) == []
    place.runs(suspend=False, config={**CONFIG, "file": "/dev/zero"})
    assert place.wait_connector()["config"]["file"] == "/dev/zero"


def test_deletion_while_suspended(place: Place) -> None:
    place.runs()
    place.apply_until("Suspended", suspend=True)
    place.delete_and_wait()
    assert place.connector() is None
    assert place.writes() == ["CreateConnector", "DeleteConnector"]


# a token of the team's own
def token_of(place: Place, number: int = 1) -> str:
    """A token that Lenses knows, by its name there, which is the same."""
    token = f"team-{place.environment}-{number}"
    place.control.add_token(token, name=token)
    return token


def test_every_request_carries_the_teams_token(place: Place) -> None:
    """The lists too: what one token sees says nothing about another."""
    token = token_of(place)
    secret(place, "team", {"token": token + "\n"})
    place.runs(**TEAM)
    place.apply_until("Paused", **TEAM, config={**CONFIG, "file": "/dev/zero"}, state="paused")
    place.wait_checks()
    place.delete_and_wait()
    found = by_token(place)
    assert set(found) == {token}
    assert {"ListConnectors", "CreateConnector", "ConnectorState", "DeleteConnector"} <= found[token]


def test_one_poll_for_each_token(place: Place) -> None:
    tokens = [token_of(place, 1), token_of(place, 2)]
    for number, token in enumerate(tokens):
        secret(place, f"team-{number}", {"token": token})
        for side in "ab":
            place.apply(f"c{number}{side}", tokenSecretRef={"name": f"team-{number}", "key": "token"})
    place.apply("own")
    for name in ("c0a", "c0b", "c1a", "c1b", "own"):
        place.wait_running(name)
    mark = place.mark()
    place.wait_polls(12)
    lists = [request["token"] for request in place.requests("ListConnectors", since=mark)]
    counts = {token: lists.count(token) for token in lists}
    assert set(counts) == {*tokens, "all"}
    assert max(counts.values()) <= min(counts.values()) + 2
    asked = {request["token"] for request in place.requests(connector="c1b")}
    assert asked == {tokens[1]}


def test_a_token_that_may_not_see_the_connector(place: Place) -> None:
    token = token_of(place)
    place.control.add_token(token, name=token, connectors=["mine-*"])
    secret(place, "team", {"token": token})
    place.apply("orders", **TEAM)
    place.wait_reason("Forbidden")
    place.apply("mine-orders", **TEAM)
    place.wait_running("mine-orders")


def test_the_token_is_rotated_after_401(place: Place) -> None:
    """The Secret is read again: nobody has to restart anything."""
    secret(place, "team", {"token": token_of(place, 1)})
    place.runs(**TEAM)
    place.control.remove_token(f"team-{place.environment}-1")
    found = place.wait_reason("Unauthorized")
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert found["status"]["state"] == "RUNNING"
    second = token_of(place, 2)
    secret(place, "team", {"token": second})
    annotate(place, reconcile="1")
    place.wait_running()
    mark = place.mark()
    place.wait_polls()
    assert set(by_token(place, mark)) == {second}
    assert place.writes() == ["CreateConnector"]


def test_the_token_is_rotated_where_it_is_watched(watched: Place) -> None:
    secret(watched, "team", {"token": token_of(watched, 1)}, watched=True)
    watched.runs(**TEAM)
    watched.control.remove_token(f"team-{watched.environment}-1")
    watched.wait_reason("Unauthorized")
    secret(watched, "team", {"token": token_of(watched, 2)}, watched=True)
    watched.wait_running()


@pytest.mark.parametrize(
    ("data", "reason", "about"),
    [
        (None, "ReferenceNotFound", "Secret team, which does not exist"),
        ({"other": "x"}, "ReferenceNotFound", "key 'token' of Secret team"),
        ({"token": "two words"}, "ConfigInvalid", "one word"),
        ({"token": ""}, "ConfigInvalid", "one word"),
        ({"token": b"\xff"}, "ConfigInvalid", "one word"),
    ],
    ids=["secret", "key", "words", "empty", "not-utf8"],
)
def test_no_token(watched: Place, data: dict[str, str | bytes] | None, reason: str, about: str) -> None:
    """Nothing is asked of Lenses, with the operator's own token least of all."""
    if data is not None:
        secret(watched, "team", data, watched=True)
    found = watched.apply_until(reason, about=about, **TEAM)
    assert "spec.tokenSecretRef" in message(found)
    assert "two words" not in message(found)
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert watched.requests() == []
    secret(watched, "team", {"token": token_of(watched)}, watched=True)
    watched.wait_running()
    assert set(by_token(watched)) == {token_of(watched)}


# policy
@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


def rule(place: Place, **globs: list[str]) -> str:
    return f"rules:\n- {{namespaces: [{place.namespace}], {', '.join(f'{k}: {v}' for k, v in globs.items())}}}\n"


def assert_not_allowed(place: Place, name: str = "orders") -> Object:
    found = place.wait_reason("NotAllowed", name)
    assert set(conditions(found)) == {"Ready", "Stalled"}
    assert not SEEN_FIELDS & set(found["status"])
    assert place.namespace in message(found)
    return found


def test_allowed_and_not(own_place: Place, operators: Operators, policy: Path) -> None:
    """What no rule matches shows nothing, touches nothing and has no finalizer; it goes when it is deleted."""
    place = own_place
    place.control.add_cluster(place.environment, "other", {"backend": "memory"})
    place.change("shop-foreign", config={"connector.class": SOURCE, **CONFIG})
    policy.write_text(rule(place, clusters=["conn*"], connectors=["shop-*"], environments=["*"]))
    operators.start(place.namespace, POLICY_FILE=policy)
    place.apply("shop-a")
    place.apply("a", name="shop-b")
    place.apply("orders")
    place.apply("cluster", name="shop-c", cluster="other")
    place.wait_running("shop-a")
    place.wait_running("a")
    for name in ("orders", "cluster"):
        found = assert_not_allowed(place, name)
        assert "finalizers" not in found["metadata"]
        place.wait_event("NotAllowed", name)
    place.wait_polls(3)
    assert {request["connector"] for request in place.requests()} <= {None, "shop-a", "shop-b"}
    place.delete_and_wait("orders")


def test_an_empty_list_allows_nothing(own_place: Place, operators: Operators, policy: Path) -> None:
    policy.write_text("rules: []\n")
    operators.start(own_place.namespace, POLICY_FILE=policy)
    own_place.apply()
    assert_not_allowed(own_place)
    assert own_place.requests() == []


def test_reload_and_a_bad_reload(own_place: Place, operators: Operators, policy: Path) -> None:
    """A changed file acts without a restart; a wrong one is logged with its line and changes nothing."""
    place = own_place
    policy.write_text("rules: []\n")
    operator = operators.start(place.namespace, POLICY_FILE=policy)
    place.apply()
    assert_not_allowed(place)
    policy.write_text(rule(place))
    place.wait_running()
    policy.write_text("rules:\n- {namespaces: [x]}\n- {nameSpaces: [y]}\n")
    wait_until("the complaint", lambda: "policy.yaml, line 3" in operator.text(), 20)
    place.runs("more")
    place.wait_running()
    policy.write_text("rules: []\n")
    for name in ("orders", "more"):
        assert_not_allowed(place, name)


def test_narrowed_later(own_place: Place, operators: Operators, policy: Path) -> None:
    """What is owned is hidden and left as it is; it may still be deleted, also by a restarted operator."""
    place = own_place
    policy.write_text(rule(place))
    first = operators.start(place.namespace, POLICY_FILE=policy)
    for name in ("orders", "later", "kept"):
        place.apply(name)
    for name in ("orders", "later", "kept"):
        place.wait_running(name)
    policy.write_text("rules: []\n")
    for name in ("orders", "later", "kept"):
        assert_not_allowed(place, name)
    mark = place.mark()
    place.change("kept", config_changes={"file": "/dev/zero"})
    place.apply("kept", config={**CONFIG, "file": "/dev/one"})
    place.delete_and_wait()
    assert place.connector() is None
    first.kill()
    operators.start(place.namespace, POLICY_FILE=policy)
    place.delete_and_wait("later")
    assert place.connector("later") is None
    assert place.writes("kept", since=mark) == []
    assert place.wait_connector("kept")["config"]["file"] == "/dev/zero"


def test_without_the_right_nobody_squats_on_a_name(
    own_place: Place, place: Place, operators: Operators, policy: Path
) -> None:
    """The older resource of a namespace that may not use the name does not keep it from the one that may."""
    squatter: dict[str, Any] = own_place.manifest("squatter", name="orders")
    squatter["metadata"] |= {"namespace": place.namespace, "labels": {}}
    own_place.kube.create(squatter)
    policy.write_text(rule(own_place))
    operators.start(own_place.namespace, place.namespace, POLICY_FILE=policy)
    place.wait(name_of(squatter), lambda found: conditions(found).get("Ready", {}).get("reason") == "NotAllowed")
    own_place.runs()
    place.delete_and_wait("squatter")
    own_place.wait_polls()
    assert own_place.writes() == ["CreateConnector"]


def name_of(manifest: Object) -> str:
    return str(manifest["metadata"]["name"])


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("rules:\n- {namespaces: [a]}\n- {namespace: [b]}\n", "line 3"),
        ("rules:\n- namespaces: a\n", "line 2"),
        ("rules: [\n", "line 2"),
        ("", "line 1"),
        ("allow: []\n", "line 1"),
        (None, "cannot be read"),
    ],
    ids=["unknown", "no-list", "not-yaml", "empty", "no-rules", "missing"],
)
def test_a_bad_file_ends_the_start(operators: Operators, policy: Path, text: str | None, about: str) -> None:
    if text is not None:
        policy.write_text(text)
    with pytest.raises(ProcessFailedError, match="ended with code 2") as failed:
        operators.start(POLICY_FILE=policy)
    assert f"{policy}" in str(failed.value)
    assert about in str(failed.value)
