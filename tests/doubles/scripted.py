"""Lenses that answers at once, and does and refuses what a test says."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Self, TypeVar

from doubles.lenses import ALTERED, CHANGING, RESET, STATES, Connector, Lenses, Refusal, Request
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import (
    ClusterInfo,
    ConnectorDetails,
    ConnectorListItem,
    OffsetsText,
    Plugin,
    StateAction,
    ValidationResult,
    offsets_of,
)
from lenses_operator.lenses.tokens import TokenSource
from lenses_operator.lenses.transport import Precondition
from unit.offsets.make import BEFORE
from unit.resources.make import CLASS

T = TypeVar("T")
READS = ("list_connectors", "get_connector", "get_cluster_info", "get_topics", "list_plugins", "get_resource")
OFFSETS_CALLS = ("set_state", "get_offsets", "alter_offsets", "reset_offsets")


class FakeLenses(Lenses):
    """`fail` queues errors for an operation, None for a good answer in between; one that is `carried_out` happens all
    the same."""

    def __init__(self) -> None:
        self.connectors: dict[tuple[str, str], Connector] = {}
        self.calls: list[tuple[str, ...]] = []
        self.clusters = {"connect-eu"}
        self.plugin_list = super()._plugins()
        self.invalid: dict[str, list[str]] = {}
        self.passwords: frozenset[str] = frozenset()
        """Keys of Connect's type PASSWORD, whose values validate does not show."""
        self.hidden: frozenset[str] = frozenset()
        self.hides_config = False
        """All of it, as from a token without the right to read configurations."""
        self.shows: Callable[[dict[str, str]], dict[str, str]] = lambda config: config | {"name": "orders"}
        self.topics = super()._topics()
        self.refuses: Callable[[dict[str, str]], bool] = lambda _: False
        """Configurations that create refuses although validate passes them."""
        self.as_code = True
        """Whether it has the resource-as-code endpoint."""
        self.heeds_puts = True
        self.heeds_state = True
        """Whether a state change that is accepted happens."""
        self.stops = True
        self.offsets = BEFORE
        """The text that a GET answers, of whichever connector."""
        self.heeds = True
        """Whether an Alter that is accepted happens."""
        self.sent: list[str] = []
        """Offsets that were taken."""
        self.turn = 0.0
        """Seconds that what destroys or creates waits for its turn."""
        self._faults: dict[str, list[tuple[errors.LensesError | None, bool]]] = defaultdict(list)
        self._always: dict[str, errors.LensesError] = {}

    def with_tokens(self, tokens: TokenSource) -> Self:  # noqa: ARG002 - as the client has it
        """It knows no tokens: everybody sees the same."""
        return self

    def fail(self, operation: str, *faults: errors.LensesError | None, carried_out: bool = False) -> None:
        self._faults[operation] += [(fault, carried_out) for fault in faults]

    def always(self, operation: str, fault: errors.LensesError | None) -> None:
        if fault is None:
            self._always.pop(operation, None)
        else:
            self._always[operation] = fault

    def down(self, fault: errors.LensesError | None) -> None:
        """Not the list alone."""
        for operation in READS:
            self.always(operation, fault)

    def asked(self, *operations: str) -> list[tuple[str, ...]]:
        """Every call of these operations, or of all that change or validate something."""
        return [call for call in self.calls if (call[0] in operations if operations else call[0] not in READS)]

    def order(self) -> list[str]:
        """State changes and offsets calls, in short."""
        return [call[-1] if call[0] == "set_state" else call[0] for call in self.calls if call[0] in OFFSETS_CALLS]

    async def _turn(self, operation: str, precondition: Precondition) -> None:
        """As behind many other requests."""
        if self.turn:
            await asyncio.sleep(self.turn)
        if not precondition():
            raise errors.PreconditionFailed(operation)

    async def _gate(self, operation: str, *what: str) -> errors.LensesError | None:
        """Raises what is not carried out; returns the error to raise after carrying out."""
        self.calls.append((operation, *what))
        await asyncio.sleep(0.001)
        if operation in self._always:
            raise self._always[operation]
        if not self._faults[operation]:
            return None
        fault, carried_out = self._faults[operation].pop(0)
        if fault is not None and not carried_out:
            raise fault
        return fault

    async def request(self, asked: Request, effect: Callable[[], T]) -> T:
        if asked.operation in CHANGING:
            await self._turn(asked.operation, asked.precondition)
        after = await self._gate(asked.operation, asked.name or asked.place, *filter(None, [asked.what]))
        try:
            result = effect()
        except Refusal as refusal:
            raise refusal.read(asked.operation) from None
        if after:
            raise after
        return result

    def _find(self, cluster: str, name: str) -> Connector:
        if (cluster, name) not in self.connectors:
            raise Refusal(404, f"Connector {name} not found")
        return self.connectors[cluster, name]

    def _listed(self) -> list[ConnectorListItem]:
        return [
            ConnectorListItem(name=name, cluster=cluster, state=found.state, tasks=found.listed())
            for (cluster, name), found in self.connectors.items()
        ]

    def _details(self, cluster: str, name: str) -> ConnectorDetails:
        found = self._find(cluster, name)
        return ConnectorDetails(
            name=name,
            cluster=cluster,
            state=found.state,
            tasks=found.told(),
            config=None if self.hides_config else self.shows(dict(found.config)),
            config_hidden=self.hides_config,
            hidden_keys=self.hidden,
            worker_id="w1:8083",
            version="4.3.1",
            type="source",
        )

    def _info(self, cluster: str) -> ClusterInfo:
        if cluster not in self.clusters:
            raise Refusal(404, "no such cluster")
        return super()._info(cluster)

    def _topics(self) -> list[str]:
        return list(self.topics)

    def _plugins(self) -> list[Plugin]:
        return list(self.plugin_list)

    def _validated(self, config: dict[str, str]) -> ValidationResult:
        fields: list[dict[str, Any]] = [{"name": key, "errors": words} for key, words in self.invalid.items()]
        fields += [
            {"name": key, "value": "[hidden]" if key in self.passwords else value}
            for key, value in config.items()
            if key not in self.invalid
        ]
        return ValidationResult.model_validate({"class": CLASS, "configuration": fields})

    def _create(self, cluster: str, name: str, config: dict[str, str]) -> None:
        if (cluster, name) in self.connectors:
            raise Refusal(409, f"Connector {name} already exists")
        if self.refuses(config):
            raise Refusal(400, "topic is bad")
        self.connectors[cluster, name] = Connector(config)

    def _delete(self, cluster: str, name: str) -> None:
        self._find(cluster, name)
        del self.connectors[cluster, name]

    def _set_state(self, cluster: str, name: str, action: StateAction) -> None:
        found = self._find(cluster, name)
        if self.heeds_state and (self.stops or action != "stop"):
            found.rest(STATES.get(action, "RUNNING"))

    def _restart_task(self, cluster: str, name: str, task: int) -> None:
        self._find(cluster, name).tasks[task] = ("RUNNING", None)

    def _as_code(self, cluster: str, name: str) -> str:
        if not self.as_code:
            raise Refusal(404, "Not Found", "page")
        self._find(cluster, name)
        return "kind: KafkaConnector"

    def _put(self, cluster: str, name: str, config: dict[str, str], state: str) -> None:
        """Creates it where there is none, and else leaves its state alone."""
        if not self.heeds_puts:
            return
        new = (cluster, name) not in self.connectors
        found = self.connectors.setdefault((cluster, name), Connector(config))
        found.config = config
        if new:
            found.rest(state)

    def _offsets(self, cluster: str, name: str) -> OffsetsText:
        self._find(cluster, name)
        return offsets_of(f'{{"offsets": {self.offsets}}}')

    def _alter_offsets(self, cluster: str, name: str, text: str) -> str:
        self._need_stopped(cluster, name)
        self.sent.append(text)
        if self.heeds:
            merged = {_name_of(entry): entry for entry in json.loads(self.offsets) + json.loads(text)}
            self.offsets = json.dumps([entry for entry in merged.values() if entry["offset"] is not None])
        return ALTERED

    def _reset_offsets(self, cluster: str, name: str) -> str:
        self._need_stopped(cluster, name)
        self.offsets = "[]"
        return RESET

    def _need_stopped(self, cluster: str, name: str) -> None:
        if not self._find(cluster, name).stopped:
            raise Refusal(400, "the connector must be stopped")


def _name_of(entry: dict[str, Any]) -> str:
    return json.dumps(entry["partition"], sort_keys=True)
