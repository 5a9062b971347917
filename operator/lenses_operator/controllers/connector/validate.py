"""Asks Connect about a configuration before anything is done with it, and remembers the verdict."""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import uniform

from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.controllers.connector.memory import VALIDATED_FOR, Stubborn
from lenses_operator.domain.backoff import SLOW
from lenses_operator.domain.plugins import installed, not_found_message
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.situation import Refusal
from lenses_operator.domain.validation import refusal_message
from lenses_operator.lenses.errors import (
    AgentCallFailed,
    BadRequest,
    ConnectorOrClusterNotFound,
    LensesError,
    LensesRefused,
    ServerError,
)
from lenses_operator.lenses.models import ConnectorRequest

logger = logging.getLogger(__name__)
STUBBORN_TIMES = 3
STUBBORN_SECONDS = 60.0
NOT_APPLIED = 30.0
"""Seconds in which a write in place has to show."""
REFUSALS = (BadRequest, ServerError, AgentCallFailed, ConnectorOrClusterNotFound)
"""What may be about the configuration, or about anything else."""


class Validator:
    """Raises LensesError where there is no verdict."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    async def validated(self, context: ReconcileContext) -> bool:
        """True: this very configuration was found good within the last minute. False: `memory.refusal` says why not."""
        memory, wanted = context.memory, context.wanted
        if memory.valid and memory.valid[0] == wanted.fingerprint and self._clock() < memory.valid[1] + VALIDATED_FOR:
            return True
        key = context.connector
        request = ConnectorRequest(name=key.name, cluster=key.cluster, configuration=wanted.config)
        try:
            result = await context.session.client.validate(key.environment, request)
        except REFUSALS as error:
            if await self.lasting(context, "validate", error):
                await self.refuse(context, "validate", error)
                return False
            raise
        if result.errors:
            await self._refuse(context, await context.refused(result.errors))
            return False
        memory.valid = (wanted.fingerprint, self._clock())
        if memory.stubborn is not None and memory.stubborn.words.startswith("validate: "):
            memory.stubborn = None  # what create keeps saying is another matter
        return True

    async def refuse(self, context: ReconcileContext, operation: str, error: LensesError) -> None:
        """Takes an error for Connect's last word on this configuration."""
        await context.prepare()
        await self._refuse(context, refusal_message(operation, error.quote(context.quotable)))

    async def lasting(self, context: ReconcileContext, operation: str, error: LensesError) -> bool:
        """Whether this is a last word: the same 400, 404 or 500 three times over at least a minute, the cluster having
        answered each time. A rebalance may be told as either, and our own delete causes one.

        A class that is not installed is believed at once: the cluster's own list says so.
        """
        if not isinstance(error, LensesRefused) or error.status not in (400, 404, 500):
            return False
        memory, now, words = context.memory, self._clock(), f"{operation}: {error.status} {error.words}"
        try:
            await context.session.reader.prove_alive(context.connector, fresh=True)
        except LensesError:
            memory.stubborn = None  # nothing can be said of a configuration while the cluster itself is not well
            raise
        if memory.stubborn is None or memory.stubborn.words != words:
            memory.stubborn = Stubborn(words, now)
        else:
            memory.stubborn.count += 1
        if memory.stubborn.count >= STUBBORN_TIMES and now - memory.stubborn.since >= STUBBORN_SECONDS:
            return True
        return await self._plugin_message(context) is not None

    async def _refuse(self, context: ReconcileContext, message: str) -> None:
        missing = await self._plugin_message(context)
        reason = Reason.PLUGIN_NOT_FOUND if missing else Reason.CONFIG_INVALID
        self._remember(context, reason, missing or message)

    def refuse_in_place(self, context: ReconcileContext, error: LensesError) -> None:
        """Lenses does not know how to update in place; what to do then is the user's choice."""
        self._remember(
            context,
            Reason.UPDATE_NOT_SUPPORTED,
            f"spec.updateStrategy is {context.resource.spec.update_strategy}, but this Lenses does not write in place "
            f"({error}). The connector keeps its configuration. Set spec.updateStrategy: Recreate to have it deleted "
            "and created again.",
        )

    def refuse_as_not_applied(self, context: ReconcileContext) -> None:
        """Lenses took the write in place, and does not show it."""
        self._remember(
            context,
            Reason.UPDATE_NOT_APPLIED,
            f"Lenses accepted the new configuration, but still shows the old one after {NOT_APPLIED:.0f} s. The "
            "connector is left as it is, and the write is tried again. Compare it in Lenses; to have the connector "
            "deleted and created again instead, set spec.updateStrategy: Recreate.",
        )

    def _remember(self, context: ReconcileContext, reason: Reason, message: str) -> None:
        memory = context.memory
        memory.refusals = memory.refusals + 1 if context.refusal else 1
        memory.refusal = Refusal(context.wanted.fingerprint, reason, message, context.resource.metadata.generation)
        memory.refusal_until = self._clock() + SLOW.delay(memory.refusals, uniform)
        memory.valid = None

    async def _plugin_message(self, context: ReconcileContext) -> str | None:
        """A message if the class is not among the cluster's plugins; None if it is, or if they cannot be read."""
        try:
            plugins = await context.session.reader.plugins(context.connector)
        except LensesError as error:
            logger.debug("plugins not read: %s", error)
            return None
        class_name = context.resource.spec.class_name
        if not plugins or installed(class_name, plugins):
            return None
        return not_found_message(class_name, context.connector.cluster, plugins)
