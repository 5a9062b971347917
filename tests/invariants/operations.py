"""What the contract says of LensesConnectorOffsets: each operation once, and never without the way back."""

from __future__ import annotations

import json
from dataclasses import dataclass

from doubles.incarnation import Incarnation
from doubles.lifelike_kube import Offsets
from invariants.contract import WANTED
from invariants.ending import Ending
from lenses_operator.cache.operations import connector_key
from lenses_operator.domain.offsets_text import next_in_line
from lenses_operator.resources.connector import DeletionPolicy, LensesConnector, OwnershipState
from lenses_operator.resources.connector_offsets import Action, LensesConnectorOffsets, OffsetsStatus, OperationPhase
from unit.controllers.virtualtime import now


@dataclass
class Deed:
    """What has come of one generation of an operation."""

    done: int = 0
    """How often it was carried out."""
    begun: bool = False
    """A request of it may have been sent."""
    met: bool = False
    """Since then another operation's reset has brought about what it asks for, too."""
    ran_since: bool = False
    unseen: bool = False
    """Its last request was sent while reads came from a cache: that the connector had run by then did not show."""
    position: int | None = None
    before: str | None = None
    applying_since: float | None = None
    ended: float = float("inf")


class OffsetsContract(Ending):
    """Exactly once for each generation, and never without the way back written down."""

    offsets: Offsets
    deeds: dict[tuple[str, int], Deed]
    """By uid and generation."""
    held_once: set[str]
    """Resources whose connectors an operation has stopped at some time."""

    def _turning(self, name: str, action: str) -> None:
        """Stopped for an operation; and nothing else is done to it while its offsets are being changed."""
        held = any(self._deed(one).ended > now() - self.window for one in self._operations_on(name))
        if action == "stop" and held:
            self._stopping(name)
            return
        given_back = any(
            one.metadata.uid in self.held_once and WANTED.get(action) is one.spec.state
            for snapshot in self._lately(name)
            for one in snapshot.objects
        )
        if not given_back:  # which is done though it may be suspended, or its configuration be unusable
            super()._turning(name, action)
        self._interfering(name, action)

    def _rests(self, owner: LensesConnector) -> bool:
        """Or an operation is to find it stopped."""
        held = any(self._deed(one).ended > now() - self.window for one in self._operations_on(owner.connector.name))
        return held or super()._rests(owner)

    def _replacing(self, name: str, found: Incarnation) -> None:
        super()._replacing(name, found)
        self._interfering(name, "replacement")

    def _stopping(self, name: str) -> None:
        found = self.lenses.connectors.get(name)
        if found is not None and found.state == "STOPPED":
            late = now() - found.state_since > self.believed and not self._troubled(name)
            self.check(not late, f"stop of {name}, which is STOPPED already")

    def _interfering(self, name: str, what: str) -> None:
        for owner in self._acting_owners(name):
            for operation in self.offsets.of(owner.key):
                began = self._deed(operation).applying_since
                applying = operation.status.phase is OperationPhase.APPLYING and not operation.finished
                late = began is not None and now() - began > self.window
                self.check(
                    not (applying and late), f"{what} of {name} while {operation.key} is {operation.status.phase}"
                )

    def _operations_on(self, name: str) -> list[LensesConnectorOffsets]:
        """Now or a moment ago."""
        lately = [one for at, one in self.offsets.past if at > now() - self.window - self.offsets.latency]
        known = {resource.key for snapshot in self._lately(name) for resource in snapshot.objects}
        found = [operation for key in sorted(known) for operation in self.offsets.of(key)]
        return [one for one in (*found, *reversed(lately)) if one.operates and connector_key(one) in known]

    def asked(self, operation: str, name: str, what: str, config: dict[str, str] | None) -> None:
        super().asked(operation, name, what, config)
        if operation == "alter_offsets":
            asking = self._asking(name, int(what))
            self.check(asking is not None, f"offsets of {name} changed to {what}, which nobody asked for")
            self._justified(asking)
            self.check(self._is_ours(name), f"offsets of {name} changed, which no resource owns")

    def _resetting(self, name: str) -> None:
        asking = self._asking(name, None)
        if asking is None:
            super()._resetting(name)
        self._justified(asking)

    def _justified(self, operation: LensesConnectorOffsets | None) -> None:
        if operation is not None:
            status, generation = operation.status, operation.metadata.generation
            self.check(status.before_generation == generation, f"{operation.key} has no way back written down")
            self.check(not operation.finished, f"{operation.key} carried out although it is {status.phase}")
            self._deed(operation).unseen = self.lenses.hostile.lately("cached")

    def altered(self, name: str, position: int | None) -> None:
        """It has happened in Connect."""
        operation = self._asking(name, position)
        deletes = (self._dying(name, one, DeletionPolicy.DELETE_WITH_OFFSETS) for one in self._lately(name))
        waits = operation is not None and operation.status.phase is not OperationPhase.APPLYING
        if operation is None or (position is None and waits and any(deletes)):
            return  # a deletion's reset, or too late: the operation is gone, and `asked` has judged it
        deed = self._deed(operation)
        # What a process that was killed had sent may arrive late; that does no harm to a connector that stands still.
        again = deed.done and deed.ran_since and not deed.unseen
        self.check(not again, f"{operation.key} carried out again after its connector had gone on")
        deed.done += 1
        deed.position, deed.ran_since = position, False
        if position is None:
            for other in self._operations_on(name):
                alike = self._deed(other)
                alike.met = alike.met or (alike.begun and _asks(other, None))

    def ran(self, name: str) -> None:
        for snapshot in self._lately(name)[:1]:
            for resource in snapshot.objects:
                for operation in self.offsets.of(resource.key):
                    self._deed(operation).ran_since = True

    def wrote_offsets(self, resource: LensesConnectorOffsets, status: OffsetsStatus) -> None:
        place, ready = str(resource.key), status.ready
        if resource.operates:
            key = connector_key(resource)
            body = self.kube.objects.get((key.namespace, key.name))
            self.held_once.add(body["metadata"]["uid"] if body else "")
        self.log.append((now(), f"offsets status {place} {ready and ready.reason} {status.phase}"))
        self.sound(place, status)
        self.disclosed(json.dumps(status.to_wire(), ensure_ascii=False), f"status of {place}")
        generation = resource.metadata.generation
        if not resource.operates:
            return
        deed = self._deed(resource)
        if status.phase is not OperationPhase.APPLYING:
            deed.applying_since = None
        elif deed.applying_since is None:
            deed.applying_since, deed.begun = now(), True
        if status.phase in {OperationPhase.APPLIED, OperationPhase.FAILED}:
            deed.ended = min(deed.ended, now())
        if status.before_generation == generation:
            if deed.before is None:
                self.check(not deed.done, f"{place} keeps its way back after the offsets were changed")
                deed.before = status.before
            self.check(deed.before == status.before, f"{place} has overwritten its way back")
        if status.applied_generation == generation:
            self.check(bool(deed.done) or deed.met, f"{place} says Applied, and nothing was done")

    def operations_unsettled(self) -> list[str]:
        found = []
        for operation in self.offsets.living():
            ready, generation = operation.status.ready, operation.metadata.generation
            if ready is None or operation.status.observed_generation != generation:
                found.append(f"{operation.key} is not looked at: {ready}")
                continue
            expected = self._expected_of_operation(operation)
            if ready.reason not in expected:
                found.append(f"{operation.key} is {ready.reason} ({ready.message}), expected {sorted(expected)}")
        return found

    def _expected_of_operation(self, operation: LensesConnectorOffsets) -> set[str]:
        if operation.operates and operation.finished:
            if operation.applied:
                return {"Applied"}
            return {"OffsetsRejected", "StopTimeout", "OutcomeUnknown", "NotSupported"}
        key = connector_key(operation)
        body = self.kube.objects.get((key.namespace, key.name))
        if body is None:
            return {"ConnectorNotFound"}
        connector = LensesConnector.parse(body)
        waits = (
            connector.metadata.deleting
            or connector.status.ownership.state is not OwnershipState.OWNED
            or connector.metadata.namespace not in self.kube.allowed
            or (connector.spec.suspend and operation.operates)
            or connector.connector.name not in self.lenses.connectors
        )
        first = next_in_line(self.offsets.of(key))
        if operation.operates and first is not None and first.key != operation.key:
            return {"Pending", "ConnectorNotReady"}
        if waits:
            return {"ConnectorNotReady"}
        return {"done"} if operation.operates else {"Observed"}

    def _deed(self, operation: LensesConnectorOffsets) -> Deed:
        return self.deeds.setdefault((operation.metadata.uid, operation.metadata.generation), Deed())

    def _asking(self, name: str, position: int | None) -> LensesConnectorOffsets | None:
        """The operation that wants this, as it is or was a moment ago: of the resource that acts, if there are more."""
        asking = [one for one in self._operations_on(name) if _asks(one, position)]
        acting = {owner.key for owner in self._acting_owners(name)}
        return min(asking, key=lambda one: connector_key(one) not in acting, default=None)


def _asks(operation: LensesConnectorOffsets, position: int | None) -> bool:
    if position is not None:
        return wish(operation) == position
    kept = operation.status.before_generation == operation.metadata.generation
    return operation.spec.action is Action.RESET and kept and not operation.finished


def wish(operation: LensesConnectorOffsets) -> int | None:
    """The position that an Alter of the storm asks for."""
    entry = next(iter(operation.spec.offsets), None)
    return int(entry.offset["position"]) if entry is not None and entry.offset is not None else None
