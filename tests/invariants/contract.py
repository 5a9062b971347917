"""The contract as a model: what each request and each status must be justified by, and how things must end."""

from __future__ import annotations

import json
from datetime import datetime

from doubles.connect import BAD
from doubles.incarnation import Incarnation
from doubles.lenses import CHANGING
from invariants.account import WRITING, Account, as_sent
from invariants.grounds import Grounds
from invariants.shown import forms, unsound
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

DENYING = (errors.Conflict, errors.BadRequest, errors.ServerError, errors.AgentCallFailed)
"""A create so answered may mean that the name is somebody else's."""
RESTARTING = frozenset({"set_state", "restart_task"})
TARGET = {"pause": "PAUSED", "stop": "STOPPED", "resume": "RUNNING"}
TOLD: dict[str, type[errors.LensesRefused]] = {
    "Unauthorized": errors.Unauthorized,
    "Forbidden": errors.Forbidden,
    "LicenseRequired": errors.LicenceRequired,
    "EnvironmentNotFound": errors.EnvironmentNotFound,
    "ClusterNotFound": errors.ConnectorOrClusterNotFound,
}
"""Reasons that only an answer can give."""
WANTED = {"pause": WantedState.PAUSED, "stop": WantedState.STOPPED, "resume": WantedState.RUNNING}


