"""Lenses' resource-as-code endpoint, which not every Lenses has: whether it is to be used, and writing through it."""

from __future__ import annotations

import json
from math import inf

from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.lenses.errors import Forbidden, MissingAgentCapability
from lenses_operator.resources.connector import ConnectorKey, UpdateStrategy, WantedState

ASK_AGAIN = 600.0
"""Seconds after which an environment that did not offer it is asked again: a right may be given, Lenses upgraded."""
_STATES = {WantedState.RUNNING: "RUNNING", WantedState.PAUSED: "PAUSED", WantedState.STOPPED: "STOPPED"}


class AsCode:
    """`spec.updateStrategy: Auto` asks in each environment, by reading a connector that exists, and believes a yes."""

    def __init__(self, acting: Acting) -> None:
        self._acting = acting
        self._offered: dict[tuple[str, str], tuple[bool, float]] = {}
        """By environment and session, and until when that is believed."""

    async def updates(self, context: ReconcileContext) -> bool:
        """Whether a changed configuration of this connector, which exists, is written in place. Raises LensesError."""
        match context.resource.spec.update_strategy:
            case UpdateStrategy.IN_PLACE:
                return True
            case UpdateStrategy.AUTO:
                return await self._is_offered(context, context.connector)
            case UpdateStrategy.RECREATE:
                return False

    async def takes_state(self, context: ReconcileContext) -> bool:
        """Whether the connector, which does not exist, is created by a document with its state. Raises LensesError.

        A PUT overwrites what is there. So the token has to see something of the cluster at this moment: one that has
        lost its rights sees nothing of a stranger's connector either.
        """
        witness = self._acting.environments.witness(context.resource.key, context.connector)
        if context.resource.spec.update_strategy is not UpdateStrategy.AUTO or witness is None:
            return False
        if not await self._is_offered(context, witness):
            return False
        return (await context.session.reader.details(witness)).present

    async def put(self, context: ReconcileContext, state: WantedState) -> None:
        """Raises LensesError, MissingAgentCapability where the endpoint is not there."""
        await context.session.client.put_resource(
            context.connector.environment, _document(context, state), precondition=self._acting.precondition(context)
        )

    def missing(self, context: ReconcileContext) -> None:
        """It answers a GET and knows no PUT."""
        self._learned((context.connector.environment, context.session.id), offered=False)

    def _learned(self, place: tuple[str, str], *, offered: bool) -> None:
        """Forgotten with the last resource of a place."""
        used = self._acting.environments.used()
        known = offered, inf if offered else self._acting.clock() + ASK_AGAIN
        self._offered = {one: former for one, former in self._offered.items() if one in used} | {place: known}

    async def _is_offered(self, context: ReconcileContext, known: ConnectorKey) -> bool:
        place = (known.environment, context.session.id)
        offered, until = self._offered.get(place, (False, -inf))
        if self._acting.clock() >= until:
            try:
                await context.session.client.get_resource(*known)
            except (MissingAgentCapability, Forbidden):
                offered = False
            else:
                offered = True
            self._learned(place, offered=offered)
        return offered


def _document(context: ReconcileContext, state: WantedState) -> str:
    """JSON is YAML, and it quotes every string, so that no value changes its type."""
    spec = {
        "cluster": context.connector.cluster,
        "name": context.connector.name,
        "state": _STATES[state],
        "config": dict(context.wanted.config),
    }
    document = {"apiVersion": "lenses.io/v0beta", "kind": "KafkaConnector", "spec": spec}
    return json.dumps(document, ensure_ascii=False, indent=1)
