"""The operations: rights, what a request addresses, and the call to the cluster behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from harness.lenses import conformance, exactjson
from harness.lenses.access import Token
from harness.lenses.answers import Answer, Refused, html, problem, refuse
from harness.lenses.backend import Cluster, Entry
from harness.lenses.faults import Active
from harness.lenses.operations import CHANGING, GET_ENVIRONMENT, PUT_RESOURCE, Target
from harness.lenses.world import Environment, World

BODY_OPERATIONS = frozenset({"CreateConnector", "ValidateConnector", "AlterConnectorOffsets"})
RESOURCE_KIND = {"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector"}
OK: dict[str, Any] = {}


@dataclass(slots=True)
class Call:
    """A request on its way through: what it addresses, with what body, as whom, under which faults."""

    target: Target
    raw: bytes
    body: Any
    token: Token | None
    faults: Active
    changed_by_fault: bool = False

    @property
    def params(self) -> dict[str, str]:
        return self.target.params


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
    environment = world.environments.get(call.params["environment"])
    if environment is None:
        raise Refused(problem("not_found", f"environment {call.params['environment']} not found"))
    if not call.token.environment(environment.name):
        raise refuse(403, f"Not permitted on environment {environment.name}")
    if operation == GET_ENVIRONMENT:
        return _json(200, _environment(world, environment))
    _check_request(call)
    return await _agent(world, environment, call)


def _environment(world: World, environment: Environment) -> dict[str, Any]:
    connected = not world.faults.agent_down(environment.name)
    return {
        "name": environment.name,
        "display_name": environment.name,
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


def _permit(call: Call, cluster: str | None, connector: str | None) -> None:
    token = call.token
    assert token is not None
    if call.target.operation in CHANGING and not token.write:
        raise refuse(403, "Not permitted to change connectors")
    if cluster is not None and not token.cluster(cluster):
        raise refuse(403, f"Not permitted on Connect cluster {cluster}")
    if connector is not None and not token.connector(connector):
        raise refuse(403, f"Not permitted on connector {connector}")


async def _agent(world: World, environment: Environment, call: Call) -> Answer:
    operation = call.target.operation
    if operation == "ListConnectors":
        return await _list(world, environment, call)
    if operation == "ListPlugins":
        return await _plugins(world, environment, call)
    if operation == PUT_RESOURCE:
        return await _resource(environment, call)
    (cluster_name, *_), connector = addressed(world, call.target, call.body)
    _permit(call, cluster_name, connector)
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
            details, call.changed_by_fault = call.faults.details(await cluster.details(name))
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


def _clusters(world: World, environment: Environment, call: Call) -> list[Cluster]:
    """The clusters a list covers: those asked for, that exist, that the token may see, that are up."""
    token = call.token
    assert token is not None
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
    return Answer(200, f'{{"data": [{", ".join(entry.text for entry in entries)}]}}'.encode())


def _check_entries(entries: list[Entry]) -> None:
    for entry in entries:
        if not entry.checked:
            wrong = conformance.check_list_item(entry)
            if wrong:
                raise conformance.NotConformingError(wrong)
            entry.checked = True


async def _plugins(world: World, environment: Environment, call: Call) -> Answer:
    return _json(200, {"data": await _gather(_clusters(world, environment, call), "plugins")})


async def _resource(environment: Environment, call: Call) -> Answer:
    """The resource-as-code endpoint, which only some versions of Lenses have."""
    if environment.resource_as_code is not None:
        raise refuse(environment.resource_as_code, "The resource endpoint is not available")
    body = call.body
    if not isinstance(body, dict) or any(body.get(key) != value for key, value in RESOURCE_KIND.items()):
        raise refuse(400, f"Expected a document with {RESOURCE_KIND}")
    spec = body.get("spec")
    if not isinstance(spec, dict):
        raise refuse(400, "spec is missing")
    cluster_name, name, config, state = (spec.get(key) for key in ("cluster", "name", "config", "state"))
    if not isinstance(cluster_name, str) or not isinstance(name, str) or not isinstance(config, dict):
        raise refuse(400, "spec needs cluster, name and config")
    not_text = [key for key, value in config.items() if not isinstance(value, str)]
    if not_text or (state is not None and str(state).upper() not in ("RUNNING", "PAUSED", "STOPPED")):
        raise refuse(400, f"config values must be strings ({', '.join(map(str, not_text))}), state one of the known")
    _permit(call, cluster_name, name)
    cluster = environment.clusters.get(cluster_name)
    if cluster is None:
        raise refuse(404, f"Connect cluster {cluster_name} not found")
    await cluster.update(name, config, str(state).upper() if state is not None else None)
    return _json(200, OK)
