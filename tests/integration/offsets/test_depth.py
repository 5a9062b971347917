"""The schema leaves partitions and offsets open, and the API server takes more levels of them than a parser here."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from harness.operator_fixtures import TIMEOUT, Operators, Place
from harness.waiting import wait_until
from integration.offsets.support import Offsets

LEVELS = [900, 9000]


def create(place: Place, name: str, levels: int, **spec: Any) -> None:
    """By hand: the parser of the tests goes no deeper than the operator's."""
    manifest = Offsets(place).manifest(name, offsets=[{"partition": "%", "offset": {"position": 5}}], **spec)
    text = json.dumps(manifest).replace('"%"', '{"a":' * levels + "1" + "}" * levels)
    answer = place.kube.raw(
        "POST", f"/apis/connect.lenses.io/v1alpha1/namespaces/{place.namespace}/lensesconnectoroffsets", text
    )
    assert answer.status_code == 201, answer.text[:300]


def raw(place: Place, method: str, name: str) -> httpx.Response:
    path = f"/apis/connect.lenses.io/v1alpha1/namespaces/{place.namespace}/lensesconnectoroffsets/{name}"
    return place.kube.raw(method, path)


@pytest.mark.parametrize("levels", LEVELS)
def test_an_object_that_is_too_deep_ends_nobody(own_place: Place, operators: Operators, levels: int) -> None:
    """In the watch, and in the list at a start."""
    running = operators.start(own_place.namespace)
    own_place.runs()
    create(own_place, "deep", levels)
    own_place.runs("second")
    assert running.alive
    running.terminate()
    own_place.apply("third")
    running = operators.start(own_place.namespace)
    own_place.wait_running("third")
    own_place.apply_until("Paused", "third", state="paused")
    own_place.wait_polls()
    assert running.alive
    said = "spec.offsets[0].partition: nested more than 100 levels deep"
    wait_until("word of its depth", lambda: said in raw(own_place, "GET", "deep").text, TIMEOUT)
    assert '"reason":"OffsetsInvalid"' in raw(own_place, "GET", "deep").text
    assert own_place.requests("AlterConnectorOffsets") == []
    assert raw(own_place, "DELETE", "deep").is_success
