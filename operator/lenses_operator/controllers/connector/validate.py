"""Asks Connect about a configuration before anything is done with it, and remembers the verdict."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lenses_operator.controllers.connector import refusal
from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.domain.plugins import installed, not_found_message
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.validation import may_pass, refusal_message
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
VALIDATED_FOR = 60.0
"""Seconds a good validation serves for the create that follows it."""
LASTING_TIMES = 3
LASTING_SECONDS = 60.0
UNREACHABLE_FOR = 300.0
"""Seconds for which a system that cannot be reached is waited for before a person is asked to see to it."""
NOT_APPLIED = 30.0
"""Seconds in which a write in place has to show."""
REFUSALS = (BadRequest, ServerError, AgentCallFailed, ConnectorOrClusterNotFound)
"""What may be about the configuration, or about anything else."""


@dataclass(frozen=True, slots=True)
class RepeatedError:
    """The same 400 or 500 in a row: a refusal, but only time tells, since a rebalance may be answered so, too."""

    words: str
    since: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class Validation:
    """`passed`: the fingerprint of the last configuration that validated, and when."""

    passed: tuple[str, float] | None = None
    repeated: RepeatedError | None = None
    unreachable_since: tuple[str, float] | None = None
    """The fingerprint of a configuration that names a system which cannot be reached, and since when that is so."""

    def good(self, wanted: Rendered) -> bool:
        return self.passed is not None and self.passed[0] == wanted.fingerprint


def written(context: ReconcileContext) -> None:
    """A configuration was taken: what was said against it before does not count any more."""
    _repeated(context, None)


def _repeated(context: ReconcileContext, error: RepeatedError | None) -> None:
    if context.memory.validation.repeated is not error:
        context.memory.validation = replace(context.memory.validation, repeated=error)


class Validator:
    """Raises LensesError where there is no verdict."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    async def validated(self, context: ReconcileContext) -> bool:
        """True: this configuration was found good within the last minute. False: `memory.refusals` says why not."""
        known, wanted = context.memory.validation.passed, context.wanted
        if known and known[0] == wanted.fingerprint and self._clock() < known[1] + VALIDATED_FOR:
            return True
        key = context.connector
        request = ConnectorRequest(name=key.name, cluster=key.cluster, configuration=wanted.config)
        try:
            result = await context.session.client.validate(key.environment, request)
        except REFUSALS as error:
            if await self.lasting(context, "validate", error, self._clock()):
                await self.refuse(context, "validate", error)
                return False
            raise
        if result.errors:
            passing = self._may_pass(context, result.errors)
            await self._refuse(context, await context.refused(result.errors, passing=passing), passing=passing)
            return False
        repeated = context.memory.validation.repeated
        if repeated is not None and repeated.words.startswith("validate: "):
            repeated = None  # what create keeps saying is another matter
        context.memory.validation = Validation((wanted.fingerprint, self._clock()), repeated)
        return True

    def _may_pass(self, context: ReconcileContext, errors: Mapping[str, Sequence[str]]) -> bool:
        """For as long as `UNREACHABLE_FOR`; then it is said as what a person has to see to."""
        fingerprint, now = context.wanted.fingerprint, self._clock()
        since = context.memory.validation.unreachable_since if may_pass(errors) else None
        if may_pass(errors) and (since is None or since[0] != fingerprint):
            since = (fingerprint, now)
        context.memory.validation = replace(context.memory.validation, unreachable_since=since)
        return since is not None and now < since[1] + UNREACHABLE_FOR

    async def passes_still(self, context: ReconcileContext) -> bool:
        """Asked again after create has refused it: only what validate passes is create's own refusal."""
        context.memory.validation = replace(context.memory.validation, passed=None)
        return await self.validated(context)

    async def refuse(self, context: ReconcileContext, operation: str, error: LensesError) -> None:
        """Takes an error for Connect's last word on this configuration."""
        await context.prepare()
        message = refusal_message(operation, error.quote(context.quotable), context.wanted.private)
        await self._refuse(context, message, at_create=operation == "create")

    async def lasting(self, context: ReconcileContext, operation: str, error: LensesError, at: float) -> bool:
        """Whether this is a last word: the same 400 or 500 three times over at least a minute, the cluster having
        answered each time. A rebalance may be reported as either, and our own delete causes one. `at`: when the answer
        came, of the event loop; what is looked at since may take its time.

        A class that is not installed is believed at once: the cluster's own list says so. Nothing else makes a 404 one,
        which a token that has lost a right is answered, too.
        """
        if not isinstance(error, LensesRefused) or error.status not in (400, 404, 500):
            return False
        try:
            await context.session.reader.prove_alive(context.connector, fresh=True)
        except LensesError:
            _repeated(context, None)  # nothing can be said of a configuration while the cluster itself is not well
            raise
        if error.status != 404 and self._repeats(context, f"{operation}: {error.status} {error.words}", at):
            return True
        return await self._plugin_message(context) is not None

    def _repeats(self, context: ReconcileContext, words: str, at: float) -> bool:
        """Counts them; whether they have been said often and long enough."""
        repeated = context.memory.validation.repeated
        again = repeated is not None and repeated.words == words
        repeated = replace(repeated, count=repeated.count + 1) if repeated and again else RepeatedError(words, at)
        _repeated(context, repeated)
        return repeated.count >= LASTING_TIMES and at - repeated.since >= LASTING_SECONDS

    async def _refuse(
        self, context: ReconcileContext, message: str, *, at_create: bool = False, passing: bool = False
    ) -> None:
        missing = await self._plugin_message(context)
        reason = Reason.PLUGIN_NOT_FOUND if missing else Reason.CONFIG_INVALID
        self._remember(context, reason, missing or message, at_create=at_create, passing=passing and missing is None)

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
            "connector is not changed, and the write is retried. Compare it in Lenses; to have the connector "
            "deleted and created again instead, set spec.updateStrategy: Recreate.",
        )

    def _remember(
        self,
        context: ReconcileContext,
        reason: Reason,
        message: str,
        *,
        at_create: bool = False,
        passing: bool = False,
    ) -> None:
        refusal.refuse(context, reason, message, self._clock(), at_create=at_create, passing=passing)
        context.memory.validation = replace(context.memory.validation, passed=None)

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
