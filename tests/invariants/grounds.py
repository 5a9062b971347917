"""On what grounds the operator may act on a connector: who owns it, what is wanted of it, and how it is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from doubles.incarnation import Habits, Incarnation
from doubles.lifelike import Lenses
from doubles.lifelike_kube import Kube, Snapshot
from invariants.account import Account
from lenses_operator.lenses import errors
from lenses_operator.resources.connector import DeletionPolicy, LensesConnector
from unit.controllers.virtualtime import now

WINDOW = 0.1
"""Seconds: a pass may act on what was true when it began."""
BELIEVED = 4.0
"""Seconds after which a connector, or its state, must have been noticed."""


class Grounds:
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
        self.seen: frozenset[str] = frozenset()
        """Connectors of the last list that had any."""
        self.seen_since = float("-inf")
        """When that list was asked for."""
        self.told: set[type[errors.LensesRefused]] = set()
        """What the present process was answered."""
        self.forsaken: dict[str, float] = {}
        """Connectors of objects that vanished, and when the process that alone knew of it ended."""
        self._sent: dict[str, str] = {}

    def wrong(self, what: str) -> None:
        self.violations.append(f"{now():.3f} {what}")

    def check(self, good: bool, what: str) -> None:
        if not good:
            self.wrong(what)

    # Who may act.

    def _lately(self, name: str) -> list[Snapshot]:
        return self.kube.lately(name, self.window)

    def _troubled(self, name: str) -> bool:
        if self.lenses.hostile.deceives:
            return True
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

        def order(one: LensesConnector) -> tuple[datetime, bool, str]:
            return (one.metadata.creation_timestamp, not one.status.ownership.state.ours, one.metadata.uid)

        return min(entitled, key=order, default=None)  # of two made in the same second the one that owns it

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

    @staticmethod
    def may_come_of(found: Incarnation, sent: dict[str, str], habits: Habits) -> bool:
        """As somebody sees it who knows that a server may add keys."""
        seen, shown = habits.shown(found.config), habits.shown(sent)
        same_hidden = habits.password != "hidden" or ("password" in found.config) == ("password" in sent)
        return same_hidden and all(seen.get(key) == value for key, value in shown.items())

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
