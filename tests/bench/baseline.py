"""The operator this one is compared with: the same job in kopf as most people write it. `kopf run baseline.py`.

Handlers for create, resume, update and delete, a timer of 30 s for each connector, kopf's own settings and storages.
Kept honest: one HTTP client for all, as many requests at a time as the operator makes, no write where nothing changed.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import httpx
import kopf

PLURAL = "lensesconnectors.connect.lenses.io"
INTERVAL = 30.0
CONCURRENCY = 16
PROXY = "/api/v1/environments/{environment}/proxy/api/kafka-connect"

_client: httpx.AsyncClient
_places: asyncio.Semaphore


@kopf.on.startup()
async def startup(**_: Any) -> None:
    global _client, _places
    _places = asyncio.Semaphore(CONCURRENCY)
    headers = {"Authorization": f"Bearer {os.environ['LENSES_TOKEN']}"}
    _client = httpx.AsyncClient(base_url=os.environ["LENSES_URL"], headers=headers, timeout=30, trust_env=False)


@kopf.on.cleanup()
async def cleanup(**_: Any) -> None:
    await _client.aclose()


async def _request(method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    async with _places:
        response = await _client.request(method, path, json=body)
    if response.is_error and response.status_code != 404:
        raise kopf.TemporaryError(f"{method} {path}: {response.status_code}", delay=10)
    return response


def _wanted(spec: kopf.Spec, name: str) -> dict[str, Any]:
    config = {key: str(value) for key, value in spec.get("config", {}).items()}
    config["connector.class"] = spec["class"]
    return {"name": spec.get("name") or name, "cluster": spec["cluster"], "configuration": config}


def _connectors(spec: kopf.Spec) -> str:
    return f"{PROXY.format(environment=spec['environment'])}/connectors"


def _connector(spec: kopf.Spec, name: str) -> str:
    proxy = PROXY.format(environment=spec["environment"])
    return f"{proxy}/clusters/{spec['cluster']}/connectors/{spec.get('name') or name}"


def _show(patch: kopf.Patch, status: kopf.Status, meta: kopf.Meta, found: dict[str, Any]) -> None:
    """State, tasks and Ready, written only where they changed."""
    tasks = [{"id": int(task["id"]), "state": task["state"]} for task in found.get("tasks", [])]
    generation = meta["generation"]
    known = (status.get("state"), list(status.get("tasks", [])), status.get("observedGeneration"))
    if known == (found["state"], tasks, generation):
        return
    running = found["state"] == "RUNNING" and tasks and all(task["state"] == "RUNNING" for task in tasks)
    patch.status.update({"state": found["state"], "tasks": tasks, "observedGeneration": generation})
    patch.status["conditions"] = [
        {
            "type": "Ready",
            "status": "True" if running else "False",
            "observedGeneration": generation,
            "reason": "Running" if running else "NotRunning",
            "message": f"The connector is {found['state']}.",
            "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    ]


async def _converge(spec: kopf.Spec, name: str, meta: kopf.Meta, status: kopf.Status, patch: kopf.Patch) -> None:
    wanted = _wanted(spec, name)
    path = _connector(spec, name)
    response = await _request("GET", path)
    if response.status_code != 404:
        found = response.json()
        config = {key: value for key, value in found["config"].items() if key != "name"}
        if config == wanted["configuration"]:
            if found["state"] in ("PAUSED", "STOPPED"):
                await _request("PUT", f"{path}/resume")
            _show(patch, status, meta, found)
            return
        await _request("DELETE", path)
        while (await _request("GET", path)).status_code != 404:
            await asyncio.sleep(0.2)
    await _request("POST", _connectors(spec), wanted)
    _show(patch, status, meta, (await _request("GET", path)).json())


@kopf.on.create(PLURAL)
@kopf.on.resume(PLURAL)
@kopf.on.update(PLURAL, field="spec")
async def changed(
    spec: kopf.Spec, name: str, meta: kopf.Meta, status: kopf.Status, patch: kopf.Patch, **_: Any
) -> None:
    await _converge(spec, name, meta, status, patch)


@kopf.timer(PLURAL, interval=INTERVAL)
async def check(spec: kopf.Spec, name: str, meta: kopf.Meta, status: kopf.Status, patch: kopf.Patch, **_: Any) -> None:
    await _converge(spec, name, meta, status, patch)


@kopf.on.delete(PLURAL)
async def deleted(spec: kopf.Spec, name: str, **_: Any) -> None:
    await _request("DELETE", _connector(spec, name))
