"""What would be deleted if the resources that are not in the files were."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from lenses_operator.cache.parsing import parse
from lenses_operator.domain.decide import Decision, Observe, decide
from lenses_operator.domain.deleting import Delete, Deleting, Release, StopFirst
from lenses_operator.domain.observed import Observed, Presence
from lenses_operator.domain.situation import Situation
from lenses_operator.manifests.documents import Document
from lenses_operator.planning.claims import Claims
from lenses_operator.planning.cluster import Bodies
from lenses_operator.planning.result import Action, Item
from lenses_operator.resources.connector import KIND, LensesConnector

THERE = Observed(Presence.PRESENT, "RUNNING")


def deletions(
    bodies: Bodies, documents: Iterable[Document], includes: Callable[[object], bool], claims: Claims
) -> list[Item]:
    """For every LensesConnector of the files' namespaces that no file names."""
    named = {(one.kind, one.namespace, one.name) for one in documents}
    found = []
    for key, body in sorted(bodies.items()):
        if key[0] != KIND or key in named:
            continue
        resource = parse(LensesConnector, body)
        if resource is not None and not resource.metadata.deleting and includes(resource.spec.environment):
            found.append(_deletion(resource, claims))
    return found


def _deletion(resource: LensesConnector, claims: Claims) -> Item:
    meta = resource.metadata
    item = Item(KIND, meta.namespace, meta.name, Action.DELETE, connector=resource.connector)
    dying = meta.model_copy(update={"deletion_timestamp": meta.creation_timestamp})
    situation = replace(claims.situation(resource), resource=resource.model_copy(update={"metadata": dying}))
    decision = decide(situation)
    if isinstance(decision, Observe):
        decision = decide(replace(situation, observed=THERE, deleting=Deleting(since=0.0)))
    item.notes.append(_what(decision, situation))
    return item


def _what(decision: Decision, situation: Situation) -> str:
    match decision:
        case Release(why="retained"):
            return "Only the resource goes, the connector stays: deletionPolicy is Retain."
        case Release() if situation.ownership.ours:
            return "Only the resource goes, the connector stays: it belongs to another resource."
        case Release():
            return "Only the resource goes, the connector stays: it never owned its connector."
        case StopFirst():
            return "The connector is stopped, its offsets are reset, and it is deleted."
        case Delete():
            return "The connector is deleted; its offsets stay."
    mismatch = situation.resource.schema_mismatch
    assert mismatch is not None, decision
    return f"Its deletion would be blocked: it does not fit its definition ({mismatch.words})."
