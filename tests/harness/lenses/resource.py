"""The resource-as-code endpoint, which only some versions of Lenses have: connectors as YAML documents."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import yaml

from harness.lenses.answers import JSON, YAML, Answer, Refused, refuse
from harness.lenses.backend import Cluster
from harness.lenses.call import Call, permit
from harness.lenses.operations import GET_RESOURCE
from harness.lenses.world import Environment, World

KIND = {"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector"}
STATES = ("RUNNING", "PAUSED", "STOPPED")


async def resource(world: World, environment: Environment, call: Call) -> Answer:
    """Answer a GET or a PUT of a resource."""
    settings = environment.resource
    if settings.refused is not None:
        raise refuse(settings.refused, "The resource endpoint is not available")  # a guess: its shape
    if _json_alone(call.accept):  # a guess for the PUT
        raise refuse(415, "This endpoint speaks YAML")
    if call.operation == GET_RESOURCE:
        return await _get(environment, call)
    cluster, name, config, state = _wanted(environment, call)
    if settings.ignored or settings.delay:
        await _refuse_invalid(cluster, name, config)
    if settings.delay and not settings.ignored:
        world.later(_update_later(settings.delay, cluster, name, config, state))
    elif not settings.ignored:
        await cluster.update(name, config, state)
    return Answer(settings.success, b"" if settings.success == 204 else b"{}")


def _json_alone(accept: str) -> bool:
    ranges = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return ranges == {JSON}


def _cluster(environment: Environment, call: Call, name: str, connector: str) -> Cluster:
    permit(call, name, connector)
    cluster = environment.clusters.get(name)
    if cluster is None:
        raise refuse(404, f"Connect cluster {name} not found")
    return cluster


async def _get(environment: Environment, call: Call) -> Answer:
    name = call.params["name"]
    cluster = _cluster(environment, call, call.params["cluster"], name)
    details, call.changed_by_fault = call.faults.details(await cluster.details(name))
    state = details.get("state")
    spec: dict[str, Any] = {"cluster": cluster.name, "name": name, "state": state if state in STATES else "RUNNING"}
    if "config" in details:
        spec["config"] = details["config"]
    return Answer(200, yaml.safe_dump(KIND | {"spec": spec}, sort_keys=False).encode(), YAML)


def _wanted(environment: Environment, call: Call) -> tuple[Cluster, str, dict[str, str], str | None]:
    """Cluster, name, config and state of the document in a PUT."""
    body = call.body
    if not isinstance(body, dict) or any(body.get(key) != value for key, value in KIND.items()):
        raise refuse(400, f"Expected a document with {KIND}")
    spec = body.get("spec")
    if not isinstance(spec, dict):
        raise refuse(400, "spec is missing")
    cluster_name, name, config, state = (spec.get(key) for key in ("cluster", "name", "config", "state"))
    if not isinstance(cluster_name, str) or not isinstance(name, str) or not isinstance(config, dict):
        raise refuse(400, "spec needs cluster, name and config")
    not_text = [key for key, value in config.items() if not isinstance(value, str)]
    if not_text or (state is not None and str(state).upper() not in STATES):
        raise refuse(400, f"config values must be strings ({', '.join(map(str, not_text))}), state one of the known")
    cluster = _cluster(environment, call, cluster_name, name)
    return cluster, name, config, str(state).upper() if state is not None else None


async def _refuse_invalid(cluster: Cluster, name: str, config: dict[str, str]) -> None:
    """What is accepted without taking effect at once would at least have been valid."""
    fields = (await cluster.validate(name, config))["configuration"]
    errors = [error for field in fields for error in field.get("errors") or []]
    if errors:
        raise refuse(400, "\n".join(errors))


async def _update_later(delay: float, cluster: Cluster, name: str, config: dict[str, str], state: str | None) -> None:
    await asyncio.sleep(delay)
    with contextlib.suppress(Refused):
        await cluster.update(name, config, state)
