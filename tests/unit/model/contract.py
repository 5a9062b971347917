"""The contract as a model: what each request and each status must be justified by, and how things must end."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote

from lenses_operator.lenses import errors
from lenses_operator.resources.conditions import Status
from lenses_operator.resources.connector import (
    AdoptionPolicy,
    ConnectorStatus,
    DeletionPolicy,
    LensesConnector,
    OwnershipState,
    UpdateStrategy,
    WantedState,
)
from unit.controllers.virtualtime import now
from unit.model.incarnation import Habits, Incarnation
from unit.model.kube import Kube, Snapshot
from unit.model.lenses import Lenses

WINDOW = 0.1
"""Seconds: a pass may act on what was true when it began."""
BELIEVED = 4.0
"""Seconds after which a connector, or its state, must have been noticed."""
TARGET = {"pause": "PAUSED", "stop": "STOPPED", "resume": "RUNNING"}
WRITING = {"create_connector", "put_resource"}
REFUSING = {"create_connector", "put_resource", "validate"}
WANTED = {"pause": WantedState.PAUSED, "stop": WantedState.STOPPED, "resume": WantedState.RUNNING}


@dataclass
class Account:
    """What the operator was told about one connector."""

    absent: list[float] = field(default_factory=list)
    """Answers that it does not exist, since one last said otherwise or the operator began anew."""
    delete_accepted: float | None = None
    unproven: bool = False
    """A create was sent that may have worked, and absence was not proven since."""
    troubled: float = float("-inf")
    """When a request failed last, or the cluster last denied what it holds."""
    claimed: bool = False
    """Claiming was written by the present process, and no create may have worked since."""
    refused: set[str] = field(default_factory=set)
    """Configurations that create, put or validate refused or broke on."""
    unsure: bool = False
    """A configuration was sent and may have been taken, and none with a good answer since."""
    unsure_before: bool = False
    """The same, before the last was sent."""
    restarts: dict[tuple[str, str], float] = field(default_factory=dict)


class Contract:
    """Collects violations; the operator would swallow exceptions."""

    def __init__(self) -> None:
        self.lenses: Lenses
        self.kube: Kube
        self.violations: list[str] = []
        self.log: list[tuple[float, str]] = []
        self.window = WINDOW
        self.believed = BELIEVED
        self.alive = float("-inf")
        self.accounts: dict[str, Account] = defaultdict(Account)
        self.secrets: set[str] = set()
        self._sent: dict[str, str] = {}

    def wrong(self, what: str) -> None:
        self.violations.append(f"{now():.3f} {what}")

    def check(self, good: bool, what: str) -> None:
        if not good:
            self.wrong(what)

    # Requests to Lenses.

    def asked(self, operation: str, name: str, what: str, config: dict[str, str] | None) -> None:
        self.log.append((now(), f"{operation} {name} {what}".rstrip()))
        account = self.accounts[name]
        if config is not None:
            self._sent[name] = json.dumps(config, sort_keys=True)
        match operation:
            case "create_connector":
                self._creating(name)
            case "delete_connector":
                self._deleting(name)
            case "put_resource":
                self._putting(name)
            case "set_state" if what != "restart":
                self._turning(name, what)
            case "set_state" | "restart_task":
                self._restarting(name, what)
            case "reset_offsets":
                self._resetting(name)
            case _:
                return
        if operation in WRITING:
            account.unsure_before, account.unsure = account.unsure, True
        if operation != "create_connector":
            self.check(self._is_ours(name), f"{operation} {what} on {name}, which no resource owns")

    def answered(self, operation: str, name: str, error: Exception | None) -> None:
        account = self.accounts[name]
        self.log.append((now(), f"  {operation} {name}: {'ok' if error is None else type(error).__name__}"))
        found = self.lenses.connectors.get(name)
        if operation == "create_connector" and isinstance(error, errors.Conflict) and found is not None:
            found.contested = found.contested or (not found.ours and account.claimed and not account.unproven)
        if error is not None:
            account.troubled = now()
        if operation in REFUSING and isinstance(error, errors.BadRequest | errors.ServerError):
            account.refused.add(self._sent[name])
        ambiguous = error is None or (isinstance(error, errors.LensesError) and error.maybe_done)
        match operation:
            case "get_connector" if error is None:
                account.absent.clear()
            case "get_connector" if isinstance(error, errors.ConnectorOrClusterNotFound):
                account.absent.append(now())
                account.unproven = False
            case "get_cluster_info" if error is None:
                self.alive = now()
            case "create_connector":
                if ambiguous:
                    account.delete_accepted = None
                    account.absent.clear()
                account.unproven = account.unproven or ambiguous
                account.claimed = account.claimed and not ambiguous
            case "delete_connector" if error is None:
                account.delete_accepted = now()
        if operation in WRITING and (error is None or not ambiguous):
            account.unsure = error is not None and account.unsure_before

    def _creating(self, name: str) -> None:
        account = self.accounts[name]
        self.check(not account.unproven, f"create of {name} repeated without looking")
        uids = {owner.metadata.uid for owner in self._acting_owners(name)}  # when it was claimed
        lately = [one for snapshot in self._lately(name) for one in snapshot.objects if one.metadata.uid in uids]
        justified = any(one.metadata.has_finalizer and one.status.ownership.state.ours for one in lately)
        self.check(justified, f"create of {name}, which nobody wants or nobody has claimed")
        found = self.lenses.connectors.get(name)
        known = found is not None and now() - found.born > self.believed and not self._troubled(name)
        self.check(not known, f"create of {name}, which exists")

    def _deleting(self, name: str) -> None:
        found = self.lenses.connectors.get(name)
        wanted = False
        for snapshot in self._lately(name):
            if self._dying(name, snapshot, DeletionPolicy.DELETE):
                wanted = True
            if self._dying(name, snapshot, DeletionPolicy.DELETE_WITH_OFFSETS):
                wanted = wanted or found is None or not found.offsets or found.going or self._troubled(name)
        replaced = any(
            owner.spec.state is WantedState.RUNNING and owner.spec.update_strategy is UpdateStrategy.RECREATE
            for owner in self._acting_owners(name)
        )
        self.check(wanted or replaced, f"{name} deleted, which nobody asked for")
        if not wanted and found is not None and not found.going:
            self._replacing(name, found)

    def _putting(self, name: str) -> None:
        in_place = any(
            owner.spec.state is WantedState.RUNNING and owner.spec.update_strategy is UpdateStrategy.IN_PLACE
            for owner in self._acting_owners(name)
        )
        self.check(in_place, f"{name} put, which nobody asked for")
        found = self.lenses.connectors.get(name)
        if found is not None:
            self._replacing(name, found)

    def _replacing(self, name: str, found: Incarnation) -> None:
        """Writing what was written already bounces the connector."""
        wanted = [self.wanted(owner) for owner in self._acting_owners(name)]
        same = all(one is not None and self.holds(found, one, self.lenses.habits[name]) for one in wanted)
        unsure = self.accounts[name].unsure and bool(self.lenses.habits[name].unreadable)
        knows = found.written_by == self.lenses.process and not found.foreign and not unsure
        self.check(
            not (same and knows and not self._troubled(name)), f"{name} written again with the configuration it has"
        )

    def _turning(self, name: str, action: str) -> None:
        dying = action == "stop" and any(
            self._dying(name, snapshot, DeletionPolicy.DELETE_WITH_OFFSETS) for snapshot in self._lately(name)
        )
        asked = any(owner.spec.state is WANTED[action] for owner in self._acting_owners(name))
        self.check(asked or dying, f"{action} of {name}, which nobody asked for")
        found = self.lenses.connectors.get(name)
        if found is not None and found.state == TARGET[action]:
            late = now() - found.state_since > self.believed and not self._troubled(name)
            self.check(not late, f"{action} of {name}, which is {found.state} already")

    def _resetting(self, name: str) -> None:
        dying = any(self._dying(name, snapshot, DeletionPolicy.DELETE_WITH_OFFSETS) for snapshot in self._lately(name))
        self.check(dying, f"offsets of {name} reset, which nobody asked for")

    def _restarting(self, name: str, what: str) -> None:
        """Written down first; by annotation once for each value; by itself within the budget."""
        good = False
        owners = [owner for owner in self._acting_owners(name) if owner.spec.state is WantedState.RUNNING]
        uids = {owner.metadata.uid for owner in owners}  # one may be on its way out by the time it was written down
        known = [one for snapshot in self._lately(name) for one in snapshot.objects if one.metadata.uid in uids]
        handled = {one.status.last_handled_restart for one in known}
        for owner in known:
            counter, value = owner.status.auto_restart, owner.metadata.restart
            last = counter.last_restart_time if counter else None
            if counter and last and self.just_now(last):
                good = good or counter.count <= owner.spec.auto_restart.max_restarts
            if value in handled and value is not None:
                first = self.accounts[name].restarts.setdefault((owner.metadata.uid, value), now())
                good = good or now() - first < 1.0 + self.window
        self.check(good, f"restart of {name} {what}, which is not due or not written down")

    def just_now(self, at: datetime) -> bool:
        """By the wall's clock."""
        raise NotImplementedError

    # What the API server is told.

    def wrote_status(self, resource: LensesConnector, status: ConnectorStatus) -> None:
        place = str(resource.key)
        ready = status.ready
        self.log.append((now(), f"status {place} {ready and ready.reason} {status.ownership.state}"))
        self.sound(place, status)
        self._owning(resource, status)
        self.kube.writes.append((now(), (resource.metadata.namespace, resource.metadata.name), status.to_wire()))
        self.disclosed(json.dumps(status.to_wire(), ensure_ascii=False), f"status of {place}")

    def sound(self, place: str, status: Status) -> None:
        """Its conditions, as everybody reads them."""
        kinds = [condition.type for condition in status.conditions]
        self.check(kinds.count("Ready") == 1, f"{place} has no Ready")
        self.check(len(kinds) <= 2 and len(set(kinds)) == len(kinds), f"{place} has conditions {kinds}")
        self.check(set(kinds) != {"Reconciling", "Stalled"}, f"{place} is Reconciling and Stalled")
        generations = {condition.observed_generation for condition in status.conditions}
        self.check(generations == {status.observed_generation}, f"{place} mixes generations")

    def _owning(self, resource: LensesConnector, status: ConnectorStatus) -> None:
        """Nobody else's connector becomes ours but by the adoption policy."""
        name = resource.connector.name
        account, found = self.accounts[name], self.lenses.connectors.get(name)
        before, after = resource.status.ownership.state, status.ownership.state
        if after is OwnershipState.CLAIMING and not before.ours:
            account.claimed = True
        if after is not OwnershipState.OWNED or found is None:
            return
        if not before.ours:
            found.foreign = found.foreign | set(found.config)  # what cannot be read of it is taken for equal
        if found.ours:
            return
        if before.ours and not (before is OwnershipState.CLAIMING and found.contested):
            return  # made anew by hand: still ours
        lately = [one for snapshot in self._lately(name) for one in snapshot.objects]
        own = [resource, *(one for one in lately if one.metadata.uid == resource.metadata.uid)]
        self.check(any(self._may_adopt(one, found) for one in own), f"{name} taken over, which {resource.key} may not")

    def _may_adopt(self, resource: LensesConnector, found: Incarnation) -> bool:
        name, policy, wanted = resource.connector.name, resource.spec.adoption_policy, self.wanted(resource)
        if policy is not AdoptionPolicy.IF_IDENTICAL:
            return policy is AdoptionPolicy.ALWAYS
        touched = now() - found.touched < self.window or self._troubled(name)
        return wanted is None or touched or not self.differs(found, wanted, self.lenses.habits[name])

    def owned(self, resource: LensesConnector) -> None:
        found = self.lenses.connectors.get(resource.connector.name)
        if found is not None:
            found.ours = True

    def disclosed(self, text: str, where: str) -> None:
        """Only what this process was given can it know for secret."""
        for value in self.kube.read_values & self.secrets:
            forms = {value, json.dumps(value)[1:-1], quote(value), quote(value, safe="")}
            if any(form in text for form in forms):
                self.wrong(f"{where} shows a Secret's value {value}: {text}")

    def releasing(self, resource: LensesConnector) -> None:
        self.log.append((now(), f"releasing {resource.key}"))
        name = resource.connector.name
        for snapshot in self._lately(name):
            for one in snapshot.objects:
                if one.metadata.uid != resource.metadata.uid:
                    continue
                if not one.status.ownership.state.ours or one.spec.deletion_policy is DeletionPolicy.RETAIN:
                    return
                owner = self.owner(name, snapshot)
                if owner is not None and owner.metadata.uid != one.metadata.uid:
                    return
        account = self.accounts[name]
        proofs = account.absent
        if account.delete_accepted is not None:
            proven = any(at >= account.delete_accepted for at in proofs)
        else:
            proven = bool(proofs) and proofs[-1] - proofs[0] >= 1.99
        self.check(proven, f"{resource.key} released, but {name} was not proven to be gone: {proofs}")
        self.check(bool(proofs) and self.alive >= proofs[-1] - 3.01, f"{resource.key} released, the cluster being mute")

    def released(self, resource: LensesConnector) -> None:
        """It let go of a connector that stays."""
        found = self.lenses.connectors.get(resource.connector.name)
        if found is not None:
            found.let_go = True
            found.written_by = None  # who takes it over has no baseline of it

    # Who may act.

    def _lately(self, name: str) -> list[Snapshot]:
        return self.kube.lately(name, self.window)

    def _troubled(self, name: str) -> bool:
        last = max(self.accounts[name].troubled, self.accounts[""].troubled, self.lenses.denied_until.get(name, 0.0))
        return now() - last < 10.0

    @staticmethod
    def owner(name: str, snapshot: Snapshot) -> LensesConnector | None:
        entitled = [
            one
            for one in snapshot.objects
            if one.connector.name == name
            and (one.status.ownership.state.ours or one.metadata.namespace in snapshot.allowed)
        ]
        return min(entitled, key=lambda one: (one.metadata.creation_timestamp, one.metadata.uid), default=None)

    def _acting_owners(self, name: str) -> Iterator[LensesConnector]:
        """The owners of the last moment, where they may change something and are not being deleted."""
        lately = self._lately(name)
        policies = {snapshot.allowed for snapshot in lately}
        for snapshot in (replace(one, allowed=allowed) for one in lately for allowed in policies):
            owner = self.owner(name, snapshot)
            if owner is None or owner.metadata.deleting or owner.spec.suspend:
                continue
            if owner.metadata.namespace in snapshot.allowed:
                yield owner

    def _dying(self, name: str, snapshot: Snapshot, policy: DeletionPolicy) -> bool:
        """An owner that is to take the connector along."""
        owner = self.owner(name, snapshot)
        buried = [one for one in self.kube.vanished if one.connector.name == name and one.status.ownership.state.ours]
        dying = [owner] if owner is not None and owner.metadata.deleting else []
        return any(one.spec.deletion_policy is policy and one.status.ownership.state.ours for one in (*dying, *buried))

    def _is_ours(self, name: str) -> bool:
        claimants = [one for snapshot in self._lately(name) for one in snapshot.objects]
        return any(
            one.connector.name == name and one.status.ownership.state.ours for one in (*claimants, *self.kube.vanished)
        )

    # What is wanted, and what is held.

    def wanted(self, resource: LensesConnector) -> dict[str, str] | None:
        """The configuration to be sent; None where a reference is missing."""
        config: dict[str, str] = {}
        for source in resource.spec.config_from:
            ref = source.secret_key_ref
            assert ref is not None
            found = next(
                (
                    data
                    for (namespace, named), data in self.kube.references.items()
                    if namespace == resource.metadata.namespace and named.name == ref.name
                ),
                None,
            )
            if found is not None and ref.key in found.data:
                config[source.key or ref.key] = found.data[ref.key].decode()
            elif not ref.optional:
                return None
        return {**config, **resource.spec.config, "connector.class": resource.spec.class_name}

    @staticmethod
    def holds(found: Incarnation, wanted: dict[str, str], habits: Habits) -> bool:
        added = {"server.default"} if habits.adds else set()
        return {key: value for key, value in found.config.items() if key not in added or key in wanted} == wanted

    def differs(self, found: Incarnation, wanted: dict[str, str], habits: Habits) -> bool:
        """As somebody sees it who has never written this connector."""
        seen = habits.shown(found.config)
        del seen["name"]
        hidden = {"password"} & found.config.keys() if habits.password == "hidden" else set()
        if set(seen) - set(wanted):
            return True
        return any(
            seen.get(key) != value and key not in hidden and not (seen.get(key) or "").startswith("***")
            for key, value in wanted.items()
        )
