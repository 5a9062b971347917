"""Lenses shows a value otherwise than it was written: no loop, no write in vain, and no change that is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harness.operator_fixtures import Operators, Place
from integration.complete.support import CONFIG, creates, secret, sent, wait_checks_of, wait_creates

PASSWORD = {"key": "password", "secretKeyRef": {"name": "db", "key": "pw"}}
WANTED = {**CONFIG, "password": "plain", "uri": "${vault:secret/db:uri}", "batch.size": 102400000}
SHOWN: Mapping[str, dict[str, Any]] = {
    "masked": {"mask": ["password"]},
    "resolved": {"rewrite": {"uri": "mongodb://u:p@h"}},
    "rewritten": {"rewrite": {"batch.size": "1.024E8"}},
    "left-out": {"rewrite": {"uri": None}},
    "no-config": {"omit_config": True, "errors": [{"field": "config", "reason": "hidden"}]},
    "hidden-key": {"rewrite": {"password": None}, "errors": [{"field": "config.password", "reason": "hidden"}]},
    "hidden-key-by-its-name": {"rewrite": {"password": None}, "errors": [{"field": "password", "reason": "hidden"}]},
    "server-defaults": {},
}


def test_no_loop_whatever_is_shown(own_place: Place, operators: Operators) -> None:
    """Over several drift checks, over a restart, and over several more."""
    place = own_place
    for name, fault in SHOWN.items():
        if fault:
            place.fault(operation="GetConnector", connector=name, **fault)
    added = {"errors.log.enable": "false", "max.batch.size": "100"}
    place.fault(operation="CreateConnector", connector="server-defaults", add_at_create=added)
    first = operators.start(place.namespace, DRIFT_INTERVAL=1)
    for name in SHOWN:
        place.apply(name, config=WANTED)
    for name in SHOWN:
        place.wait_running(name)
    wait_checks_of(place, SHOWN, 3)
    assert first.terminate() == 0
    operators.start(place.namespace, DRIFT_INTERVAL=1)
    wait_checks_of(place, SHOWN, 3)
    for name in SHOWN:
        assert place.writes(name) == ["CreateConnector"]
    not_compared = {
        name: (place.wait(name)["status"]["appliedConfig"].get("notCompared"), place.wait(name)) for name in SHOWN
    }
    assert not_compared["masked"][0] == ["password"]
    assert not_compared["rewritten"][0] == ["batch.size"]
    assert not_compared["server-defaults"][1]["status"]["appliedConfig"]["added"] == sorted(added)


def test_what_the_server_added_is_no_drift_but_what_a_person_adds_is(place: Place) -> None:
    place.fault(operation="CreateConnector", add_at_create={"errors.log.enable": "false"}, times=1)
    place.runs()
    place.wait_checks(count=3)
    assert creates(place) == 1
    place.change(config_changes={"transforms": "x"})
    assert "transforms" in place.wait_event("DriftRepaired")
    place.wait_running()
    assert "transforms" not in place.wait_connector()["config"]
    assert creates(place) == 2


@pytest.mark.parametrize("how", ["masked", "no-config", "hidden-key"])
def test_a_rotated_secret_arrives_exactly_once(place: Place, how: str) -> None:
    place.fault(operation="GetConnector", **SHOWN[how])
    secret(place, "db", {"pw": "one"})
    place.runs(configFrom=[PASSWORD])
    place.wait_checks()
    secret(place, "db", {"pw": "two"})
    wait_creates(place, 2)
    place.wait_running()
    place.wait_checks(count=4)
    assert creates(place) == 2
    assert place.wait_connector()["config"]["password"] == "two"


def test_a_secret_rotated_while_the_operator_was_down_arrives_exactly_once(
    own_place: Place, operators: Operators
) -> None:
    place = own_place
    names = ["masked", "no-config", "hidden-key", "shown"]
    for name in names[:3]:
        place.fault(operation="GetConnector", connector=name, **SHOWN[name])
    secret(place, "db", {"pw": "one"})
    first = operators.start(place.namespace, DRIFT_INTERVAL=1)
    for name in names:
        place.apply(name, configFrom=[PASSWORD])
    for name in names:
        place.wait_running(name)
    first.kill()
    secret(place, "db", {"pw": "two"})
    second = operators.start(place.namespace, DRIFT_INTERVAL=1)
    for name in names:
        wait_creates(place, 2, name)
        place.wait_running(name)
        assert sent(place, name)["password"] == "two"
    wait_checks_of(place, names, 3)
    assert second.terminate() == 0
    operators.start(place.namespace, DRIFT_INTERVAL=1)
    wait_checks_of(place, names)
    for name in names:
        assert creates(place, name) == 2


def test_a_secret_that_is_only_touched_while_the_operator_was_down(own_place: Place, operators: Operators) -> None:
    """As External Secrets does. Without the key of the digests it counts as changed, once."""
    place = own_place
    names = ["masked", "no-config", "hidden-key", "shown"]
    for name in names[:3]:
        place.fault(operation="GetConnector", connector=name, **SHOWN[name])
    key: dict[str, Any] = {
        "DIGEST_KEY_SECRET": "digest-key",
        "LEADER_ELECTION_NAMESPACE": place.namespace,
        "DRIFT_INTERVAL": 1,
    }
    secret(place, "db", {"pw": "one"})
    first = operators.start(place.namespace, **key)
    for name in names:
        place.apply(name, configFrom=[PASSWORD])
    for name in names:
        place.wait_running(name)
    held = place.kube.get("Secret", place.namespace, "digest-key")
    assert held is not None
    applied = [place.wait(name)["status"]["appliedConfig"] for name in names]
    assert all(held["data"]["key"] not in str(one) for one in applied)
    assert len({one["secretsDigest"] for one in applied}) == len(names)
    first.kill()
    place.kube.patch("Secret", place.namespace, "db", {"metadata": {"annotations": {"touched": "1"}}})
    second = operators.start(place.namespace, **key)
    wait_checks_of(place, names, 3)
    assert [creates(place, name) for name in names] == [1] * len(names)
    assert [place.wait(name)["status"]["appliedConfig"] for name in names] == applied
    second.kill()
    place.kube.delete("Secret", place.namespace, "digest-key")
    operators.start(place.namespace, **key)
    for name in names[:3]:
        wait_creates(place, 2, name)
    wait_checks_of(place, names, 3)
    assert [creates(place, name) for name in names] == [2, 2, 2, 1]
    made = place.kube.get("Secret", place.namespace, "digest-key")
    assert made is not None
    assert made["data"] != held["data"]


def test_a_repair_that_leaves_the_same_difference_is_not_repeated(own_place: Place, operators: Operators) -> None:
    """Until the wanted value changes; also after a restart. It takes a minute to tell it from a cache.

    In place it cannot be told from a write that was never carried out: that is said, and nothing is deleted for it.
    """
    place = own_place
    first = operators.start(place.namespace, DRIFT_INTERVAL=1)
    place.apply(config={**CONFIG, "batch.size": 5})
    place.apply("placed", config={**CONFIG, "batch.size": 5}, updateStrategy="InPlace")
    for name in ("orders", "placed"):
        place.wait_running(name)
    wait_checks_of(place, ["orders", "placed"])
    fault = place.fault(operation="GetConnector", rewrite={"batch.size": "7"})
    wait_creates(place, 2)
    found = place.wait(
        predicate=lambda o: o["status"]["appliedConfig"].get("notCompared") == ["batch.size"], timeout=100
    )
    assert found["status"]["appliedConfig"]["notCompared"] == ["batch.size"]
    place.wait_running()
    place.wait_reason("UpdateNotApplied", "placed", timeout=100)
    assert set(place.writes("placed")) == {"CreateConnector", "PutResource"}
    place.delete_and_wait("placed")
    place.wait_checks(count=4)
    assert creates(place) == 2
    assert first.terminate() == 0
    operators.start(place.namespace, DRIFT_INTERVAL=1)
    place.wait_checks(count=3)
    assert creates(place) == 2
    creating = place.control.add_breakpoint(place.environment, "CreateConnector")
    place.apply(config={**CONFIG, "batch.size": 6})
    place.control.wait_breakpoint(creating)
    place.control.remove_fault(fault)
    place.fault(operation="GetConnector", rewrite={"batch.size": "8"})  # another value: no cache of the one before
    place.control.release_breakpoint(creating)
    wait_creates(place, 3)
    assert sent(place)["batch.size"] == "6"
    place.wait_running()
    place.wait_checks(count=4)
    assert creates(place) == 3


def test_a_change_beside_a_masked_key(place: Place) -> None:
    """Another key changes: one write, which carries the value that Lenses masks."""
    place.fault(operation="GetConnector", mask=["password"])
    secret(place, "db", {"pw": "one"})
    place.runs(configFrom=[PASSWORD])
    place.apply(configFrom=[PASSWORD], config={**CONFIG, "file": "/dev/zero"})
    place.wait_event("ConfigUpdated", about="file")
    place.wait_running()
    place.wait_checks(count=3)
    assert creates(place) == 2
    assert place.wait_connector()["config"]["password"] == "one"


def test_a_reference_that_becomes_empty_or_goes(place: Place) -> None:
    """What a substitution in a pipeline does to `${…}`: sent as it is, and the Event names what went."""
    keys = {"secret.key": "${vault:a:b}", "access.key": "${vault:a:c}"}
    place.runs(config={**CONFIG, **keys})
    place.apply(config={**CONFIG, "secret.key": ""})
    place.wait_event("ConfigUpdated", about="changed secret.key; removed access.key")
    place.wait_running()
    assert sent(place)["secret.key"] == ""
    assert "access.key" not in place.wait_connector()["config"]
