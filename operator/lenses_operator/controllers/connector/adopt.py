"""Taking over a connector that was there before its resource."""

from __future__ import annotations

from lenses_operator.controllers.connector import written
from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import AGAIN, GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.domain import conditions
from lenses_operator.domain.decide import Adopt
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.status import Report
from lenses_operator.resources.connector import AppliedConfig, OwnershipState


class Adoption:
    """The status says Owned before anything is done to the connector."""

    def __init__(self, acting: Acting) -> None:
        self._reporter = acting.reporter
        self._now = acting.now

    async def adopt(self, context: ReconcileContext, adopt: Adopt, observed: Observed) -> Outcome:
        if not await self._reporter.finalize(context):
            return GONE
        # What differs, or is taken as equal unseen, may be a secret that nobody here knows, and a trace may quote it.
        untold = bool(adopt.difference or adopt.unreadable)
        applied = AppliedConfig(
            hash="" if adopt.difference else context.wanted.hash,
            time=self._now(),
            secrets=context.wanted.secret_versions,
            secrets_digest=context.wanted.digest or None,
            not_compared=adopt.unreadable,
            former_traces=untold or None,
        )
        verdict = conditions.progressing(f"Connector {context.connector} was there before and is taken over.")
        if not await self._reporter.report(context, Report(verdict, OwnershipState.OWNED, observed, applied)):
            return GONE
        written.keep_applied(context, applied)
        context.memory.confidential.had(None, untold=untold)
        how = f"what differs is put right ({adopt.difference.describe()})" if adopt.difference else "it matches"
        unread = ", ".join(adopt.unreadable)
        note = f" Taken as equal, because Lenses does not show them: {unread}." if unread else ""
        self._reporter.event(context, "Adopted", f"Took over connector {context.connector}: {how}.{note}")
        look_closely(context)
        return AGAIN
