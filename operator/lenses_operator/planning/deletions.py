"""What would be deleted if the resources that are not in the files were."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lenses_operator.cache.parsing import parse
from lenses_operator.domain.decide import decide
from lenses_operator.domain.deleting import Release
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.situation import Situation
from lenses_operator.manifests.documents import Document
from lenses_operator.planning.cluster import Bodies
from lenses_operator.planning.result import Action, Item
from lenses_operator.resources.connector import KIND, DeletionPolicy, LensesConnector


def deletions(bodies: Bodies, documents: Iterable[Document], includes: Callable[[object], bool]) -> list[Item]:
    """For every LensesConnector of the files' namespaces that no file names."""
    named = {(one.kind, one.namespace, one.name) for one in documents}
    found = []
    for key, body in sorted(bodies.items()):
        if key[0] != KIND or key in named:
            continue
        resource = parse(LensesConnector, body)
        if resource is not None and not resource.metadata.deleting and includes(resource.spec.environment):
            found.append(_deletion(resource))
    return found


def _deletion(resource: LensesConnector) -> Item:
    meta = resource.metadata
    item = Item(KIND, meta.namespace, meta.name, Action.DELETE, connector=resource.connector)
    dying = meta.model_copy(update={"deletion_timestamp": meta.creation_timestamp})
    gone = resource.model_copy(update={"metadata": dying})
    release = decide(Situation(resource=gone, wanted=Rendered({}), state=resource.spec.state))
    if isinstance(release, Release):
        why = "deletionPolicy is Retain" if release.why == "retained" else "it never owned its connector"
        item.notes.append(f"Only the resource goes, the connector stays: {why}.")
    elif resource.cannot_be_deleted and resource.schema_mismatch is not None:
        item.notes.append(
            f"Its deletion would be blocked: it does not fit its definition ({resource.schema_mismatch.words})."
        )
    elif resource.spec.deletion_policy is DeletionPolicy.DELETE_WITH_OFFSETS:
        item.notes.append("The connector is stopped, its offsets are reset, and it is deleted.")
    else:
        item.notes.append("The connector is deleted; its offsets stay.")
    return item
