"""Taking over a connector that was there before its resource."""

from __future__ import annotations

from lenses_operator.controllers.acting import Acting
from lenses_operator.controllers.work import AGAIN, GONE, Outcome, Work
from lenses_operator.domain import verdicts
from lenses_operator.domain.decide import Adopt
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.status import Report
from lenses_operator.resources.connector import AppliedConfig, OwnershipState


class Adoption:
    """The status says Owned before anything is done to the connector."""

    def __init__(self, acting: Acting) -> None:
        self._reporter = acting.reporter
        self._now = acting.now

    async def adopt(self, work: Work, adopt: Adopt, observed: Observed) -> Outcome:
        if not await self._reporter.finalize(work):
            return GONE
        # What differs, or is taken as equal unseen, may be a secret that nobody here knows, and a trace may quote it.
        untold = bool(adopt.difference or adopt.unreadable)
        applied = AppliedConfig(
            hash="" if adopt.difference else work.wanted.hash,
            time=self._now(),
            secrets=work.wanted.secret_versions,
            not_compared=adopt.unreadable,
            former_traces=untold or None,
        )
        verdict = verdicts.progressing(f"Connector {work.connector} was there before and is taken over.")
        if not await self._reporter.report(work, Report(verdict, OwnershipState.OWNED, observed, applied)):
            return GONE
        work.memory.applied = applied
        work.memory.confidential.had(None, untold=untold)
        how = f"what differs is put right ({adopt.difference.describe()})" if adopt.difference else "it matches"
        unread = ", ".join(adopt.unreadable)
        note = f" Taken as equal, because Lenses does not show them: {unread}." if unread else ""
        self._reporter.event(work, "Adopted", f"Took over connector {work.connector}: {how}.{note}")
        work.memory.look = True
        return AGAIN
