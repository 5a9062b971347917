"""Taking over a connector that was there before its resource."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from lenses_operator.controllers.connector import written
from lenses_operator.controllers.connector.acting import Acting
from lenses_operator.controllers.connector.context import AGAIN, GONE, Outcome, ReconcileContext
from lenses_operator.controllers.connector.observe import look_closely
from lenses_operator.domain import conditions
from lenses_operator.domain.adoption import applied_by
from lenses_operator.domain.decide import Adopt
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.status import Report
from lenses_operator.lenses.errors import LensesError
from lenses_operator.lenses_state.password_types import own_keys, password_keys
from lenses_operator.resources.connector import OwnershipState

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Types:
    """What Connect said of keys of a class: which were asked for, and which are passwords."""

    class_name: str = ""
    asked: frozenset[str] = frozenset()
    passwords: frozenset[str] = frozenset()


class Adoption:
    """The status says Owned before anything is done to the connector."""

    def __init__(self, acting: Acting) -> None:
        self._reporter = acting.reporter
        self._now = acting.now

    async def passwords(self, context: ReconcileContext, keys: frozenset[str]) -> frozenset[str]:
        """Those which Connect takes for passwords. Asked once, with made-up values; where it does not answer none is
        known, so that what differs is a difference, and it is asked again at the next look."""
        class_name, known = context.resource.spec.class_name, context.memory.types
        if known.class_name != class_name:
            known = Types(class_name)
        asked = frozenset(own_keys(keys)) - known.asked
        if asked:
            key = context.connector
            client = context.session.client
            try:
                found = await password_keys(client, key.environment, key.cluster, class_name, asked)
            except LensesError as error:
                logger.debug("types of keys not known: %s", error)
                return known.passwords
            known = context.memory.types = Types(class_name, known.asked | asked, known.passwords | found)
        return known.passwords

    async def adopt(self, context: ReconcileContext, adopt: Adopt, observed: Observed) -> Outcome:
        if not await self._reporter.finalize(context):
            return GONE
        applied = applied_by(adopt, context.wanted, self._now())
        verdict = conditions.progressing(f"Connector {context.connector} was there before and is taken over.")
        if not await self._reporter.report(context, Report(verdict, OwnershipState.OWNED, observed, applied)):
            return GONE
        written.keep_applied(context, applied)
        context.memory.confidential.had(None, untold=bool(applied.former_traces))
        how = f"what differs is put right ({adopt.difference.describe()})" if adopt.difference else "it matches"
        unread = ", ".join(adopt.unreadable)
        note = f" Taken as equal, because Lenses does not show them: {unread}." if unread else ""
        self._reporter.event(context, "Adopted", f"Took over connector {context.connector}: {how}.{note}")
        look_closely(context)
        return AGAIN
