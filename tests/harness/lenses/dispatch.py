"""The operations: what a request addresses, and the call to the cluster behind it."""

from __future__ import annotations

import json
from typing import Any

import yaml

from harness.lenses import conformance, exactjson
from harness.lenses.access import Token
from harness.lenses.answers import Answer, Refused, html, problem, refuse, unseen
from harness.lenses.backend import Cluster, Entry, listing
from harness.lenses.call import Call, permit
from harness.lenses.operations import GET_ENVIRONMENT, GET_RESOURCE, LIST_ENVIRONMENTS, PUT_RESOURCE, Target
from harness.lenses.resource import resource
from harness.lenses.rights import CONFIGURATION
from harness.lenses.world import Environment, World

BODY_OPERATIONS = frozenset({"CreateConnector", "ValidateConnector", "AlterConnectorOffsets"})
OK: dict[str, Any] = {}


def parse_body(target: Target, raw: bytes) -> Any:
    """The body as far as it can be read; None where it cannot."""
    if not raw:
        return None
    try:
        if target.operation == PUT_RESOURCE:
            return yaml.safe_load(raw)
        return exactjson.loads(raw)
    except (ValueError, yaml.YAMLError):
        return None


def addressed(world: World, target: Target, body: Any) -> tuple[tuple[str, ...], str | None]:
    """The clusters and the connector a request is about, from its path, body or query."""
    source: dict[str, Any] = target.params
    if target.operation in ("CreateConnector", "ValidateConnector") and isinstance(body, dict):
        source = body
    elif target.operation == PUT_RESOURCE and isinstance(body, dict) and isinstance(body.get("spec"), dict):
        source = body["spec"]
    cluster, name = source.get("cluster"), source.get("connector", source.get("name"))
    if isinstance(cluster, str):
        return (cluster,), name if isinstance(name, str) else None
    if target.operation in ("ListConnectors", "ListPlugins"):
        environment = world.environments.get(target.environment or "")
        asked = target.query.get("cluster")
        return tuple(asked or (environment.clusters if environment else ())), None
    return (), None


async def dispatch(world: World, call: Call) -> Answer:
    """Process a request as Lenses would."""
    operation = call.target.operation
    if operation is None:
        status = 405 if call.target.wrong_method else 404
        raise Refused(problem("not_found", "No such endpoint", status))
    if call.token is None:
        raise refuse(401, "The supplied authentication is invalid")
    if operation == LIST_ENVIRONMENTS:
        seen = [found for found in world.environments.values() if call.token.environment(found.name)]
        return _json(200, {"items": [_environment(world, found, call.token) for found in seen]})
    environment = world.environments.get(call.params["environment"])
    if environment is None:
        raise Refused(problem("not_found", f"environment {call.params['environment']} not found"))
    if not call.token.environment(environment.name):
        raise unseen("environment", environment.name)
    if operation == GET_ENVIRONMENT:
        return _json(200, _environment(world, environment, call.token))
    _check_request(call)
    return await _agent(world, environment, call)


def _environment(world: World, environment: Environment, token: Token) -> dict[str, Any]:
    connected = not world.faults.agent_down(environment.name)
    return {
        "name": environment.name,
        "display_name": environment.name,
        "tier": environment.tier,
        "permissions": list(token.permissions),
        "status": {"agent_connected": connected, "agent_status": "connected" if connected else "disconnected"},
    }


def _json(status: int, payload: Any) -> Answer:
    return Answer(status, exactjson.dumps(payload).encode())


def _check_request(call: Call) -> None:
    operation = call.target.operation or ""
    wrong = conformance.parameter_errors(operation, call.params)
    if wrong:
        raise refuse(400, f"Invalid value: {'; '.join(wrong)}")
    if operation not in BODY_OPERATIONS:
        return
    try:
        exactjson.loads(call.raw)
    except ValueError as error:
        raise refuse(400, f"Invalid value for: body ({error})") from None
    errors = conformance.request_errors(operation, call.body)
    if errors:
        fields = [{"field": where, "error": message} for where, message in errors]
        raise refuse(400, "Invalid value for: body", fields)


