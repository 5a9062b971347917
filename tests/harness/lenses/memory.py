"""A simulated Connect cluster: thousands of connectors, asynchronous changes, no JVM."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from harness.lenses import exactjson
from harness.lenses import memory_offsets as offset_rules
from harness.lenses.answers import refuse
from harness.lenses.backend import Entry
from harness.lenses.memory_connector import USUAL_DELAY, Delays, MemoryConnector, Place, Task
from harness.lenses.plugins import DEFAULT_PLUGINS, Plugin, find_plugin, unknown_class

SETTINGS = {"backend", "plugins", "state_delay", "task_delay", "create_delay", "delete_delay", "topics", "version"}
STATES = {"RUNNING", "UNASSIGNED", "PAUSED", "FAILED", "RESTARTING", "STOPPED"}


class MemoryCluster:
    """See `Cluster`: no method waits for anything. Beyond it: what tests change behind the operator's back."""

    clock: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self, environment: str, name: str, settings: dict[str, Any]) -> None:
        unknown = set(settings) - SETTINGS
        if unknown:
            raise ValueError(f"unknown settings of memory cluster {name}: {', '.join(sorted(unknown))}")
        self.environment = environment
        self.name = name
        self.version = str(settings.get("version", "4.3.1"))
        self.known_plugins = (
            [Plugin.parse(p) for p in settings["plugins"]] if "plugins" in settings else list(DEFAULT_PLUGINS)
        )
        self.delays = Delays()
        self.set_delays(settings)
        self.kafka_topics: set[str] | None = set(settings["topics"]) if "topics" in settings else None
        self.connectors: dict[str, MemoryConnector] = {}
        self.stored = offset_rules.OffsetStore()

    def set_delays(self, settings: dict[str, Any]) -> None:
        """Take `state_delay` and its like; tasks and deletion follow the state's unless said otherwise."""
        if settings.get("state_delay") is not None:
            self.delays.state = self.delays.task = self.delays.delete = float(settings["state_delay"])
        for name in ("task", "create", "delete"):
            if settings.get(f"{name}_delay") is not None:
                setattr(self.delays, name, float(settings[f"{name}_delay"]))

    def end_delays(self) -> None:
        """What is still to come happens now, and what comes later takes the usual time."""
        self.set_delays({"state_delay": USUAL_DELAY, "create_delay": 0})
        for connector in self.connectors.values():
            connector.come_due()

    def set_plugins(self, plugins: list[Any]) -> None:
        """Install other classes; connectors that run keep theirs."""
        self.known_plugins = [Plugin.parse(plugin) for plugin in plugins]

    # looking things up
    def find(self, name: str, *, hidden: bool = False) -> MemoryConnector | None:
        connector = self.connectors.get(name)
        if connector is None:
            return None
        now = self.clock()
        if connector.gone_from is not None and connector.gone_from <= now:
            del self.connectors[name]
            return None
        if connector.visible_from > now and not hidden:
            return None
        connector.settle(now)
        return connector

    def need(self, name: str) -> MemoryConnector:
        connector = self.find(name)
        if connector is None:
            raise refuse(404, f"Connector {name} not found")
        return connector

    def all(self) -> list[tuple[str, MemoryConnector]]:
        return [(name, found) for name in list(self.connectors) if (found := self.find(name)) is not None]

    def _place(self, name: str) -> Place:
        return Place(self.environment, self.name, name)

    # the API's reads
    async def info(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version}

    async def plugins(self) -> list[dict[str, Any]]:
        return [
            {
                "class": p.name,
                "cluster": self.name,
                "name": p.name.rsplit(".", 1)[-1].removesuffix("Connector"),
                "type": p.type,
                "version": p.version,
            }
            for p in self.known_plugins
        ]

    async def entries(self) -> list[Entry]:
        return [connector.entry(self._place(name)) for name, connector in self.all()]

    async def details(self, name: str) -> dict[str, Any]:
        return self.need(name).details(self._place(name))

    async def topics(self, name: str) -> list[str]:
        connector = self.find(name)
        if connector is None or not connector.starts:
            return []
        named = connector.config.get("topics", connector.config.get("topic", ""))
        return [topic.strip() for topic in named.split(",") if topic.strip()]

    async def validate(self, name: str, config: dict[str, str]) -> dict[str, Any]:
        prefix = "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: "
        plugin = self._plugin(config, status=500, prefix=prefix)
        return {"class": config["connector.class"], "configuration": plugin.validate({**config, "name": name})}

    def _plugin(self, config: dict[str, str], status: int, prefix: str) -> Plugin:
        word = config.get("connector.class")
        if not word:
            shown = ", ".join(f"{key}={value}" for key, value in config.items())
            raise refuse(400, f"Connector config {{{shown}}} contains no connector type")
        plugin = find_plugin(self.known_plugins, word)
        if plugin is None:
            raise refuse(status, prefix + unknown_class(self.known_plugins, word))
        return plugin

    # the API's changes
    async def create(self, name: str, config: dict[str, str]) -> None:
        if self.find(name, hidden=True) is not None:
            raise refuse(409, f"Connector {name} already exists")  # Connect's; that Lenses keeps it is a guess
        connector = self._new(name, config)
        connector.start(self.clock())

    def _new(self, name: str, config: dict[str, str]) -> MemoryConnector:
        plugin = self._checked_plugin(name, config)
        connector = self.connectors[name] = self.made(name, dict(config), plugin)
        connector.visible_from = self.clock() + connector.delays.create if connector.delays.create else 0.0
        return connector

    def made(self, name: str, config: dict[str, str], plugin: Plugin | None) -> MemoryConnector:  # noqa: ARG002
        """A new connector, which has yet to start."""
        return MemoryConnector(config, plugin=plugin, delays=self.delays)

    def _checked_plugin(self, name: str, config: dict[str, str]) -> Plugin:
        if config.get("name", name) != name:
            mismatch = (
                f"Connector name configuration ({config['name']}) doesn't match connector name in the URL ({name})"
            )
            raise refuse(400, mismatch)
        plugin = self._plugin(config, status=400, prefix="org.apache.kafka.connect.errors.ConnectException: ")
        errors = [error for item in plugin.validate({**config, "name": name}) for error in item["errors"]]
        if errors:
            listed = "\n".join(errors)
            raise refuse(
                400,
                f"Connector configuration is invalid and contains the following {len(errors)} error(s):\n{listed}\n"
                "You can also find the above list of errors at the endpoint "
                "`/connector-plugins/{connectorType}/config/validate`",
            )
        return plugin

    async def update(self, name: str, config: dict[str, str], state: str | None) -> None:
        """Create or change in place, as the resource-as-code endpoint does; a new one need never run."""
        now = self.clock()
        connector = self.find(name)
        wanted = (state or "RUNNING").upper()
        if connector is None:
            connector = self._new(name, config)
            if wanted == "RUNNING":
                connector.start(now)
            else:
                connector.rest(wanted)
            return
        plugin = self._checked_plugin(name, config)
        connector.replace(dict(config), plugin, now)
        if state is not None:
            connector.act({"RUNNING": "resume", "PAUSED": "pause", "STOPPED": "stop"}.get(wanted, ""), now)

    async def delete(self, name: str) -> None:
        connector = self.need(name)
        if connector.gone_from is None:
            connector.gone_from = self.clock() + connector.delays.delete
        self.find(name)

    async def act(self, name: str, action: str) -> None:
        self.need(name).act(action, self.clock())

    async def restart_task(self, name: str, task: int) -> None:
        connector = self.need(name)
        found = next((item for item in connector.tasks if item.id == task), None)
        if found is None:
            raise refuse(404, f"Unknown task: {name}-{task}")
        connector.restart_task(found, self.clock())

    # offsets
    async def offsets(self, name: str) -> dict[str, Any]:
        self.need(name)
        return {"offsets": self.stored.read(name)}

    def _need_stopped(self, name: str, verb: str) -> MemoryConnector:
        connector = self.need(name)
        sink = connector.plugin is not None and connector.plugin.type == "sink"
        if connector.state != "STOPPED" or (connector.tasks and not sink):
            raise refuse(400, offset_rules.NOT_STOPPED.format(name))
        if connector.tasks:
            raise refuse(500, offset_rules.ZOMBIES.format(verb, name, verb))
        return connector

    async def alter_offsets(self, name: str, body: bytes) -> dict[str, Any]:
        entries = exactjson.loads(body).get("offsets")
        if not entries:
            raise refuse(400, offset_rules.NONE_GIVEN)
        connector = self._need_stopped(name, "alter")
        topics = self.kafka_topics
        if topics is not None or "topics" in connector.config:
            topics = {t.strip() for t in connector.config.get("topics", "").split(",")} | (topics or set())
        self.stored.merge(name, offset_rules.checked(connector.plugin, entries, topics))
        return offset_rules.message(connector.plugin, "altered")

    async def reset_offsets(self, name: str) -> dict[str, Any]:
        connector = self._need_stopped(name, "reset")
        self.stored.clear(name)
        return offset_rules.message(connector.plugin, "reset")

    async def close(self) -> None:
        return None

    # behind the operator's back
    def put(self, name: str, changes: dict[str, Any]) -> MemoryConnector:
        """Create or change a connector at once, unchecked: see `ConnectorChanges`."""
        connector = self.find(name, hidden=True)
        if connector is None or connector.gone_from is not None:
            config = {str(k): str(v) for k, v in (changes.get("config") or {}).items()}
            if "connector.class" not in config:
                config["connector.class"] = self.known_plugins[0].name
            connector = self.made(name, config, find_plugin(self.known_plugins, config["connector.class"]))
            self.connectors[name] = connector
            connector._start_tasks()
        change_connector(connector, changes, self.known_plugins)
        return connector


