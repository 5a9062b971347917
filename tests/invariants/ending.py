"""How things must end once everything is mended: as the resources say."""

from __future__ import annotations

import json

from doubles.incarnation import Habits, Incarnation
from doubles.lifelike import ARRIVES
from doubles.lifelike_kube import Snapshot
from invariants.contract import Contract
from lenses_operator.resources.connector import (
    AdoptionPolicy,
    LensesConnector,
    OwnershipState,
    UpdateStrategy,
    WantedState,
)
from unit.controllers.virtualtime import now


class Ending(Contract):
    def unsettled(self) -> list[str]:
        """What is not as the resources say."""
        found = []
        living = self.kube.living()
        for resource in living:
            snapshot = self.kube.about(resource.connector.name)
            if resource.metadata.deleting:
                found.append(f"{resource.key} is still there")
                continue
            ready, status = resource.status.ready, resource.status
            if ready is None:
                found.append(f"{resource.key} has no status")
                continue
            if status.observed_generation != resource.metadata.generation:
                found.append(f"{resource.key} has generation {status.observed_generation} observed")
            expected = self._expected(resource, snapshot)
            if ready.reason not in expected:
                found.append(f"{resource.key} is {ready.reason} ({ready.message}), expected {sorted(expected)}")
            good = {"Running", "Paused", "Stopped"}
            if (ready.status == "True") != (ready.reason in good):
                found.append(f"{resource.key} is {ready.reason}, Ready {ready.status}")
        names = {resource.connector.name for resource in living}
        for name, connector in self.lenses.connectors.items():
            forsaken = connector.born <= self.forsaken.get(name, float("-inf")) + ARRIVES
            if name not in names and connector.ours and not (connector.let_go or forsaken):
                found.append(f"{name} was left behind")
        return found

    def _expected(self, resource: LensesConnector, snapshot: Snapshot) -> set[str]:
        if resource.metadata.namespace not in snapshot.allowed:
            return {"NotAllowed"}
        name = resource.connector.name
        if self.owner(name, snapshot) is not resource:
            return {"Conflict"}
        wanted = self.wanted(resource)
        if wanted is None:
            return {"ReferenceNotFound"}
        if resource.spec.suspend:
            return {"Suspended"}
        connector, habits = self.lenses.connectors.get(name), self.lenses.habits[name]
        state = resource.status.ownership.state
        if state is OwnershipState.NOT_ADOPTED and connector is not None:
            hidden = self.lenses.hostile.lately("hidden", now() - connector.written_at)
            if connector.ours and not connector.let_go and not connector.foreign and not hidden:
                return {"owned, as it was created for it"}
            policy = resource.spec.adoption_policy
            differs = self.differs(connector, wanted, habits)
            refused = policy is AdoptionPolicy.NEVER or (policy is AdoptionPolicy.IF_IDENTICAL and differs)
            return {"NotAdopted"} if refused else {"adopted"}
        bad = wanted["topic"] in {"bad", "worse"}
        if bad and (connector is None or not self.holds(connector, wanted, habits)):
            # What create alone refuses may wait unrefused until it is to be created.
            waits = connector is not None and wanted["topic"] == "worse" and connector.state in {"PAUSED", "STOPPED"}
            unsupported = self._in_vain(resource, habits)
            also = {str(connector.state).capitalize()} if connector and waits else set()
            return {"ConfigInvalid"} | also | ({"UpdateNotSupported"} if unsupported else set())
        if state is not OwnershipState.OWNED:
            return {"owned"}
        if connector is None:
            return {"created"}
        return self._expected_of(resource, connector, wanted, habits)

    def _expected_of(
        self, resource: LensesConnector, connector: Incarnation, wanted: dict[str, str], habits: Habits
    ) -> set[str]:
        applied = resource.status.applied_config
        uncompared = habits.unreadable | set(applied.not_compared + applied.added if applied else ())
        uncompared &= connector.foreign
        if connector.idle:  # hidden for a while as if it were gone, it passes for what the next create has left
            uncompared |= habits.unreadable
        keys = (set(connector.config) | set(wanted)) - uncompared - ({"server.default"} if habits.adds else set())
        different = {key for key in keys if connector.config.get(key) != wanted.get(key)}
        if resource.spec.state is not WantedState.RUNNING:
            held = {WantedState.PAUSED: "PAUSED", WantedState.STOPPED: "STOPPED"}[resource.spec.state]
            return {held.capitalize()} if connector.state == held else {f"{held.capitalize()} in Lenses"}
        if different:
            if self._in_vain(resource, habits):
                return {"UpdateNotSupported"}
            return {"ConfigInvalid"} if self._was_refused(resource, wanted) else {f"put right: {sorted(different)}"}
        # A process that ended before it saw what its create became left no baseline. And what somebody else has set a
        # hidden key to is not known, but that what is wanted of it now was never written is, and true.
        no_baseline = habits.adds or habits.rewrites
        hidden = any(connector.config.get(key) != wanted.get(key) for key in uncompared)
        if self._in_vain(resource, habits) and (no_baseline or hidden) and self._says(resource, "UpdateNotSupported"):
            return {"UpdateNotSupported"}
        if connector.state != "RUNNING":
            return {"ConnectorFailed"} if connector.state == "FAILED" else {"Running in Lenses"}
        if any(task.state == "FAILED" for task in connector.tasks):
            return {"TaskFailed"}
        return {"Running"} if connector.tasks else {"NoTasks"}

    def _in_vain(self, resource: LensesConnector, habits: Habits) -> bool:
        """It is to be written in place, which Lenses does not do."""
        strategy = resource.spec.update_strategy
        asked = strategy is UpdateStrategy.IN_PLACE or (strategy is UpdateStrategy.AUTO and self.lenses.as_code)
        return asked and not habits.in_place

    @staticmethod
    def _says(resource: LensesConnector, reason: str) -> bool:
        return resource.status.ready is not None and resource.status.ready.reason == reason

    def _was_refused(self, resource: LensesConnector, wanted: dict[str, str]) -> bool:
        return json.dumps(wanted, sort_keys=True) in self.accounts[resource.connector.name].refused
