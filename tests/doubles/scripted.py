"""Lenses that answers at once, and does and refuses what a test says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Self, TypeVar

from doubles.lenses import CHANGING, Connector, Lenses, Request, class_of, read
from harness.lenses import exactjson
from harness.lenses.answers import Refused, refuse
from harness.lenses.memory import MemoryCluster
from harness.lenses.plugins import Plugin as ConnectorClass
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import (
    ClusterInfo,
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


class Cluster(MemoryCluster):
    """Where nothing takes time, and what is refused is the test's to say."""

    def _checked_plugin(self, name: str, config: dict[str, str]) -> ConnectorClass:  # noqa: ARG002
        return class_of(config)

    def made(self, name: str, config: dict[str, str], plugin: ConnectorClass | None) -> Connector:  # noqa: ARG002
        return Connector(config, tasks=[], plugin=plugin)


class FakeLenses(Lenses):
    """`fail` queues errors for an operation, None for a good answer in between; one that is `carried_out` happens all
    the same."""

    def __init__(self) -> None:
        super().__init__(Cluster("prod", "connect-eu", {}))
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
        self.heeds_puts = True
        self.keeps_tasks = False
        """As Connect does where a write in place changes nothing of their own configuration."""
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

    def hide(self, *keys: str) -> None:
        """As from a token without the right to read these."""
        self.hidden = frozenset(keys)
        self.shows = lambda config: {key: value for key, value in config.items() if key not in keys}

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
        except Refused as refused:
            raise read(refused.answer, asked.operation) from None
        if after:
            raise after
        return result

    def _shown(self, name: str, config: dict[str, str]) -> dict[str, Any]:  # noqa: ARG002 - all alike
        withheld = ["config"] if self.hides_config else sorted(self.hidden)
        config_shown = None if self.hides_config else self.shows(config)
        return {"config": config_shown, "__errors": [{"field": field} for field in withheld]}

    def _info(self, cluster: str) -> ClusterInfo:
        if cluster not in self.clusters:
            raise refuse(404, "no such cluster")
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

    def _create(self, name: str, config: dict[str, str]) -> None:
        if name not in self.connectors and self.refuses(config):
            raise refuse(400, "topic is bad")
        super()._create(name, config)

    def _set_state(self, name: str, action: StateAction) -> None:
        self.cluster.need(name)
        if self.heeds_state and (self.stops or action != "stop"):
            super()._set_state(name, action)

    def _put(self, name: str, config: dict[str, str], state: str) -> None:
        if not self.heeds_puts:
            return
        found = self.connectors.get(name)
        tasks = found.tasks if found is not None else []
        super()._put(name, config, state)
        if found is not None and self.keeps_tasks:
            found.tasks = tasks

    def _offsets(self, name: str) -> OffsetsText:
        self.cluster.need(name)
        return offsets_of(f'{{"offsets": {self.offsets}}}')

    def _alter_offsets(self, name: str, text: str) -> str:
        self.cluster.stored.write(name, exactjson.loads(self.offsets))
        answer = super()._alter_offsets(name, text)
        self.sent.append(text)
        if self.heeds:
            self.offsets = exactjson.dumps(self.cluster.stored.read(name))
        return answer

    def _reset_offsets(self, name: str) -> str:
        answer = super()._reset_offsets(name)
        self.offsets = "[]"
        return answer