def change_connector(connector: MemoryConnector, changes: dict[str, Any], plugins: list[Plugin]) -> None:
    """Overwrite what is named; pending changes are forgotten when state or tasks are set."""
    if changes.get("config") is not None:
        connector.config = {str(k): str(v) for k, v in changes["config"].items()}
        connector.plugin = find_plugin(plugins, connector.config.get("connector.class", "")) or connector.plugin
    for key, value in (changes.get("config_changes") or {}).items():
        if value is None:
            connector.config.pop(key, None)
        else:
            connector.config[key] = str(value)
    states = [changes.get("state"), *(task.get("state") for task in changes.get("tasks") or [])]
    unknown = {str(state) for state in states if state is not None} - STATES
    if unknown:
        raise ValueError(f"Connect has no state {', '.join(unknown)}; a fault with state= shows any word")
    if changes.get("state") is not None:
        connector.rest(str(changes["state"]))
    if changes.get("tasks") is not None:
        connector.pending = []
        connector.tasks = [Task(int(t["id"]), t.get("state", "RUNNING"), t.get("trace")) for t in changes["tasks"]]
    if changes.get("fails") is not None:
        connector.fails = bool(changes["fails"])
    if changes.get("failing") is not None:
        connector.failing = {int(task): str(trace) for task, trace in changes["failing"].items()}
    delays = {
        key: changes[f"{key}_delay"] for key in ("state", "task", "delete") if changes.get(f"{key}_delay") is not None
    }
    if delays:
        old = connector.delays
        connector.delays = Delays(
            delays.get("state", old.state), delays.get("task", old.task), old.create, delays.get("delete", old.delete)
        )
    connector.changed()
