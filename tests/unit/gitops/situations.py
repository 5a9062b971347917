"""Every situation either kind can be in, as the object the API server shows, and what tools must make of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.kstatus import CURRENT, FAILED, IN_PROGRESS, TERMINATING
from lenses_operator.controllers.problems import problem_of
from lenses_operator.domain import conditions, offsets_status
from lenses_operator.domain.conditions import of_connector
from lenses_operator.domain.drift import Difference
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import OffsetsReason, Reason
from lenses_operator.domain.restarts import Plan
from lenses_operator.domain.situation import Refusal
from lenses_operator.domain.status import Report, next_status
from lenses_operator.lenses import errors
from lenses_operator.resources.conditions import Verdict
from lenses_operator.resources.connector import AutoRestartStatus, ConnectorKey, OwnershipState, WantedState
from unit.controllers.problems import TABLE, error
from unit.domain.seen import detailed, tasks
from unit.offsets.make import body as offsets_body
from unit.offsets.make import operation
from unit.resources.make import NOW, body, resource

KEY = ConnectorKey("prod", "connect-eu", "orders")
API = "connect.lenses.io/v1alpha1"
RUNNING = WantedState.RUNNING
HEALTHY, PROGRESSING, DEGRADED, SUSPENDED = "Healthy", "Progressing", "Degraded", "Suspended"
REFUSALS = (
    Reason.CONFIG_INVALID,
    Reason.PLUGIN_NOT_FOUND,
    Reason.UPDATE_NOT_SUPPORTED,
    Reason.UPDATE_NOT_APPLIED,
)
Object = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`kstatus` and `health`: what Flux and Argo CD are to show."""

    name: str
    found: Object
    kstatus: str
    health: str

    @property
    def ready(self) -> Object:
        """The condition Ready."""
        return next(one for one in self.found["status"]["conditions"] if one["type"] == "Ready")


def failed(count: int | None, due: bool = False, under_way: bool = False, asked: bool = False) -> Verdict:
    """A failed task; `count`: automatic restarts so far, None without them."""
    counter = None if count is None else AutoRestartStatus(count=count, generation=3)
    plan = Plan(counter, NOW if due else None, 3, under_way, asked)
    return of_connector(detailed("RUNNING", tasks("FAILED")), RUNNING, restarts=plan)


def connector_verdicts() -> Iterator[tuple[Verdict, str, str]]:
    """Each with its kstatus and its health in Argo CD, in the order of the table in the contract."""
    waiting, stalled, fine = (IN_PROGRESS, PROGRESSING), (FAILED, DEGRADED), (CURRENT, HEALTHY)
    yield conditions.creating(KEY), *waiting
    yield of_connector(detailed("RUNNING", tasks("RUNNING", "UNASSIGNED")), RUNNING), *waiting
    yield of_connector(detailed(None), RUNNING), *waiting
    yield of_connector(detailed("DESTROYED"), RUNNING), *waiting
    yield of_connector(detailed("RUNNING"), RUNNING), *fine
    yield of_connector(detailed("PAUSED", tasks("PAUSED")), WantedState.PAUSED), *fine
    yield of_connector(detailed("PAUSED", tasks("FAILED")), WantedState.PAUSED), *fine
    yield of_connector(detailed("STOPPED", ()), WantedState.STOPPED), *fine
    held = of_connector(detailed("STOPPED", ()), WantedState.STOPPED, waiting=Difference(changed=("topic",)))
    yield held, *fine
    yield of_connector(detailed("RUNNING", ()), RUNNING, without_tasks=61), *waiting
    yield of_connector(detailed("RUNNING", ()), RUNNING, without_tasks=61, allow_no_tasks=True), *fine
    yield conditions.refused(Refusal("h", Reason.CONFIG_INVALID, "Refused.", 1, passing=True)), *waiting
    yield failed(1, due=True), *waiting
    yield failed(1, under_way=True), *waiting
    yield failed(None, asked=True), *waiting
    yield of_connector(detailed("RUNNING"), RUNNING, restarts=Plan(None, asked=True)), *waiting
    yield failed(3), *stalled
    yield failed(None), *stalled
    yield of_connector(detailed("FAILED", ()), RUNNING), *stalled
    yield conditions.config_invalid("Bad."), *stalled
    for reason in (
        Reason.CONFIG_INVALID,
        Reason.PLUGIN_NOT_FOUND,
        Reason.UPDATE_NOT_SUPPORTED,
        Reason.UPDATE_NOT_APPLIED,
    ):
        yield conditions.refused(Refusal("h", reason, "Refused.", 1)), *stalled
    yield conditions.reference_not_found("Gone."), *stalled
    yield conditions.not_allowed("No."), *stalled
    yield conditions.conflict("Older."), *stalled
    yield conditions.not_adopted(KEY, Difference(extra=("x",))), *stalled
    yield conditions.missing(KEY), *waiting
    yield conditions.offsets_operation("back", detailed()), *waiting
    for observed in (None, Observed.absent(), detailed()):
        yield conditions.suspended(observed), IN_PROGRESS, SUSPENDED
    for problem in problems():
        yield problem, *(stalled if problem.ready == "False" else waiting)