class Contract(Grounds):
    """Hears every request, answer and status."""

    # Requests to Lenses.

    def asked(self, operation: str, name: str, what: str, config: dict[str, str] | None) -> None:
        self.log.append((now(), f"{operation} {name} {what}".rstrip()))
        account = self.accounts[name]
        account.asked(operation, now())
        if config is not None:
            self._sent[name] = as_sent(config)
        match operation:
            case "create_connector":
                self._creating(name)
            case "delete_connector":
                self._deleting(name)
            case "put_resource" if what != "RUNNING":
                self._creating_at_rest(name)
            case "put_resource":
                self._putting(name)
            case "set_state" if what != "restart":
                self._turning(name, what)
            case "set_state" | "restart_task":
                self._restarting(name, what)
            case "reset_offsets":
                self._resetting(name)
        if operation not in CHANGING:
            return
        self._repeating(operation, name, what)
        if operation in WRITING:
            account.unsure_before, account.unsure = account.unsure, True
        if operation != "create_connector":
            self.check(self._is_ours(name), f"{operation} {what} on {name}, which no resource owns")

    def _repeating(self, operation: str, name: str, what: str) -> None:
        """One and the same request at most once a second, on whatever grounds."""
        owners = {one.metadata.uid: one for snapshot in self._lately(name) for one in snapshot.objects}
        owners |= {one.metadata.uid: one for one in self.kube.vanished if one.connector.name == name}
        config = self._sent[name] if operation in WRITING else ""
        wishes = "" if operation in WRITING else " ".join(str(one.metadata.restart) for one in owners.values())
        request, sent = (operation, what, config, wishes), self.accounts[name].sent
        last, senders = sent.get(request, (float("-inf"), frozenset()))
        sent[request] = now(), frozenset(owners)
        soon = now() - last < 0.99 and len(senders | owners.keys()) == 1  # else it may be another resource's
        self.check(not soon, f"{operation} {name} {what} repeated within a second")

    def listed(self, names: frozenset[str]) -> None:
        if names:
            self.seen, self.seen_since = names, self.accounts[""].listing

    def altered(self, name: str, position: int | None) -> None:
        """For who knows of operations, as the next."""

    def ran(self, name: str) -> None:
        """It runs, so its offsets move on."""

    def answered(self, operation: str, name: str, error: Exception | None) -> None:
        account = self.accounts[name]
        self.log.append((now(), f"  {operation} {name}: {'ok' if error is None else type(error).__name__}"))
        found = self.lenses.connectors.get(name)
        if operation in WRITING and isinstance(error, DENYING) and found is not None:
            self._contested(account, found)
        if isinstance(error, errors.LensesRefused):
            self.told.add(type(error))
        refused = isinstance(error, errors.Conflict) or (isinstance(error, errors.LensesError) and not error.maybe_done)
        if operation in RESTARTING and refused:
            account.restarts.clear()  # nothing was restarted, so it may be asked for again
        account.heard(operation, self._sent.get(name, ""), error, now())
        if operation == "get_cluster_info" and error is None:
            self.alive = now()
            for one in self.accounts.values():
                one.cluster_answered()

    def _contested(self, account: Account, found: Incarnation) -> None:
        """By the first create on a claim."""
        if found.ours or not account.claimed or account.unproven:
            return
        found.contested_in = self.lenses.connect.process

    def _creating(self, name: str) -> None:
        account = self.accounts[name]
        self.check(not account.unproven, f"create of {name} repeated without looking")
        uids = {owner.metadata.uid for owner in self._acting_owners(name)}  # when it was claimed
        lately = [one for snapshot in self._lately(name) for one in snapshot.objects if one.metadata.uid in uids]
        justified = any(one.metadata.has_finalizer and one.status.ownership.state.ours for one in lately)
        self.check(justified, f"create of {name}, which nobody wants or nobody has claimed")
        owned = [one.status.ownership.state is OwnershipState.OWNED for one in lately]
        lost = bool(owned) and all(owned) and not account.taken_down
        proven = account.lost_for_certain(now() + self.window)
        self.check(proven or not lost, f"create of {name}, which is not lost for certain: {account.missing}")
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
        account = self.accounts[name]
        replaced = any(
            owner.spec.state is WantedState.RUNNING and self._recreates(owner) for owner in self._acting_owners(name)
        )
        self.check(wanted or replaced, f"{name} deleted, which nobody asked for")
        strange = found is not None and not found.ours and account.claimed
        self.check(not strange, f"{name} deleted, which was never ours")
        if not wanted and found is not None and not found.going:
            self._replacing(name, found)

    def _recreates(self, owner: LensesConnector) -> bool:
        """What was once taken in place is never deleted for the same."""
        strategy, account, wanted = owner.spec.update_strategy, self.accounts[owner.connector.name], self.wanted(owner)
        if strategy is not UpdateStrategy.AUTO:
            return strategy is UpdateStrategy.RECREATE
        offered = self.lenses.as_code and not any(one.put_unknown for one in self.accounts.values())
        return not offered and (wanted is None or account.put != as_sent(wanted))

    def _creating_at_rest(self, name: str) -> None:
        """By a document, which would overwrite what is there."""
        self._creating(name)
        auto = any(
            owner.spec.update_strategy is UpdateStrategy.AUTO and self._rests(owner)
            for owner in self._acting_owners(name)
        )
        self.check(auto, f"{name} put at rest, which nobody asked for")
        found = self.lenses.connectors.get(name)
        new = (
            found is None
            or found.ours
            or now() - found.born < 2 * self.believed
            or self.lenses.hostile.lately("cached")
        )
        self.check(new, f"{name} put over somebody else's connector")

    def _rests(self, owner: LensesConnector) -> bool:
        return owner.spec.state is not WantedState.RUNNING

    def _putting(self, name: str) -> None:
        in_place = any(
            owner.spec.state is WantedState.RUNNING
            and owner.spec.update_strategy in {UpdateStrategy.IN_PLACE, UpdateStrategy.AUTO}
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
        shown = not self.lenses.hostile.lately("hidden", now() - found.written_at)  # else there is no baseline
        knows = found.written_by == self.lenses.connect.process and not found.foreign and not unsure and shown
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
        self._stalling(resource, status)
        self._owning(resource, status)
        self.kube.writes.append((now(), (resource.metadata.namespace, resource.metadata.name), status.to_wire()))
        self.disclosed(json.dumps(status.to_wire(), ensure_ascii=False), f"status of {place}")

    def _stalling(self, resource: LensesConnector, status: ConnectorStatus) -> None:
        """What a person is called for must be nothing that passes by itself."""
        ready, name = status.ready, resource.connector.name
        if ready is None or ready.status != "False":
            return
        account, lately = self.accounts[name], [one for snapshot in self._lately(name) for one in snapshot.objects]
        match ready.reason:
            case "ConfigInvalid" | "PluginNotFound":
                bad = any(one.spec.config.get("topic") in BAD for one in (resource, *lately))
                good = bad or bool(account.refused)
            case "UpdateNotApplied":
                hostile = self.lenses.hostile
                good = hostile.lately("put", 90.0) or hostile.lately("cached", 30.0) or account.not_shown
                account.not_shown = good
            case "UpdateNotSupported":
                good = self.accounts[name].put_unknown
            case reason:
                good = reason not in TOLD or any(issubclass(kind, TOLD[reason]) for kind in self.told)
        self.check(good, f"{resource.key} says {ready.reason}, which was not to be believed: {ready.message}")

    def sound(self, place: str, status: Status) -> None:
        """Its conditions, as everybody reads them."""
        conditions = [(condition.type, condition.observed_generation) for condition in status.conditions]
        for wrong in unsound(conditions, status.observed_generation):
            self.wrong(f"{place} {wrong}")

    def _owning(self, resource: LensesConnector, status: ConnectorStatus) -> None:
        """Nobody else's connector becomes ours but by the adoption policy."""
        name = resource.connector.name
        account, found = self.accounts[name], self.lenses.connectors.get(name)
        before, after = resource.status.ownership.state, status.ownership.state
        if after is OwnershipState.CLAIMING and not before.ours:
            account.claimed, account.claimed_at = True, now()
            account.open.clear()
            if found is not None:
                found.contested_in = None  # by a create on this claim only: what was said before is given back with it
        if before.ours and after is OwnershipState.CONFLICT and found is not None:
            found.let_go = True  # it was created for this resource, not for the one that has it now
        if after is not OwnershipState.OWNED or found is None:
            return
        covers = found.ours and found.written_at >= account.claimed_at
        if not before.ours or not covers:  # a claim may cover somebody else's, or what another resource has left
            found.foreign = found.foreign | set(found.config)  # what cannot be read of it is taken for equal
        if found.ours:
            return
        sent = [json.loads(one) for one in account.open]
        ours = any(self.may_come_of(found, one, self.lenses.habits[name]) for one in sent)  # is taken for it
        contested = found.contested_in == self.lenses.connect.process and not ours
        if before.ours and not (before is OwnershipState.CLAIMING and contested):
            return  # made anew by hand: still ours
        lately = [one for snapshot in self._lately(name) for one in snapshot.objects]
        own = [resource, *(one for one in lately if one.metadata.uid == resource.metadata.uid)]
        self.check(any(self._may_adopt(one, found) for one in own), f"{name} taken over, which {resource.key} may not")

    def _may_adopt(self, resource: LensesConnector, found: Incarnation) -> bool:
        name, policy, wanted = resource.connector.name, resource.spec.adoption_policy, self.wanted(resource)
        if policy is not AdoptionPolicy.IF_IDENTICAL:
            return policy is AdoptionPolicy.ALWAYS
        hostile = self.lenses.hostile
        if hostile.throughout("hidden", 2 * self.believed) and not hostile.lately("cached"):
            return False
        touched = now() - found.touched < self.window or self._troubled(name)
        return wanted is None or touched or not self.differs(found, wanted, self.lenses.habits[name])

    def owned(self, resource: LensesConnector) -> None:
        found = self.lenses.connectors.get(resource.connector.name)
        if found is not None:
            found.ours = True
            found.let_go = found.let_go and resource.status.ownership.state is OwnershipState.OWNED

    def disclosed(self, text: str, where: str) -> None:
        """Only what this process was given can it know for secret, and not what was taken over unseen for another."""
        name = where.rpartition("/")[2]
        unseen: set[str] = set()
        if name in self.lenses.connectors:
            found, unreadable = self.lenses.connectors[name], self.lenses.habits[name].unreadable
            unseen = {found.config[key] for key in found.foreign & unreadable & found.config.keys()}
        for form in forms((self.kube.read_values & self.secrets) - unseen):
            self.check(form not in text, f"{where} shows {form} of a Secret: {text}")

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
        if account.claimed:
            return  # and nothing was sent that may have created it
        found = self.lenses.connectors.get(name)
        strange = found is not None and (not found.ours or found.let_go or found.foreign)
        if strange and resource.status.ownership.state is OwnershipState.CLAIMING:
            return  # somebody else's, changed by somebody since, or let go by another resource: left alone
        proofs = account.absent if account.delete_accepted is not None else account.proofs
        self.check(account.proven_gone, f"{resource.key} released, but {name} was not proven to be gone: {proofs}")
        absent = account.absent
        self.check(bool(absent) and self.alive >= absent[-1] - 3.01, f"{resource.key} released, the cluster being mute")
        if account.delete_accepted is None:
            self._not_found(resource, name)

    def _not_found(self, resource: LensesConnector, name: str) -> None:
        """On the word of Lenses alone."""
        beside = {one for one in self.seen - {name} if self.accounts[one].delete_accepted is None}
        blind = self.lenses.hostile.throughout("blind", 25.0)
        # A list from a cache, asked for since the first denial, says that the token sees, and nothing says otherwise.
        proofs, cached = self.accounts[name].proofs, self.lenses.hostile.lately("cached")
        misled = cached and bool(proofs) and self.seen_since >= proofs[0]
        told = blind and beside and not misled
        self.check(not told, f"{resource.key} released, though its token sees nothing any more")
        found = self.lenses.connectors.get(name)
        if found is not None and self.lenses.hostile.deceives:
            found.let_go = True  # NotFound promises nothing

    def deleted(self, name: str) -> None:
        """As an Event says."""
        found = self.lenses.connectors.get(name)
        stays = found is not None and found.ours and not found.going and not found.idle and not found.let_go
        self.check(not stays, f"{name} is said to be deleted, and is there")

    def released(self, resource: LensesConnector) -> None:
        """It let go of a connector that stays."""
        found = self.lenses.connectors.get(resource.connector.name)
        if found is not None:
            found.let_go = True
            found.written_by = None  # who takes it over has no baseline of it
