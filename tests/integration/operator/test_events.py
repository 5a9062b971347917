"""Events as a real API server keeps them; how much one resource may say is judged in tests/unit/kube."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.config.kube_config import load_kube_config

from harness.controlplane import ControlPlane
from harness.kube import Kube
from lenses_operator.kube.api import KubeApi
from lenses_operator.kube.events import Events
from unit.resources.make import resource


@pytest.fixture
async def events(control_plane: ControlPlane) -> AsyncIterator[Events]:
    await load_kube_config(config_file=str(control_plane.kubeconfig))  # type: ignore[no-untyped-call]
    client = ApiClient()
    made = Events(KubeApi(client))
    writing = asyncio.create_task(made.run())
    yield made
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await client.close()  # type: ignore[no-untyped-call]


async def test_repeated_and_combined(events: Events, kube: Kube) -> None:
    namespace = kube.create_namespace("events")
    about = resource(namespace=namespace, uid="9b2f2b2e-0000-4000-8000-000000000001")
    for number in range(13):
        events.emit(about, "Warning", "TaskFailed", f"failure {number}")
    for _ in range(3):
        events.emit(about, "Normal", "TaskRestarted", "Restarted task 0, automatically.")
    await events.drain()
    found = {(event["reason"], event["message"]): event["count"] for event in kube.events(namespace, "orders")}
    assert found == {("TaskFailed", f"failure {number}"): 1 for number in range(10)} | {
        ("TaskFailed", "(combined from similar events): failure 12"): 3,
        ("TaskRestarted", "Restarted task 0, automatically."): 3,
    }
    kube.delete("Namespace", None, namespace)


async def test_a_namespace_on_its_way_out_is_asked_once(
    events: Events, kube: Kube, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "lenses_operator")
    namespace = kube.create_namespace("events")
    kube.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "stays", "namespace": namespace, "finalizers": ["tests/stays"]},
        }
    )
    kube.delete("Namespace", None, namespace)
    about = resource(namespace=namespace, uid="9b2f2b2e-0000-4000-8000-000000000002")
    for number in range(5):
        events.emit(about, "Normal", f"R{number}", "words")
    await events.drain()
    events.emit(about, "Normal", "Deleted", "words")
    await events.drain()
    said = [record.getMessage() for record in caplog.records if record.name == "lenses_operator.kube.events"]
    assert len(said) == 2
    assert said[0].startswith("Event R0 not written: create event: 403 ")
    assert said[1] == "Event Deleted held back"
    assert kube.events(namespace, "orders") == []
    kube.patch("ConfigMap", namespace, "stays", {"metadata": {"finalizers": None}})
