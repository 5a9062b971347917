"""What a write to the status tests, as a real API server takes it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.config.kube_config import load_kube_config

from harness.controlplane import ControlPlane
from harness.kube import Kube
from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.kube.writer import Writer
from lenses_operator.resources.base import GROUP, VERSION
from lenses_operator.resources.connector_offsets import KIND, LensesConnectorOffsets, OffsetsStatus
from unit.offsets.make import body


@pytest.fixture
async def writer(control_plane: ControlPlane) -> AsyncIterator[Writer]:
    await load_kube_config(config_file=str(control_plane.kubeconfig))  # type: ignore[no-untyped-call]
    client = ApiClient()
    yield Writer(KubeApi(client))
    await client.close()  # type: ignore[no-untyped-call]


async def test_what_was_kept_and_carried_out_is_written_over_only_by_who_has_read_it(
    writer: Writer, operator_kube: Kube
) -> None:
    namespace = operator_kube.create_namespace("writer")
    wanted = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": "back", "namespace": namespace},
        "spec": body("back")["spec"],
    }
    new = LensesConnectorOffsets.read(operator_kube.create(wanted))
    stopping = await writer.write_status(new, OffsetsStatus(observed_generation=1))
    assert stopping is not None
    kept = OffsetsStatus(observed_generation=1, before_generation=1, before="[]")
    applying = await writer.write_status(stopping, kept)
    assert applying is not None
    applied = await writer.write_status(applying, kept.model_copy(update={"applied_generation": 1}))
    assert applied is not None
    for stale in (stopping, applying):
        with pytest.raises(KubeError) as raised:
            await writer.write_status(stale, kept)
        assert raised.value.outdated
    again = await writer.write_status(applied, applied.status.model_copy(update={"message": "done"}))
    assert again is not None
    assert (again.status.applied_generation, again.status.message) == (1, "done")
    operator_kube.delete("Namespace", None, namespace)