def problems() -> Iterator[Verdict]:
    """What Lenses may answer, about either kind."""
    for kind in TABLE:
        yield problem_of(error(kind), KEY, str)
    yield problem_of(errors.ConnectorOrClusterNotFound("get_cluster_info"), KEY, str)
    yield problem_of(errors.ConnectorOrClusterNotFound("get_cluster_info"), KEY, str, listed=True)
    yield problem_of(errors.MissingAgentCapability("set_state", status=404), KEY, str, version="3.4.1")


def offsets_verdicts() -> Iterator[tuple[Verdict, str, str]]:
    waiting, stalled, fine = (IN_PROGRESS, PROGRESSING), (FAILED, DEGRADED), (CURRENT, HEALTHY)
    yield offsets_status.observed(2), *fine
    yield offsets_status.connector_not_found("orders"), *waiting
    yield offsets_status.connector_not_ready("It is suspended."), *waiting
    yield offsets_status.pending(operation()), *waiting
    yield offsets_status.stopping("RUNNING", 1), *waiting
    yield offsets_status.applying(), *waiting
    yield offsets_status.applied(["a"], ""), *fine
    yield offsets_status.invalid("Twice."), *stalled
    yield offsets_status.rejected("no"), *stalled
    yield offsets_status.unread("no", offsets_status.UNREADABLE, asked=False), *stalled
    yield offsets_status.stop_timeout(asked=False), *stalled
    yield offsets_status.outcome_unknown(), *stalled
    yield offsets_status.not_supported("no"), *stalled
    yield offsets_status.not_readable("no"), *stalled
    for problem in problems():
        yield problem, *(stalled if problem.ready == "False" else waiting)


def connector(verdict: Verdict, *, deleting: bool = False) -> Object:
    """A LensesConnector of generation 3 about which this was said."""
    report = Report(verdict, OwnershipState.OWNED, detailed(), topics=("lines",))
    status = next_status(resource(generation=3), report, NOW).to_wire()
    found = body(generation=3, deleting=deleting, status=status)
    return copy.deepcopy({"apiVersion": API, "kind": "LensesConnector"} | found)


def offsets(verdict: Verdict) -> Object:
    """A LensesConnectorOffsets of generation 3 about which this was said."""
    phase = {"phase": offsets_status.phase_of(verdict)}
    status = offsets_status.next_status(operation(generation=3), verdict, NOW, phase).to_wire()
    found = offsets_body(generation=3, status=status)
    return copy.deepcopy({"apiVersion": API, "kind": "LensesConnectorOffsets"} | found)


def cases() -> Iterator[Case]:
    """All of them; those nobody has looked at, and those that are being deleted, too."""
    for number, (verdict, kstatus, health) in enumerate(connector_verdicts()):
        yield Case(f"connector-{number}-{verdict.reason}", connector(verdict), kstatus, health)
    for number, (verdict, kstatus, health) in enumerate(offsets_verdicts()):
        yield Case(f"offsets-{number}-{verdict.reason}", offsets(verdict), kstatus, health)
    for deletion in (
        conditions.deleting("On its way."),
        conditions.deletion_blocked(
            KEY, "payments", "orders", conditions.refused(Refusal("h", "Unauthorized", "No.", 1))
        ),
    ):
        found = connector(deletion, deleting=True)
        yield Case(f"connector-{deletion.reason}", found, TERMINATING, PROGRESSING)


def unobserved() -> Iterator[Case]:
    """The spec is newer than what was said, or nothing has been said at all."""
    for make, verdict in ((connector, failed(None)), (offsets, offsets_status.stop_timeout(asked=False))):
        for name, status in (
            ("never", {"observedGeneration": -1}),
            ("older", make(verdict)["status"] | {"observedGeneration": 2}),
            ("older-ready", make(conditions.progressing("x"))["status"] | {"observedGeneration": 2}),
        ):
            found = make(verdict) | {"status": status}
            yield Case(f"{make.__name__}-{name}", found, IN_PROGRESS, PROGRESSING)


CASES, UNOBSERVED = tuple(cases()), tuple(unobserved())
KINDS: dict[str, set[str]] = {"LensesConnector": set(Reason), "LensesConnectorOffsets": set(OffsetsReason)}
"""The reasons each kind's cases must have among them."""
