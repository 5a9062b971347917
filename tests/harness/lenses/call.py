"""A request on its way through: what it addresses, and whether its token may do that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.lenses.access import Token
from harness.lenses.answers import refuse, unseen
from harness.lenses.backend import Entry
from harness.lenses.faults import Active
from harness.lenses.operations import CHANGING, Target
from harness.lenses.rights import needed


@dataclass(slots=True)
class Call:
    """What a request addresses, with what body, as whom, under which faults. `clusters`, `connector`: what it is
    about; `listed`: the entries of a list that was answered; `reached`: it has been processed."""

    target: Target
    raw: bytes
    body: Any
    token: Token | None
    faults: Active
    clusters: tuple[str, ...] = ()
    connector: str | None = None
    content_type: str = ""
    accept: str = ""
    changed_by_fault: bool = False
    listed: list[Entry] | None = None
    reached: bool = False

    @property
    def operation(self) -> str:
        return self.target.operation or ""

    @property
    def params(self) -> dict[str, str]:
        return self.target.params

    @property
    def lacks(self) -> str | None:
        """The right this operation needs and the token has not."""
        right = needed(self.operation, self.params.get("action", ""))
        return right if right and self.token is not None and not self.token.may(right) else None


def permit(call: Call, cluster: str | None, connector: str | None) -> None:
    """Refuse what the token may not see or do."""
    token = call.token
    assert token is not None
    if call.operation in CHANGING and not token.write:
        raise refuse(403, "Not permitted to change connectors")
    if cluster is not None and not token.cluster(cluster):
        raise unseen("Connect cluster", cluster)
    if connector is not None and not token.connector(connector):
        raise unseen("connector", connector)
    if call.lacks:
        raise refuse(403, f"The permission {call.lacks} is missing")
