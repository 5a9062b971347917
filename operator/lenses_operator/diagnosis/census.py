"""What the resources say, counted one after the other: none of them is kept, for there may be thousands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lenses_operator.diagnosis.environment_findings import Wanted
from lenses_operator.diagnosis.kubernetes import AnyResource
from lenses_operator.diagnosis.results import Result, failed, ok, skipped, some, warning
from lenses_operator.domain.lenses_names import odd_connector
from lenses_operator.resources.connector import LensesConnector, UpdateStrategy

GROUP = "Resources"
PATIENCE = timedelta(minutes=5)
"""A deletion or a first look that takes longer than this is worth a line."""


@dataclass
class _Asked:
    """Of one cluster of an environment."""

    classes: dict[str, list[str]] = field(default_factory=dict)
    connectors: int = 0
    odd: set[str] = field(default_factory=set)
    in_place: list[str] = field(default_factory=list)


class Census:
    """`add` each resource, then ask."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._total = 0
        self._unreadable: list[str] = []
        self._stalled: dict[str, list[str]] = defaultdict(list)
        self._stuck: list[str] = []
        self._unseen: list[str] = []
        self._own_tokens: list[str] = []
        self._asked: dict[str, dict[str, _Asked]] = defaultdict(lambda: defaultdict(_Asked))
        self._users: dict[str, list[str]] = defaultdict(list)
        self.namespaces: set[str] = set()

    def add(self, resource: AnyResource) -> None:
        self._total += 1
        self.namespaces.add(resource.metadata.namespace)
        shown = f"{resource.kind_name} {resource.key}"
        status = resource.status
        if status.ready and any(one.type == "Stalled" and one.status == "True" for one in status.conditions):
            self._stalled[status.ready.reason].append(shown)
        if self._is_stuck(resource):
            self._stuck.append(shown)
        if status.observed_generation < 0 and self._is_old(resource.metadata.creation_timestamp):
            self._unseen.append(shown)
        if isinstance(resource, LensesConnector):
            self._ask(resource)

    def add_unreadable(self, shown: str) -> None:
        """One that does not fit its model."""
        self._unreadable.append(shown)

    def _ask(self, one: LensesConnector) -> None:
        key, spec = str(one.key), one.spec
        asked = self._asked[spec.environment][spec.cluster]
        asked.classes.setdefault(spec.class_name, []).append(key)
        asked.connectors += 1
        if odd_connector(one.connector.name):
            asked.odd.add(one.connector.name)
        if spec.update_strategy is UpdateStrategy.IN_PLACE:
            asked.in_place.append(key)
        if spec.token_secret_ref is None:
            self._users[spec.environment].append(key)
        else:
            self._own_tokens.append(f"{one.kind_name} {key}")

    def _is_stuck(self, resource: AnyResource) -> bool:
        deleted = resource.metadata.deletion_timestamp
        return deleted is not None and bool(resource.metadata.finalizers) and self._is_old(deleted)

    def _is_old(self, moment: datetime) -> bool:
        return self._now - moment > PATIENCE

    @property
    def wanted(self) -> dict[str, dict[str, Wanted]]:
        """Environment to cluster to what the resources ask of it."""
        return {
            environment: {
                cluster: Wanted(one.classes, one.connectors, one.odd, one.in_place) for cluster, one in clusters.items()
            }
            for environment, clusters in self._asked.items()
        }

    @property
    def users(self) -> Mapping[str, Sequence[str]]:
        """Environment to those that name it; what has a token of its own is no matter of the operator's."""
        return self._users

    def results(self) -> list[Result]:
        """A summary of what does not resolve by itself."""
        found = [*self._stalled_lines(), *self._stuck_lines(), *self._unseen_lines(), *self._unreadable_lines()]
        tokens = self._token_lines()
        if found:
            return [*found, *tokens]
        if not self._total:
            return [ok(GROUP, "all", "there are none yet")]
        return [ok(GROUP, "all", f"{self._total}, none stalled, none stuck in deletion"), *tokens]

    def _stalled_lines(self) -> list[Result]:
        return [
            warning(
                GROUP,
                "stalled",
                f"{len(names)} with reason {reason}: {some(sorted(names))}",
                "The message of each says what to do: kubectl get lc,lco -A -o wide; docs/reasons.md explains the "
                "reason.",
            )
            for reason, names in sorted(self._stalled.items())
        ]

    def _stuck_lines(self) -> list[Result]:
        if not self._stuck:
            return []
        names = some(sorted(self._stuck))
        return [
            warning(
                GROUP,
                "deletion",
                f"more than {PATIENCE.seconds // 60} minutes old and waiting for a finalizer: {names}",
                "If an operator runs, Ready's message says what blocks; to release the resource and keep its connector:"
                ' kubectl patch lc NAME -n NAMESPACE --type=merge -p \'{"spec":{"deletionPolicy":"Retain"}}\'',
            )
        ]

    def _unseen_lines(self) -> list[Result]:
        if not self._unseen:
            return []
        return [
            failed(
                GROUP,
                "looked at",
                f"no operator has ever processed {some(sorted(self._unseen))}",
                "Is an operator running, and does it watch this namespace (LENSES_OPERATOR_WATCH_NAMESPACES) and these "
                "labels (LENSES_OPERATOR_LABEL_SELECTOR)?",
            )
        ]

    def _unreadable_lines(self) -> list[Result]:
        if not self._unreadable:
            return []
        remedy = "They were admitted by another CRD than this operator's; apply its CRDs and correct them."
        return [failed(GROUP, "readable", f"not to be understood: {some(self._unreadable)}", remedy)]

    def _token_lines(self) -> list[Result]:
        if not self._own_tokens:
            return []
        remedy = "Run this once more with each of those tokens as --token-file, and --environment."
        return [skipped(GROUP, "own tokens", f"{some(sorted(self._own_tokens))} use a token of their own", remedy)]
