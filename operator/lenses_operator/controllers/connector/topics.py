"""The topics a connector has used. They are for people: not knowing them must not keep anything from being done."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.domain.schedule import next_topics
from lenses_operator.lenses.errors import LensesError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Topics:
    """`names` as last read. `next_read`: when a drift check reads them again though nothing has changed."""

    names: tuple[str, ...] | None = None
    due: bool = False
    next_read: float | None = None


def set_due(context: ReconcileContext) -> None:
    context.memory.topics = replace(context.memory.topics, due=True)


def schedule(context: ReconcileContext, now: float) -> None:
    """With the first drift check."""
    at = next_topics(now, None, context.resource.metadata.uid)
    context.memory.topics = replace(context.memory.topics, next_read=at)


def at_drift_check(context: ReconcileContext, now: float) -> None:
    """A connector that has used none yet may have begun to."""
    topics = context.memory.topics
    if topics.next_read is None or now >= topics.next_read:
        at = next_topics(now, now, context.resource.metadata.uid)
        context.memory.topics = replace(topics, due=True, next_read=at)
    elif not (context.resource.status.topics if topics.names is None else topics.names):
        set_due(context)


async def read(context: ReconcileContext) -> tuple[str, ...] | None:
    """Where they are due."""
    topics = context.memory.topics
    if topics.due or (topics.names is None and context.resource.status.topics is None):
        try:
            names = await context.names(await context.session.reader.topics(context.connector))
        except LensesError as error:
            logger.debug("topics not read: %s", error)
        else:
            context.memory.topics = replace(context.memory.topics, names=names, due=False)
    return context.memory.topics.names