async def _agent(world: World, environment: Environment, call: Call) -> Answer:
    operation = call.target.operation
    if operation == "ListConnectors":
        return await _list(world, environment, call)
    if operation == "ListPlugins":
        return await _plugins(world, environment, call)
    if operation in (GET_RESOURCE, PUT_RESOURCE):
        return await resource(world, environment, call)
    (cluster_name, *_), connector = addressed(world, call.target, call.body)
    permit(call, cluster_name, connector)
    cluster = environment.clusters.get(cluster_name)
    if cluster is None:
        raise refuse(404, f"Connect cluster {cluster_name} not found")
    if operation in ("CreateConnector", "ValidateConnector"):
        return await _with_configuration(cluster, call)
    if operation == "GetClusterInfo":
        return _json(200, await cluster.info())
    return await _on_connector(cluster, connector or "", call)


async def _with_configuration(cluster: Cluster, call: Call) -> Answer:
    name, config = call.body["name"], call.body["configuration"]
    if call.target.operation == "ValidateConnector":
        return _json(200, await cluster.validate(name, config))
    await cluster.create(name, call.faults.create_config(config))
    return _json(201, OK)


async def _on_connector(cluster: Cluster, name: str, call: Call) -> Answer:
    match call.target.operation:
        case "GetConnector":
            details, call.changed_by_fault = call.faults.details(_shown(call, await cluster.details(name)))
            return Answer(200, json.dumps(details).encode())
        case "DeleteConnector":
            await cluster.delete(name)
        case "ConnectorState":
            await cluster.act(name, call.params["action"])
        case "ConnectorTaskRestart":
            await cluster.restart_task(name, int(call.params["p1"]))
        case "GetConnectorTopics":
            return _json(200, await cluster.topics(name))
        case "GetConnectorOffsets":
            return _json(200, await cluster.offsets(name))
        case "AlterConnectorOffsets":
            return _json(200, await cluster.alter_offsets(name, call.raw))
        case "ResetConnectorOffsets":
            return _json(200, await cluster.reset_offsets(name))
    return _json(200, OK)


def _shown(call: Call, details: dict[str, Any]) -> dict[str, Any]:
    """The details as far as the token may read them."""
    if call.token is None or call.token.may(CONFIGURATION):
        return details
    hidden = {key: value for key, value in details.items() if key != "config"}
    return hidden | {"__errors": [{"field": "config", "reason": f"The permission {CONFIGURATION} is missing"}]}


def _clusters(world: World, environment: Environment, call: Call) -> list[Cluster]:
    """The clusters a list covers: those asked for, that exist, that the token may see, that are up."""
    token = call.token
    assert token is not None
    if call.lacks:
        return []
    asked = call.target.query.get("cluster")
    covered = [c for name, c in environment.clusters.items() if (not asked or name in asked) and token.cluster(name)]
    up = [cluster for cluster in covered if not world.faults.starting(environment.name, cluster.name)]
    if covered and not up:
        raise Refused(html(404, "Not Found"))
    return up


async def _gather(clusters: list[Cluster], read: str) -> list[Any]:
    """Join what the clusters answer; one that fails is left out unless none is left, then its answer is given."""
    found: list[Any] = []
    failure: Refused | None = None
    answered = False
    for cluster in clusters:
        try:
            found += await getattr(cluster, read)()
            answered = True
        except Refused as refused:
            failure = refused
    if failure is not None and not answered:
        raise failure
    return found


async def _list(world: World, environment: Environment, call: Call) -> Answer:
    token = call.token
    assert token is not None
    entries: list[Entry] = await _gather(_clusters(world, environment, call), "entries")
    if not token.sees_all_connectors:
        entries = [entry for entry in entries if token.connector(entry["name"])]
    classes = call.target.query.get("className")
    if classes:
        entries = [entry for entry in entries if entry.get("className") in classes]
    entries, call.changed_by_fault = call.faults.entries(entries)
    if world.check:
        _check_entries(entries)
    call.listed = entries
    return listing(entries)


def _check_entries(entries: list[Entry]) -> None:
    for entry in entries:
        if not entry.checked:
            wrong = conformance.check_list_item(entry)
            if wrong:
                raise conformance.NotConformingError(wrong)
            entry.checked = True


async def _plugins(world: World, environment: Environment, call: Call) -> Answer:
    return _json(200, {"data": await _gather(_clusters(world, environment, call), "plugins")})
