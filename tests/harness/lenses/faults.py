"""Faults a test injects: what they match, how often, and what they do to a request or to its answer."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field, fields
from typing import Any

from harness.lenses.access import glob_match
from harness.lenses.answers import Answer, agent_error, html, problem
from harness.lenses.backend import Entry
from harness.lenses.operations import GET_ENVIRONMENT, LIST_ENVIRONMENTS, checked_operations
from harness.lenses.record import Request

SECRET_KEY = re.compile(r"password|secret", re.IGNORECASE)
MASK = "********"
SHAPES = ("agent", "hq", "html", "text", "empty")


@dataclass(slots=True)
class Fault:
    """See `LensesControl.add_fault` for the meaning of every field."""

    id: int
    environment: str | None = None
    cluster: str | None = None
    connector: str | None = None
    operation: list[str] | None = None
    with_config: dict[str, str] | None = None
    times: int | None = None
    skip: int = 0
    latency: float = 0.0
    status: int | None = None
    shape: str = "agent"
    type: str = "internal_server_error"
    message: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    processed: bool = False
    drop: str | None = None
    body: Any = None
    text: str | None = None
    content_type: str | None = None
    agent_down: bool = False
    cluster_starting: bool = False
    mask: bool | list[str] = False
    omit_config: bool = False
    errors: list[dict[str, str]] | None = None
    rewrite: dict[str, str | None] | None = None
    add_at_create: dict[str, str] | None = None
    state: str | None = None
    omit_state: bool = False
    extra: dict[str, Any] | None = None
    hide: bool = False
    hits: int = 0

    def __post_init__(self) -> None:
        if self.drop not in (None, "before", "after") or self.shape not in SHAPES:
            raise ValueError(f"drop is before or after, shape one of {', '.join(SHAPES)}")

    @classmethod
    def parse(cls, number: int, given: dict[str, Any]) -> Fault:
        unknown = set(given) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"unknown fault settings: {', '.join(sorted(unknown))}")
        return cls(id=number, **given | {"operation": checked_operations(given.get("operation"))})

    def matches(self, request: Request) -> bool:
        """For a cluster: requests about that cluster alone. For a connector: requests that name it."""
        if self.operation is not None and request.operation not in self.operation:
            return False
        if self.environment is not None and request.environment != self.environment:
            return False
        if self.cluster is not None and (not request.clusters or set(request.clusters) != {self.cluster}):
            return False
        if self.with_config is not None and not self._sends(request.body):
            return False
        if self.connector is None:
            return True
        if request.connector is None:
            return request.operation == "ListConnectors" and self.changes_entries
        return glob_match(self.connector, request.connector)

    def _sends(self, body: Any) -> bool:
        """Whether it is a request with these values in the connector's configuration."""
        sent = body.get("configuration") if isinstance(body, dict) else None
        return isinstance(sent, dict) and (self.with_config or {}).items() <= sent.items()

    @property
    def changes_entries(self) -> bool:
        return self.state is not None or self.omit_state or self.hide or bool(self.extra)

    @property
    def changes_details(self) -> bool:
        return bool(self.mask or self.omit_config or self.errors or self.rewrite) or (
            self.changes_entries and not self.hide
        )

    @property
    def answers(self) -> bool:
        """Whether it takes the answer's place."""
        return (
            self.status is not None
            or self.body is not None
            or self.text is not None
            or self.agent_down
            or self.cluster_starting
        )

    def due(self) -> bool:
        """Count a matching request and say whether the fault acts on it."""
        self.hits += 1
        return self.hits > self.skip and (self.times is None or self.hits <= self.skip + self.times)

    def about(self, name: str) -> bool:
        return self.connector is None or glob_match(self.connector, name)

    def answer(self) -> Answer:
        """The answer it gives in place of the real one."""
        status = self.status if self.status is not None else 200
        if self.agent_down:
            out = problem(
                "agent_not_connected", self.message or "The agent of this environment is not connected", self.status
            )
        elif self.cluster_starting:
            out = html(404, "Not Found")
        elif self.body is not None:
            out = Answer(status, json.dumps(self.body).encode(), self.content_type or "application/json")
        elif self.text is not None:
            out = Answer(status, self.text.encode(), self.content_type or "text/plain")
        else:
            out = shaped(self, status)
        out.headers = dict(self.headers)
        out.foreign = True
        return out


