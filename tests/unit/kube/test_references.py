"""What is known of a Secret or ConfigMap once it was read."""

from __future__ import annotations

from typing import Any, cast

import pytest

from lenses_operator.domain.references import RefName
from lenses_operator.kube.api import KubeApi
from lenses_operator.kube.references import ReferenceReader
from lenses_operator.resources.base import WATCH_LABEL

REF = RefName("Secret", "credentials")


class Api:
    """Has one object, or none."""

    def __init__(self) -> None:
        self.labels: dict[str, str] | None = None
        self.version: int | None = 1

    async def get_reference(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        if self.version is None:
            return None
        metadata = {"name": name, "namespace": namespace, "resourceVersion": str(self.version), "labels": self.labels}
        return {"kind": kind, "metadata": metadata}


@pytest.mark.parametrize(
    ("labels", "version"),
    [(None, None), ({}, None), ({WATCH_LABEL: "false"}, None), ({"other": "true"}, None), ({WATCH_LABEL: "true"}, "1")],
)
async def test_the_version_is_kept_of_what_is_watched_alone(labels: dict[str, str] | None, version: str | None) -> None:
    """Others are many, and nobody asks."""
    api = Api()
    reader = ReferenceReader(cast("KubeApi", api))
    assert reader.version("payments", REF) is None
    api.labels = labels
    await reader.read("payments", REF)
    assert reader.version("payments", REF) == version


@pytest.mark.parametrize("gone", [True, False])
async def test_it_is_that_of_the_last_read(*, gone: bool) -> None:
    api = Api()
    reader = ReferenceReader(cast("KubeApi", api))
    api.labels = {WATCH_LABEL: "true"}
    await reader.read("payments", REF)
    api.version = None if gone else 2
    await reader.read("payments", REF)
    assert reader.version("payments", REF) == (None if gone else "2")
    assert reader.version("other", REF) is None
