"""What each verb writes, when there is nothing to write, and how to tell what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lenses_operator.commands.readiness import readiness
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.traces import root_cause
from lenses_operator.resources.base import RECONCILE, RESTART
from lenses_operator.resources.connector import LensesConnector, WantedState

GRACE = 20.0
"""Seconds after a restart for which a failure counts as the old one: status shows it until Lenses is listed again."""


@dataclass(frozen=True)
class Outcome:
    """What became of it."""

    well: bool
    words: str


@dataclass(frozen=True)
class Asked:
    """`value`: of the annotation. `generation`: of the spec, once it was written. `handled`: seconds since it was seen
    to be handled."""

    value: str
    generation: int
    handled: float = 0.0


@dataclass(frozen=True)
class Annotate:
    """A verb that asks by an annotation, which no file has."""

    key: str
    said: str

    def patch(self, value: str) -> Mapping[str, Any]:
        return {"metadata": {"annotations": {self.key: value}}}

    def superfluous(self, resource: LensesConnector) -> str | None:
        """Why it would do nothing."""
        if self.key != RESTART:
            return None
        if resource.spec.suspend:
            return "spec.suspend is true, so nothing is restarted; `unsuspend` it first"
        if resource.spec.state is not WantedState.RUNNING:
            return f"spec.state is {resource.spec.state}, so nothing is restarted; `resume` starts it"
        return None

    def handled(self, resource: LensesConnector) -> bool:
        """Whether the operator has seen the annotation as it is now, ours or a later one."""
        metadata, status = resource.metadata, resource.status
        if self.key == RESTART:
            return metadata.restart is not None and metadata.restart == status.last_handled_restart
        return metadata.reconcile is not None and metadata.reconcile == status.last_handled_reconcile

    def outcome(self, resource: LensesConnector, asked: Asked) -> Outcome | None:
        """None: it is not over yet."""
        if not self.handled(resource):
            return None
        state = readiness(resource)
        if state.reconciling:
            return None  # a restart is written down before it is asked for
        if state.well or state.reason == Reason.SUSPENDED:
            return Outcome(True, state.reason)
        if state.stalled and (self.key == RECONCILE or asked.handled >= GRACE):
            return Outcome(False, words(resource))
        return None


@dataclass(frozen=True)
class SetField:
    """A verb that sets a field of the spec, which a file may have."""

    field: str
    wanted: str | bool

    @property
    def said(self) -> str:
        return f"{self.path} set to {str(self.wanted).lower()}"

    @property
    def path(self) -> str:
        return f"spec.{self.field}"

    def patch(self, _: str) -> Mapping[str, Any]:
        return {"spec": {self.field: self.wanted}}

    def is_set(self, resource: LensesConnector) -> bool:
        return bool(getattr(resource.spec, self.field) == self.wanted)

    def outcome(self, resource: LensesConnector, asked: Asked) -> Outcome | None:
        """None: it is not over yet."""
        if resource.metadata.generation < asked.generation:
            return None  # as it was before
        if not self.is_set(resource):
            now = str(getattr(resource.spec, self.field)).lower()
            return Outcome(False, f"{self.path} has been set to {now} since")
        state = readiness(resource)
        if state.reason == Reason.SUSPENDED:
            return Outcome(True, "Suspended")
        if self.field == "suspend" and self.wanted is True:
            return None
        if state.well:
            return Outcome(True, state.reason)
        return Outcome(False, words(resource)) if state.stalled else None


Verb = Annotate | SetField
VERBS: Mapping[str, Verb] = {
    "restart": Annotate(RESTART, "restart asked for"),
    "reconcile": Annotate(RECONCILE, "asked to reconcile"),
    "pause": SetField("state", "paused"),
    "resume": SetField("state", "running"),
    "stop": SetField("state", "stopped"),
    "suspend": SetField("suspend", True),
    "unsuspend": SetField("suspend", False),
}


def words(resource: LensesConnector) -> str:
    """How it is, with the root cause of what failed, on one line."""
    state = readiness(resource)
    failed = [task for task in resource.status.tasks if task.state == "FAILED" and task.error]
    if failed:
        return f"{state.reason}: task {failed[0].id}: {root_cause(failed[0].error)}"
    return f"{state.reason}: {state.message}" if state.reason else state.message