def shaped(fault: Fault, status: int) -> Answer:
    """An error in the shape the fault asks for."""
    message = fault.message or f"injected {status}"
    match fault.shape:
        case "hq":
            return problem(fault.type, fault.message or fault.type.replace("_", " "), status)
        case "html":
            return html(status, message)
        case "text":
            return Answer(status, message.encode(), "text/plain")
        case "empty":
            return Answer(status, b"", "application/octet-stream")
    return agent_error(status, message)


@dataclass(slots=True)
class Active:
    """The faults that act on one request."""

    faults: list[Fault]

    @property
    def latency(self) -> float:
        return sum(fault.latency for fault in self.faults)

    def dropped(self, when: str) -> bool:
        return any(fault.drop == when for fault in self.faults)

    def answering(self, *, processed: bool) -> Answer | None:
        for fault in self.faults:
            if fault.answers and fault.processed == processed:
                return fault.answer()
        return None

    def create_config(self, config: dict[str, str]) -> dict[str, str]:
        for fault in self.faults:
            config = {**config, **(fault.add_at_create or {})}
        return config

    def entries(self, entries: list[Entry]) -> tuple[list[Entry], bool]:
        """The list as the faults make it, and whether they changed it."""
        changing = [fault for fault in self.faults if fault.changes_entries]
        for fault in changing:
            entries = [self._entry(fault, entry) for entry in entries if not (fault.hide and self._about(fault, entry))]
        return entries, bool(changing)

    def _about(self, fault: Fault, entry: Entry) -> bool:
        return fault.about(entry["name"]) and fault.cluster in (None, entry["cluster"])

    def _entry(self, fault: Fault, entry: Entry) -> Entry:
        if not self._about(fault, entry):
            return entry
        changed = Entry(entry)
        changed.checked, changed.more = True, entry.more
        change_state(fault, changed)
        return changed

    def details(self, details: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The details as the faults make them, and whether they changed them."""
        changing = [fault for fault in self.faults if fault.changes_details]
        for fault in changing:
            details = change_details(fault, details)
        return details, bool(changing)


def change_state(fault: Fault, out: dict[str, Any]) -> None:
    """What details and list entries have in common."""
    if fault.state is not None:
        out["state"] = fault.state
    if fault.omit_state:
        out.pop("state", None)
    out.update(fault.extra or {})


def change_details(fault: Fault, details: dict[str, Any]) -> dict[str, Any]:
    out = dict(details)
    config = dict(out.get("config", {}))  # another fault may have taken it away, which an empty one would undo
    for key in config:
        if (fault.mask is True and SECRET_KEY.search(key)) or (isinstance(fault.mask, list) and key in fault.mask):
            config[key] = MASK
    for key, value in (fault.rewrite or {}).items():
        if value is None:
            config.pop(key, None)
        else:
            config[key] = value
    if "config" in out and not fault.omit_config:
        out["config"] = config
    else:
        out.pop("config", None)
    if fault.errors:
        out["__errors"] = [*out.get("__errors", []), *fault.errors]
    change_state(fault, out)
    return out


class FaultBook:
    """All faults that are set."""

    def __init__(self) -> None:
        self._faults: dict[int, Fault] = {}
        self._ids = itertools.count(1)

    def add(self, given: dict[str, Any]) -> int:
        fault = Fault.parse(next(self._ids), given)
        self._faults[fault.id] = fault
        return fault.id

    def get(self, number: int) -> Fault | None:
        return self._faults.get(number)

    def remove(self, number: int) -> bool:
        return self._faults.pop(number, None) is not None

    def clear(self, environment: str | None = None) -> None:
        """Remove those of one environment, or all."""
        self._faults = (
            {} if environment is None else {k: f for k, f in self._faults.items() if f.environment != environment}
        )

    def acting_on(self, request: Request) -> Active:
        """The faults due for this request; each that matches counts it. HQ itself stays up when an agent is not."""
        active = [fault for fault in list(self._faults.values()) if fault.matches(request) and fault.due()]
        if request.operation in (GET_ENVIRONMENT, LIST_ENVIRONMENTS):
            active = [fault for fault in active if not fault.agent_down]
        return Active(active)

    def agent_down(self, environment: str) -> bool:
        return any(f.agent_down and f.environment in (None, environment) for f in self._faults.values())

    def starting(self, environment: str, cluster: str) -> bool:
        """Whether a list over several clusters has to do without this one."""
        return any(
            f.cluster_starting and f.environment in (None, environment) and f.cluster in (None, cluster)
            for f in self._faults.values()
        )
