"""Steering the Lenses server from a test.

    control = LensesControl("http://127.0.0.1:4711/__control__")
    control.add_environment("env-1", {"connect": {"backend": "memory", "state_delay": 0.05}})
    control.add_fault(environment="env-1", operation="CreateConnector", times=1, status=500, processed=True)
    point = control.add_breakpoint("env-1", skip_reads=True, nth=2, when="after")
    held = control.wait_breakpoint(point, timeout=10)
    control.release_breakpoint(point, "drop")
    assert control.counts("env-1") == {"ListConnectors": 3, ...}

Operations are named as in the OpenAPI file (`CreateConnector`, `GetConnector`, ...) plus `ListEnvironments`,
`GetEnvironment`, `GetResource` and `PutResource`.
Calls are synchronous and short, except `wait_breakpoint` and `wait_requests`: from a coroutine call those in a thread.

Memory cluster settings (`add_environment`, `add_cluster`): `backend: "memory"`, `state_delay` (seconds until a state
shows; tasks and deletion follow it), `task_delay` (after the state), `create_delay` (a created connector answers 404
for so long), `delete_delay`, `topics` (topics that exist, for sink offsets), `version`, `plugins`: class names or
objects `{class, type, version, required: [keys], ints: [keys], passwords: [keys], errors: {key: [messages]}, max_tasks,
task_trace (every task fails with it), partition_keys: {key: "string"|"integer"|"any"}, offset_keys, alters_offsets}`.
Connect cluster settings: `backend: "connect"`, `url`, `timeout`.

Personas, the different Lenses that this server can be. The server has one (config key `persona`, `--persona NAME`),
each environment may have another (`add_environment(persona=)`, `set_persona`):

- `connect` (default): Connect's own codes and words in the agent's shape, so 409 for an existing name and a rebalance;
  fields as in the file; 403 for what a token may not see
- `documented`: the file to the letter, nothing else: 409 is 400 for an existing name and else 500 (a guess), other
  undeclared statuses and pages are 500, HQ's problems come in the agent's shape; no GET or PUT beside the file changes
- `observed`: as others saw a Lenses 6.2. List entries have `author`, `icon`, `version` and their tasks `workerId` and
  `trace`; optional fields and empty arrays are null; 401 and 403 come in HQ's shape, whose errors all have a
  `request_id`; whatever comes without `Content-Type: application/json` is answered 415 (a PUT as code: without a YAML
  type); what a token's globs leave out is 404 (`GetConnectorTopics`: []), the environment in HQ's shape
- `hostile`: `connect` or `observed` with the switches of `HostileSwitches`, each alone or together

Faults are answered as the test says, whatever the persona. What has no source is marked as a guess where it stands.

The server's own setting `check` (default true) holds its responses against the OpenAPI file; a bench may turn it off.
Token rights: `name`, `environments`, `clusters`, `connectors` (globs with `*`), `write`, `permissions` (Lenses' own
names, see `rights.PERMISSIONS`; absent: all). What the globs leave out and what a missing permission denies is
filtered from lists and answered 403 elsewhere, except that without `kafka-connect:GetConnectorConfiguration` details
come without `config` and with `__errors`. Which operation needs which permission is a guess.
"""

from __future__ import annotations

from typing import Any, Unpack

import httpx

from harness.http import PLAIN, SHARED
from harness.lenses import exactjson
from harness.lenses.control_kinds import ConnectorChanges, FaultKind, HostileSwitches
from harness.waiting import HANG

__all__ = ["ConnectorChanges", "ControlError", "FaultKind", "HostileSwitches", "Json", "LensesControl"]
Json = dict[str, Any]


class ControlError(RuntimeError):
    """The server refused a control command."""


