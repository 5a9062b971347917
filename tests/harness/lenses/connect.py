"""A real Kafka Connect cluster, translated to what Lenses shows of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from harness.lenses import exactjson
from harness.lenses.answers import Answer, Refused, agent_error, refuse
from harness.lenses.backend import Entry, lrn

RUN_STATES = {"RUNNING": "resume", "PAUSED": "pause", "STOPPED": "stop"}


class ConnectCluster:
    """See `Cluster`. What Connect does is what the caller sees: rebalances, half-started workers, its own words."""

    def __init__(self, environment: str, name: str, settings: dict[str, Any]) -> None:
        unknown = set(settings) - {"backend", "url", "timeout"}
        if unknown or "url" not in settings:
            raise ValueError(f"connect cluster {name} needs url; unknown: {', '.join(sorted(unknown))}")
        self.environment = environment
        self.name = name
        self.url = str(settings["url"]).rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=float(settings.get("timeout", 95)))
        self._session: aiohttp.ClientSession | None = None

    async def _call(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> bytes:
        """One request to the worker; anything but a success ends as the answer Lenses would give."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        # an empty PUT with another content type than JSON earns a 415
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            url = URL(self.url + path, encoded=True)
            async with self._session.request(method, url, data=data, headers=headers) as response:
                answer = await response.read()
                if response.status < 300:
                    return answer
                raise Refused(translate_error(response.status, response.headers.get("Content-Type", ""), answer))
        except TimeoutError:
            raise refuse(500, f"Connect cluster {self.name} did not answer in time") from None
        except aiohttp.ClientError as error:
            # a guess: what Lenses says of a worker it cannot reach
            raise refuse(503, f"Connect cluster {self.name} cannot be reached: {type(error).__name__}") from None

    async def _json(self, method: str, path: str, body: Any = None) -> Any:
        return exactjson.loads(await self._call(method, path, body))

    @staticmethod
    def _path(name: str, rest: str = "") -> str:
        return f"/connectors/{quote(name, safe='')}{rest}"

    async def info(self) -> dict[str, Any]:
        found = await self._json("GET", "/")
        return {"name": self.name, "version": found["version"]}

    async def plugins(self) -> list[dict[str, Any]]:
        return [
            {
                "class": item["class"],
                "cluster": self.name,
                "name": item["class"].rsplit(".", 1)[-1].removesuffix("Connector"),
                "type": item.get("type", "unknown"),
                "version": item.get("version") or "undefined",
            }
            for item in await self._json("GET", "/connector-plugins")
        ]

    async def entries(self) -> list[Entry]:
        found = await self._json("GET", "/connectors?expand=status&expand=info")
        return [self._entry(name, item.get("info") or {}, item.get("status") or {}) for name, item in found.items()]

    def _head(self, name: str, info: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        head: dict[str, Any] = {"name": name, "lrn": lrn(self.environment, self.name, name), "cluster": self.name}
        known = {
            "state": (status.get("connector") or {}).get("state"),
            "className": (info.get("config") or {}).get("connector.class"),
            "type": info.get("type") or status.get("type"),
        }
        return head | {key: value for key, value in known.items() if value is not None}

    def _entry(self, name: str, info: dict[str, Any], status: dict[str, Any]) -> Entry:
        tasks = [{"id": task["id"], "state": task["state"]} for task in status.get("tasks", [])]
        entry = Entry(self._head(name, info, status) | {"tasks": tasks})
        entry.more = lambda: _running(status)
        return entry

    async def details(self, name: str) -> dict[str, Any]:
        info = await self._json("GET", self._path(name))
        try:
            status = await self._json("GET", self._path(name, "/status"))
        except Refused as refused:
            # just after create Connect knows the connector and has no status yet
            if refused.answer.status != 404 or refused.answer.foreign:
                raise
            status = {}
        return self._head(name, info, status) | {"config": info.get("config") or {}} | _running(status)

    async def create(self, name: str, config: dict[str, str]) -> None:
        await self._call("POST", "/connectors", {"name": name, "config": config})

    async def update(self, name: str, config: dict[str, str], state: str | None) -> None:
        """In place by PUT config; a new one gets its state from the start (`initial_state`), so it need never run."""
        try:
            await self._call("GET", self._path(name))
        except Refused as refused:
            if refused.answer.status != 404 or refused.answer.foreign:
                raise
            await self._call(
                "POST", "/connectors", {"name": name, "config": config, "initial_state": state or "RUNNING"}
            )
            return
        await self._call("PUT", self._path(name, "/config"), config)
        if state is not None:
            await self._call("PUT", self._path(name, f"/{RUN_STATES[state.upper()]}"))

    async def delete(self, name: str) -> None:
        await self._call("DELETE", self._path(name))

    async def act(self, name: str, action: str) -> None:
        verb = {"start": "resume"}.get(action, action)
        await self._call("POST" if verb == "restart" else "PUT", self._path(name, f"/{verb}"))

    async def restart_task(self, name: str, task: int) -> None:
        await self._call("POST", self._path(name, f"/tasks/{task}/restart"))

    async def validate(self, name: str, config: dict[str, str]) -> dict[str, Any]:
        word = config.get("connector.class")
        if not word:
            raise refuse(400, "Connector config contains no connector type")
        path = f"/connector-plugins/{quote(word, safe='')}/config/validate"
        found = await self._json("PUT", path, {"name": name, **config})
        return {"class": found["name"], "configuration": [_validation_field(item) for item in found["configs"]]}

    async def topics(self, name: str) -> list[str]:
        found = await self._json("GET", self._path(name, "/topics"))
        return list(found[name]["topics"])

    async def offsets(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._json("GET", self._path(name, "/offsets"))
        return found

    async def alter_offsets(self, name: str, body: bytes) -> dict[str, Any]:
        return {"message": json.loads(await self._call("PATCH", self._path(name, "/offsets"), raw=body))["message"]}

    async def reset_offsets(self, name: str) -> dict[str, Any]:
        return {"message": json.loads(await self._call("DELETE", self._path(name, "/offsets")))["message"]}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _running(status: dict[str, Any]) -> dict[str, Any]:
    """Where a connector and its tasks run, and what they failed with."""
    worker = status.get("connector") or {}
    out = {key: worker[key_] for key, key_ in (("workerId", "worker_id"), ("version", "version")) if worker.get(key_)}
    out["tasks"] = [
        {"id": str(task["id"]), "state": task["state"], "workerId": task["worker_id"]}
        | ({"trace": task["trace"]} if task.get("trace") else {})
        for task in status.get("tasks", [])
    ]
    return out


def translate_error(status: int, content_type: str, body: bytes) -> Answer:
    """Connect's {error_code, message} in the agent's shape; what is not Connect's API is passed on as it is.

    A worker that is starting has only Jetty to answer: HTML, or `{"message", "url", "status"}` to who accepts JSON.
    """
    try:
        said = json.loads(body)
        code, message = said["error_code"], said["message"]
    except (ValueError, KeyError, TypeError):
        return Answer(status, body, content_type or "text/plain", foreign=True)
    if not isinstance(code, int):
        return Answer(status, body, content_type or "text/plain", foreign=True)
    return agent_error(status, str(message))  # a guess: that Lenses keeps Connect's status, 409 above all


def _validation_field(item: dict[str, Any]) -> dict[str, Any]:
    definition, value = item.get("definition") or {}, item.get("value") or {}
    out: dict[str, Any] = {
        "name": definition.get("name") or value.get("name"),
        "required": bool(definition.get("required")),
        "order": int(definition.get("order_in_group") or 0),
        "documentation": definition.get("documentation") or "",
        "errors": list(value.get("errors") or []),
        "visible": bool(value.get("visible", True)),
    }
    if value.get("value") is not None:
        out["value"] = str(value["value"])
    if definition.get("default_value") is not None:
        out["defaultValue"] = str(definition["default_value"])
    return out
