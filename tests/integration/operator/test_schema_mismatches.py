"""Objects that got in while the definition was looser than this version's: they say so, and are let go with proof only.

What is loosened is put right again before a test ends, since the tests of a process share their control plane.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from harness.kube import Kube, KubeError
from harness.operator_fixtures import SPEC, TIMEOUT, Operators, Place, message, reason
from harness.paths import CRDS
from harness.waiting import wait_until

PLURALS = ("lensesconnectors", "lensesconnectoroffsets")
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "state": ({"state": "flying"}, "spec.state"),
    "reference": ({"configFrom": [{"secretRef": "s"}]}, "spec.configFrom[0].secretRef"),
    "config": ({"config": "a=b"}, "spec.config"),
    "policy": ({"deletionPolicy": "Explode"}, "spec.deletionPolicy"),
    "cluster": ({"cluster": 5}, "spec.cluster"),
}


def definition(plural: str, *, loose: bool) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())
    if loose:
        version = found["spec"]["versions"][0]
        version["schema"]["openAPIV3Schema"] = copy.deepcopy(OPEN)
        version.pop("selectableFields", None)
    return found


def define(kube: Kube, place: Place, *, loose: bool) -> None:
    """Until it is in force."""
    for plural in PLURALS:
        kube.apply(definition(plural, loose=loose))

    def in_force() -> bool:
        try:
            kube.create(place.manifest("probe", state="flying"))
        except KubeError as error:
            return error.status == 422 and not loose
        kube.delete("LensesConnector", place.namespace, "probe")
        return loose

    wait_until(f"definitions {'loose' if loose else 'strict'}", in_force, TIMEOUT)


@pytest.fixture
def loosened(operator_kube: Kube, own_place: Place) -> Callable[[], Any]:
    """Within it the API server takes anything; so it does not afterwards."""

    @contextmanager
    def within() -> Iterator[None]:
        define(operator_kube, own_place, loose=True)
        try:
            yield
        finally:
            define(operator_kube, own_place, loose=False)

    return within


def test_among_good_ones(own_place: Place, operators: Operators, loosened: Callable[[], Any]) -> None:
    """From the watch and at a start, with the loose definition and with the right one."""
    place = own_place
    operator = operators.start(place.namespace)
    with loosened():
        place.runs("running")
        for name, (spec, _) in BAD.items():
            place.apply(f"bad-{name}", **spec)
        place.kube.apply(place.manifest("bad-spec") | {"spec": "gone"})
        place.runs("good")
        for name, (_, field) in BAD.items():
            found = place.wait_reason("ConfigInvalid", f"bad-{name}", about=f"({field}: ")
            assert found["status"]["observedGeneration"] == 1
            assert not found["metadata"].get("finalizers")
            place.wait_event("ConfigInvalid", f"bad-{name}", about=field)
        place.wait_reason("ConfigInvalid", "bad-spec", about="(spec: ")
        mark = place.mark()
        place.apply_until("ConfigInvalid", "running", about="(spec.state: ", state="flying")
        place.wait_polls()
        assert place.writes(since=mark) == []
        operator.terminate()
        place.apply("bad-state", state="drifting")
    operator = operators.start(place.namespace)
    place.runs("later")
    place.wait(
        "bad-state", lambda it: it["status"]["observedGeneration"] == it["metadata"]["generation"] and reason(it)
    )
    assert operator.alive
    for name in BAD:
        place.delete_and_wait(f"bad-{name}")
    place.runs("running")
    assert place.writes(since=mark) == ["CreateConnector"]


def test_deleted(own_place: Place, operators: Operators, loosened: Callable[[], Any]) -> None:
    """What is told of it is told beside the right definition, which refuses even status and finalizers of some."""
    place, names = own_place, ["config", "policy", "status", "unwritable"]
    with loosened():
        place.apply_many(names)
        with operators.start(place.namespace):
            for name in names:
                place.wait_running(name)
        place.apply("config", **BAD["config"][0])
        place.apply("policy", **BAD["policy"][0])
        place.apply("unwritable", **BAD["reference"][0])
        spoil(place, "status", {"ownership": {"state": "Lent"}, "conditions": "none", "observedGeneration": "x"})
    operators.start(place.namespace)
    mark = place.mark()
    place.wait_reason("ConfigInvalid", "config", about="(spec.config: ")
    place.wait_reason("ConfigInvalid", "policy", about="(spec.deletionPolicy: ")
    place.wait_event("ConfigInvalid", "status", about="(status.ownership.state: ")
    takes_status = _takes_status(place)
    if takes_status:
        found = place.wait_reason("ConfigInvalid", "status", about="(status.ownership.state: ")
        assert found["status"]["ownership"] == {"state": "Lent"}
    place.wait_event("ConfigInvalid", "unwritable", about="spec.configFrom[0].secretRef")
    for name in names:
        place.delete(name)
    place.wait_gone("config")
    found = place.wait_reason("DeletionBlocked", "policy", about="spec.deletionPolicy")
    assert "Retain" in message(found)
    place.wait_event("DeletionBlocked", "status", about="status.ownership")
    if takes_status:
        place.wait_reason("DeletionBlocked", "status", about="status.ownership")
    place.wait_no_connector("unwritable")
    assert place.get("unwritable") is not None
    assert len([why for why, _ in place.events("unwritable") if why == "ConfigInvalid"]) == 1
    change(place, "policy", deletionPolicy="Retain")
    change(place, "unwritable", configFrom=None)
    spoil(place, "status", {"ownership": {"state": "Owned"}})
    change(place, "status", config=dict(SPEC["config"]) | {"batch.size": 5})
    for name in ("policy", "unwritable", "status"):
        place.wait_gone(name)
    assert place.connector("policy") is not None
    assert all(place.connector(name) is None for name in names if name != "policy")
    assert place.writes(since=mark) == ["DeleteConnector"] * 3


def _takes_status(place: Place) -> bool:
    """The API server of Kubernetes 1.31 takes none any more once a word of it is wrong: an Event tells alone there."""
    version = place.kube.raw("GET", "/version").json()
    return (version["major"], version["minor"]) != ("1", "31")


def spoil(place: Place, name: str, status: object) -> None:
    path = f"/apis/connect.lenses.io/v1alpha1/namespaces/{place.namespace}/lensesconnectors/{name}/status"
    patch = [{"op": "add", "path": "/status", "value": status}]
    answer = place.kube.raw("PATCH", path, patch, content_type="application/json-patch+json")
    assert answer.is_success, answer.text


def change(place: Place, name: str, **spec: Any) -> None:
    place.kube.patch("LensesConnector", place.namespace, name, {"spec": spec})