class LensesControl:
    """A client of the control endpoint; safe to use from several threads."""

    def __init__(self, control_url: str) -> None:
        self.control_url = control_url.rstrip("/")
        self._http = httpx.Client(timeout=30, verify=PLAIN, trust_env=False, limits=SHARED)

    def close(self) -> None:
        self._http.close()

    def _call(self, command: str, wait: float = 0.0, **arguments: Any) -> Any:
        response = self._http.post(
            f"{self.control_url}/{command}", content=exactjson.dumps(arguments).encode(), timeout=30 + wait
        )
        payload = exactjson.loads(response.content)
        if response.status_code == 408:
            raise TimeoutError(f"{command}: {payload['error']}")
        if response.status_code != 200:
            raise ControlError(f"{command}: {payload['error']}")
        return payload["result"]

    def ping(self) -> bool:
        return bool(self._call("ping"))

    # environments, clusters, tokens
    def add_environment(
        self,
        name: str,
        clusters: dict[str, Json],
        *,
        resource_as_code: int | None = None,
        persona: str | Json | None = None,
    ) -> None:
        """`resource_as_code`: the status connectors as code are refused with (404, 405, 415, 501); None: they work.
        `persona`: its name, or {name, and the switches of `hostile`}; None: the server's."""
        self._call("add_environment", name=name, clusters=clusters, resource_as_code=resource_as_code, persona=persona)

    def set_persona(self, environment: str | None, persona: str | None, **switches: Unpack[HostileSwitches]) -> None:
        """Of one environment, or (None) of the server. It begins anew: caches and rebalances are forgotten, switches
        not given are off. Without a persona the environment has the server's again."""
        self._call("set_persona", environment=environment, persona=persona, switches=switches)

    def persona(self, environment: str | None = None) -> Json:
        """Its name, and the switches that are on."""
        found: Json = self._call("persona", environment=environment)
        return found

    def remove_environment(self, name: str) -> None:
        """Also removes its faults, and drops what its breakpoints hold."""
        self._call("remove_environment", name=name)

    def environments(self) -> dict[str, list[str]]:
        """Names of environments and their clusters."""
        found: dict[str, list[str]] = self._call("environments")
        return found

    def set_resource_as_code(
        self,
        environment: str,
        status: int | None,
        *,
        put_status: int = 200,
        put_ignored: bool = False,
        put_delay: float = 0.0,
    ) -> None:
        """`status` refuses GET and PUT with it, None lets them work. An accepted PUT is answered with `put_status`
        (200, 201, 202, 204), and takes effect after `put_delay` seconds, or never where `put_ignored`."""
        self._call(
            "set_resource_as_code",
            environment=environment,
            status=status,
            put_status=put_status,
            put_ignored=put_ignored,
            put_delay=put_delay,
        )

    def add_cluster(self, environment: str, name: str, settings: Json) -> None:
        self._call("add_cluster", environment=environment, name=name, settings=settings)

    def remove_cluster(self, environment: str, name: str) -> None:
        self._call("remove_cluster", environment=environment, name=name)

    def set_plugins(self, environment: str, cluster: str, plugins: list[str | Json]) -> None:
        self._call("set_plugins", environment=environment, cluster=cluster, plugins=plugins)

    def set_delays(
        self,
        environment: str,
        cluster: str,
        *,
        state_delay: float | None = None,
        task_delay: float | None = None,
        create_delay: float | None = None,
        delete_delay: float | None = None,
    ) -> None:
        self._call(
            "set_delays",
            environment=environment,
            cluster=cluster,
            state_delay=state_delay,
            task_delay=task_delay,
            create_delay=create_delay,
            delete_delay=delete_delay,
        )

    def end_delays(self, environment: str, cluster: str) -> None:
        """What is still to come happens now, and what comes later takes the usual time. With a delay that no test
        waits for this lets a test say when a change shows, however slow the machine is."""
        self._call("end_delays", environment=environment, cluster=cluster)

    def add_token(
        self,
        token: str,
        *,
        name: str | None = None,
        environments: list[str] | None = None,
        clusters: list[str] | None = None,
        connectors: list[str] | None = None,
        write: bool = True,
        permissions: list[str] | None = None,
    ) -> None:
        """Add a token, or change its rights; what is not given is unrestricted."""
        rights = {"environments": environments, "clusters": clusters, "connectors": connectors}
        rights["permissions"] = permissions
        given = {key: value for key, value in rights.items() if value is not None}
        self._call("add_token", token=token, rights=given | {"name": name, "write": write})

    def remove_token(self, token: str) -> None:
        self._call("remove_token", token=token)

    # the log
    def requests(
        self,
        environment: str | None = None,
        operation: str | list[str] | None = None,
        connector: str | None = None,
        since: int = 0,
    ) -> list[Json]:
        """Requests in order of arrival: seq, monotonic, wall, finished, operation, method, path (raw), query, status,
        outcome (pending | answered | dropped), processed, environment, cluster, clusters, connector, token (its name),
        body, content_type, accept, request_id (of X-Request-ID), error_id (the request_id in HQ's error). `since` is a
        seq. `processed` is false for what a fault or a persona answered without any effect."""
        found: list[Json] = self._call(
            "requests", environment=environment, operation=operation, connector=connector, since=since
        )
        return found

    def wait_requests(
        self,
        environment: str | None = None,
        operation: str | list[str] | None = None,
        connector: str | None = None,
        *,
        since: int = 0,
        count: int = 1,
        timeout: float = HANG,
    ) -> list[Json]:
        """Wait until at least `count` such requests are finished (answered or dropped); TimeoutError otherwise."""
        found: list[Json] = self._call(
            "wait_requests",
            wait=timeout,
            environment=environment,
            operation=operation,
            connector=connector,
            since=since,
            count=count,
            timeout=timeout,
        )
        return found

    def counts(self, environment: str | None = None) -> dict[str, int]:
        """Requests by operation; paths that are no operation count as `unknown`."""
        found: dict[str, int] = self._call("counts", environment=environment)
        return found

    def seen(self, environment: str | None = None, *, skip_reads: bool = False) -> int:
        """How many requests there were, or how many of them change something."""
        return int(self._call("seen", environment=environment, skip_reads=skip_reads))

    def reset(self, environment: str | None = None) -> None:
        """Forget log and counts."""
        self._call("reset", environment=environment)

    def violations(self) -> list[Json]:
        """Responses that did not conform to the OpenAPI file, and crashes: mistakes of the server itself."""
        found: list[Json] = self._call("violations")
        return found

    def clear_violations(self) -> None:
        self._call("clear_violations")

    # faults
    def add_fault(
        self,
        environment: str | None = None,
        cluster: str | None = None,
        connector: str | None = None,
        operation: str | list[str] | None = None,
        times: int | None = None,
        skip: int = 0,
        *,
        with_config: dict[str, str] | None = None,
        **kind: Unpack[FaultKind],
    ) -> int:
        """Act on matching requests after the first `skip`, `times` times (None: for ever). `connector` is a glob. A
        fault for a cluster matches requests about that cluster alone, one `with_config` creates and validates with
        these values. Of several answers the oldest fault gives its."""
        return int(
            self._call(
                "add_fault",
                environment=environment,
                cluster=cluster,
                connector=connector,
                operation=operation,
                with_config=with_config,
                times=times,
                skip=skip,
                **kind,
            )
        )

    def remove_fault(self, fault: int) -> bool:
        return bool(self._call("remove_fault", fault=fault))

    def clear_faults(self, environment: str | None = None) -> None:
        self._call("clear_faults", environment=environment)

    def fault_hits(self, fault: int) -> int:
        """How many requests matched it, those skipped included."""
        return int(self._call("fault_hits", fault=fault))

    def environment_down(self, environment: str, *, drop: bool = False) -> int:
        """Refuse everything: a proxy's 502 page, or closed connections."""
        if drop:
            return self.add_fault(environment, drop="before")
        return self.add_fault(environment, status=502, shape="html", message="Bad Gateway")

    def agent_not_connected(self, environment: str) -> int:
        return self.add_fault(environment, agent_down=True)

    def cluster_starting(self, environment: str, cluster: str) -> int:
        return self.add_fault(environment, cluster, cluster_starting=True)

    # breakpoints
    def add_breakpoint(
        self,
        environment: str | None = None,
        operation: str | list[str] | None = None,
        nth: int = 1,
        when: str = "before",
        *,
        connector: str | None = None,
        skip_reads: bool = False,
    ) -> int:
        """Hold the nth matching request from now on, "before" it is processed or "after" that, before its answer
        leaves. `skip_reads` counts only requests that change something."""
        return int(
            self._call(
                "add_breakpoint",
                environment=environment,
                operation=operation,
                connector=connector,
                nth=nth,
                when=when,
                skip_reads=skip_reads,
            )
        )

    def wait_breakpoint(self, breakpoint_id: int, timeout: float = HANG) -> Json:
        """The request held there (as in `requests`); TimeoutError if none comes."""
        found: Json = self._call("wait_breakpoint", wait=timeout, breakpoint_id=breakpoint_id, timeout=timeout)
        return found

    def release_breakpoint(self, breakpoint_id: int, action: str = "process") -> None:
        """ "process": go on, though the client may be dead. "drop": close the connection, unprocessed if held before.
        Also takes away a breakpoint that was not reached."""
        self._call("release_breakpoint", breakpoint_id=breakpoint_id, action=action)

    def clear_breakpoints(self, environment: str | None = None) -> None:
        """Drop whatever is held."""
        self._call("clear_breakpoints", environment=environment)

    # connectors of memory clusters
    def connectors(self, environment: str, cluster: str | None = None) -> list[Json]:
        """See `get_connector`, each with its `cluster`; without `cluster` those of all clusters."""
        found: list[Json] = self._call("connectors", environment=environment, cluster=cluster)
        return found

    def get_connector(self, environment: str, cluster: str, name: str) -> Json | None:
        """{name, state, target (running | paused | stopped), config, class, tasks, starts, deleting}, or None."""
        found: Json | None = self._call("get_connector", environment=environment, cluster=cluster, name=name)
        return found

    def set_connector(self, environment: str, cluster: str, name: str, **changes: Unpack[ConnectorChanges]) -> Json:
        """Change or create; a created one runs with its tasks unless told otherwise."""
        found: Json = self._call("set_connector", environment=environment, cluster=cluster, name=name, **changes)
        return found

    def add_connectors(
        self, environment: str, cluster: str, names: list[str], **changes: Unpack[ConnectorChanges]
    ) -> None:
        """Many at once, all alike."""
        self._call("add_connectors", environment=environment, cluster=cluster, names=names, changes=changes)

    def remove_connector(self, environment: str, cluster: str, name: str) -> bool:
        """Take it away at once; its offsets stay."""
        return bool(self._call("remove_connector", environment=environment, cluster=cluster, name=name))

    def get_offsets(self, environment: str, cluster: str, name: str) -> list[Json]:
        found: list[Json] = self._call("get_offsets", environment=environment, cluster=cluster, name=name)
        return found

    def set_offsets(self, environment: str, cluster: str, name: str, offsets: list[Json] | str) -> None:
        """Replace them; as JSON text numbers keep their notation (1.0, 1.7412e12)."""
        given = exactjson.loads(offsets) if isinstance(offsets, str) else offsets
        self._call("set_offsets", environment=environment, cluster=cluster, name=name, offsets=given)
