"""Who owns a connector when several resources name it: the oldest, a deleting one included until it is released."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from lenses_operator.resources.connector import LensesConnector


def owner_of(claimants: Iterable[LensesConnector]) -> LensesConnector:
    """The oldest by creation time; of those made in the same second the one that owns it, then the least uid.

    Kubernetes knows whole seconds only: without the second rule a later resource could take a running connector away.
    Raises ValueError without claimants.
    """

    def order(claimant: LensesConnector) -> tuple[datetime, bool, str]:
        meta = claimant.metadata
        return (meta.creation_timestamp, not claimant.status.ownership.state.ours, meta.uid)

    return min(claimants, key=order)


def rival_of(
    resource: LensesConnector, claimants: Iterable[LensesConnector], allows: Callable[[LensesConnector], bool]
) -> LensesConnector | None:
    """The resource that has the connector instead. Of those that may use the name or own it already: a namespace
    without the right cannot squat on a name. `claimants`: all that name the connector, `resource` among them."""
    uid = resource.metadata.uid
    owner = owner_of(one for one in claimants if one.metadata.uid == uid or _counts(one, allows))
    return None if owner.metadata.uid == uid else owner


def _counts(claimant: LensesConnector, allows: Callable[[LensesConnector], bool]) -> bool:
    """One that we have released does no longer, although another finalizer may keep the object."""
    if claimant.metadata.released:
        return False
    return claimant.status.ownership.state.ours or allows(claimant)


def conflict_message(loser: LensesConnector, owner: LensesConnector) -> str:
    """Names the owner only to its own namespace: names of other tenants' objects are none of the loser's business."""
    what = f"Connector {loser.connector}"
    if owner.metadata.namespace == loser.metadata.namespace:
        who = f"LensesConnector {owner.metadata.name}"
    else:
        who = "a LensesConnector of another namespace"
    return (
        f"{what} belongs to {who}, which is older. "
        "Nothing is done here; delete one of the two resources. A connector name cannot be changed: for another "
        "connector make a new resource."
    )
