"""What the operator was told about one connector, and what that proves."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from lenses_operator.lenses import errors

ABSENCE = 30.0
"""Seconds between two denied deletes that prove absence."""
LOST = 15.0
"""Seconds between two absences before what is owned is created again."""
BELIEVED_AFTER = 60.0
"""Seconds over which one refusal is heard at least three times before it is believed."""
WRITING = {"create_connector", "put_resource"}
REFUSING = {"create_connector", "put_resource", "validate"}
NOT_OFFERED = (errors.MissingAgentCapability, errors.Forbidden)
NEVER = float("-inf")


def as_sent(config: Mapping[str, str]) -> str:
    return json.dumps(config, sort_keys=True)


@dataclass
class Account:
    absent: list[float] = field(default_factory=list)
    """Answers that it does not exist, since one last said otherwise or the operator began anew."""
    missing: float | None = None
    """The first of them, whatever was asked for since."""
    looking: float | None = None
    """When the look that is under way was asked for."""
    listing: float = NEVER
    """When the list was asked for last."""
    delete_accepted: float | None = None
    taken_down: bool = False
    """By this process, and neither created nor seen long since."""
    denied: float | None = None
    """When a delete was answered by a 404, and it has not been looked for since."""
    doubted: float | None = None
    """That time, once the look has found nothing; the cluster has not answered since."""
    proofs: list[float] = field(default_factory=list)
    """Denied deletes with a look that found nothing and an answer of the cluster after it."""
    unproven: bool = False
    """A create was sent that may have worked, and absence was not proven since."""
    troubled: float = NEVER
    """When a request failed last, or the cluster last denied what it holds."""
    claimed: bool = False
    """Claiming was written by the present process, and no create may have worked since."""
    claimed_at: float = NEVER
    """When Claiming was written last."""
    open: list[str] = field(default_factory=list)
    """Configurations of creates on the claim that may have worked."""
    refusals: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    """When a request for a configuration was refused or broke, since it was last taken."""
    refused: set[str] = field(default_factory=set)
    """Configurations of which that may be believed."""
    put: str | None = None
    """The configuration of the last write in place that this process was told is done."""
    not_shown: bool = False
    """What was last put did not show for a while: that is said until another is taken."""
    put_unknown: bool = False
    """This process was told that there is no writing in place."""
    unsure: bool = False
    """A configuration was sent and may have been taken, and none with a good answer since."""
    unsure_before: bool = False
    """The same, before the last was sent."""
    restarts: dict[tuple[str, str], float] = field(default_factory=dict)
    sent: dict[tuple[str, ...], tuple[float, frozenset[str]]] = field(default_factory=dict)
    """When this process last sent this very request, and the uids of the resources it may have been for."""

    def begin_anew(self) -> None:
        """Another process."""
        self.seen()
        self.delete_accepted = self.put = None
        self.claimed = self.put_unknown = self.taken_down = False
        self.sent.clear()

    def seen(self) -> None:
        self.absent.clear()
        self.proofs.clear()
        self.missing = self.denied = self.doubted = None

    def asked(self, operation: str, at: float) -> None:
        if operation == "get_connector" and self.looking is None:
            self.looking = at
        if operation == "list_connectors":
            self.listing = at

    def heard(self, operation: str, sent: str, error: Exception | None, at: float) -> None:
        """An answer; `sent`: the configuration that went with the request."""
        if error is not None:
            self.troubled = at
        gone = isinstance(error, errors.ConnectorOrClusterNotFound)
        maybe = error is None or (isinstance(error, errors.LensesError) and error.maybe_done)
        begun, self.looking = (self.looking, None) if operation == "get_connector" else (None, self.looking)
        match operation:
            case "get_connector" if error is None:
                self.seen()
            case "get_connector" if gone:
                self._absent(at, at if begun is None else begun)
            case "create_connector":
                self._created(maybe=maybe, surely=error is None)
            case "delete_connector" if error is None:
                self.delete_accepted, self.denied, self.doubted = at, None, None
                self.taken_down = True
                self.proofs.clear()
            case "delete_connector" if gone:
                self.denied = at
            case "put_resource":
                self.put = sent if error is None else self.put
                self.not_shown = self.not_shown and error is not None
        lacking = errors.MissingAgentCapability if operation == "put_resource" else NOT_OFFERED
        if operation in {"get_resource", "put_resource"} and isinstance(error, lacking):
            self.put_unknown = True
        if operation in WRITING and (error is None or not maybe):
            self.unsure = error is not None and self.unsure_before
        if operation in WRITING and maybe:
            self.open.append(sent)
        if operation in REFUSING:
            self._judged(operation, sent, error, at)

    def _absent(self, at: float, begun: float) -> None:
        self.absent.append(at)
        self.unproven = False
        self.missing = begun if self.missing is None else self.missing
        if self.denied is not None:
            self.doubted, self.denied = self.denied, None

    def _created(self, *, maybe: bool, surely: bool) -> None:
        if maybe:
            self.delete_accepted = None
            self.absent.clear()
        if surely:
            self.seen()
            self.taken_down = False
            # Another connector, which is brought to rest by the very next request.
            self.sent = {request: sent for request, sent in self.sent.items() if request[0] != "set_state"}
        self.unproven = self.unproven or maybe
        self.claimed = self.claimed and not maybe

    def cluster_answered(self) -> None:
        if self.doubted is not None:
            self.proofs.append(self.doubted)
            self.doubted = None

    def _judged(self, operation: str, sent: str, error: Exception | None, at: float) -> None:
        heard = self.refusals[operation, sent]
        if error is None:
            heard.clear()
        elif _says_no(error):
            heard.append(at)
        if len(heard) >= 3 and heard[-1] - heard[0] >= BELIEVED_AFTER - 0.1:
            self.refused.add(sent)

    @property
    def proven_gone(self) -> bool:
        if self.delete_accepted is not None:
            return any(at >= self.delete_accepted for at in self.absent)
        return len(self.proofs) > 1 and self.proofs[-1] - self.proofs[0] >= ABSENCE - 0.01

    def lost_for_certain(self, at: float) -> bool:
        """Two absences with time between them."""
        return len(self.absent) > 0 and self.missing is not None and at - self.missing >= LOST - 0.1


def _says_no(error: Exception) -> bool:
    refused = isinstance(error, errors.LensesRefused) and not isinstance(error, errors.Conflict)
    return refused and getattr(error, "status", 0) in {400, 404, 500}
