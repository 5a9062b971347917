"""etcd behind the API server: its history can go, and it has kept what a killed API server has no record of."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx

from chaos.real.cast import Object
from harness.http import PLAIN, SHARED
from harness.waiting import wait_until
from invariants.history import Name

PREFIX = "/registry/connect.lenses.io/"
PLURALS = {"LensesConnector": "lensesconnectors", "LensesConnectorOffsets": "lensesconnectoroffsets"}
UP = 60.0
"""Seconds in which it serves again after a start."""


class Etcd:
    """Its JSON gateway on loopback."""

    def __init__(self, port: int) -> None:
        url = f"http://127.0.0.1:{port}/v3/kv"
        self._client = httpx.Client(base_url=url, verify=PLAIN, trust_env=False, timeout=30, limits=SHARED)

    def close(self) -> None:
        self._client.close()

    def compact(self) -> int:
        """Forget all history before now; the revision."""
        revision = int(self._ask("range", key=_coded("none"))["header"]["revision"])
        self._ask("compaction", revision=revision, physical=True)
        return revision

    def objects(self) -> dict[Name, Object]:
        """Our kinds' objects as they are stored, each with its resourceVersion, as soon as etcd serves."""
        answer = wait_until("etcd", self._all_of_ours, UP)
        found = [_object(entry) for entry in answer.get("kvs", [])]
        return {(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]): one for one in found}

    def since(self, name: Name, number: int) -> list[Object]:
        """The versions of an object after this resourceVersion, the latest first, as far as they are remembered."""
        found: list[Object] = []
        revision = 0  # the present
        while True:
            try:
                entries = self._ask("range", key=_coded(_key(name)), revision=revision).get("kvs", [])
            except httpx.HTTPStatusError:  # compacted
                return found
            if not entries or int(entries[0]["mod_revision"]) <= number:
                return found
            found.append(_object(entries[0]))
            revision = int(entries[0]["mod_revision"]) - 1

    def _all_of_ours(self) -> dict[str, Any] | None:
        try:
            return self._ask("range", key=_coded(PREFIX), range_end=_coded(PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)))
        except (httpx.TransportError, httpx.HTTPStatusError):
            return None

    def _ask(self, what: str, **body: Any) -> dict[str, Any]:
        answer = self._client.post(what, json=body).raise_for_status()
        told: dict[str, Any] = json.loads(answer.text)
        return told


def _key(name: Name) -> str:
    kind, namespace, called = name
    return f"{PREFIX}{PLURALS[kind]}/{namespace}/{called}"


def _object(entry: dict[str, Any]) -> Object:
    found: Object = json.loads(base64.b64decode(entry["value"]))
    found["metadata"]["resourceVersion"] = entry["mod_revision"]
    return found


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
