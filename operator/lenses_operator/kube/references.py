"""Reads one Secret or ConfigMap at a time: the operator holds no list of everyone's Secrets."""

from __future__ import annotations

import base64
from typing import Any

from lenses_operator.domain.references import RefData, ReferenceNotFound, RefName
from lenses_operator.kube.api import KubeApi, KubeError
from lenses_operator.resources.base import WATCH_LABEL


class ReferenceReader:
    """Raises KubeError, and ReferenceNotFound where the operator may not read the object."""

    def __init__(self, api: KubeApi) -> None:
        self._api = api
        self._versions: dict[tuple[str, RefName], str] = {}

    def version(self, namespace: str, ref: RefName) -> str | None:
        """Of what was read last, where that is labelled to be watched."""
        return self._versions.get((namespace, ref))

    async def read(self, namespace: str, ref: RefName) -> RefData | None:
        """None where there is no such object."""
        try:
            body = await self._api.get_reference(ref.kind, namespace, ref.name)
        except KubeError as error:
            if error.status != 403:
                raise
            raise ReferenceNotFound(
                f"The operator may not read {ref.kind} {ref.name} in namespace {namespace}. "
                f"Give its service account the right to get {ref.kind.lower()}s there."
            ) from None
        metadata = {} if body is None else body["metadata"]
        if (metadata.get("labels") or {}).get(WATCH_LABEL) == "true":
            self._versions[namespace, ref] = metadata["resourceVersion"]
        else:
            self._versions.pop((namespace, ref), None)
        return None if body is None else data_of(body)


def data_of(body: dict[str, Any]) -> RefData:
    """Base64 of a Secret's data and of a ConfigMap's binaryData decoded; a ConfigMap's text as UTF-8.

    Raises ReferenceNotFound for what is no base64; the API server gives none, but something before it may.
    """
    kind, name = body.get("kind", "Secret"), body["metadata"].get("name", "")
    data = body.get("data") or {}
    if kind == "ConfigMap":
        decoded = {key: (value or "").encode(errors="surrogatepass") for key, value in data.items()}
        encoded = body.get("binaryData") or {}
    else:
        decoded, encoded = {}, data
    for key, value in encoded.items():
        try:
            decoded[key] = base64.b64decode(value or "", validate=True)
        except ValueError:
            raise ReferenceNotFound(
                f"Key {key!r} of {kind} {name} came from the Kubernetes API as something that is not base64. "
                "Write the value again."
            ) from None
    return RefData(body["metadata"]["resourceVersion"], decoded)
