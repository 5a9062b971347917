"""What the operator would do with a resource, step by step, without doing it.

The steps are `decide`'s own: each is taken for done, and the next one asked for, until nothing is left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from lenses_operator.domain.adoption import applied_by
from lenses_operator.domain.decide import (
    Adopt,
    ChangeState,
    Check,
    Create,
    Decision,
    Nothing,
    Restart,
    Step,
    Update,
    decide,
)
from lenses_operator.domain.drift import Difference
from lenses_operator.domain.observed import Observed, Presence
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.situation import Situation
from lenses_operator.lenses.models import ConnectorDetails
from lenses_operator.resources.connector import LensesConnector, OwnershipState

MOST_STEPS = 8
ADOPTED_AT = datetime.fromtimestamp(0, UTC)
"""Nobody reads it: only that there is a time."""
SHOWS = {"pause": "PAUSED", "stop": "STOPPED", "resume": "RUNNING"}


@dataclass(frozen=True)
class ActionPlan:
    """The decisions in their order. `end`: the one that is no step; None where they are too many."""

    steps: tuple[Step, ...] = ()
    end: Decision | None = None

    @property
    def waiting(self) -> Difference | None:
        """A configuration that waits until the connector is next to run."""
        return self.end.waiting if isinstance(self.end, Nothing) else None

    @property
    def difference(self) -> Difference:
        """What is put right, at once or when the connector is next to run."""
        for step in self.steps:
            if isinstance(step, Adopt | Update):
                return step.difference
        return self.waiting or Difference()

    def first(self, kind: type[Decision]) -> Decision | None:
        return next((step for step in self.steps if isinstance(step, kind)), None)

    @property
    def writes(self) -> bool:
        """Whether a configuration is written or is to wait, so that Connect has to be asked about it."""
        if self.first(Create) or self.first(Update) or self.waiting:
            return True
        adopt = self.first(Adopt)
        return isinstance(adopt, Adopt) and bool(adopt.difference)


def plan_actions(situation: Situation) -> ActionPlan:
    """`situation` needs the connector's details where it exists. Takes every step for a success."""
    steps: list[Step] = []
    while len(steps) < MOST_STEPS:
        decision = decide(situation)
        if not isinstance(decision, Step):
            return ActionPlan(tuple(steps), decision)
        if not isinstance(decision, Check):
            steps.append(decision)
        situation = _after(situation, decision)
    return ActionPlan(tuple(steps))


def _after(situation: Situation, decision: Step) -> Situation:
    """What the operator would see and know then."""
    match decision:
        case Adopt():
            applied = applied_by(decision, situation.wanted, ADOPTED_AT)
            return replace(situation, resource=owned(situation.resource), applied=applied)
        case Create() | Update():
            written = replace(situation, resource=owned(situation.resource), observed=_running(situation))
            return replace(written, last_written=situation.wanted)
        case Check():
            return replace(situation, validated=True)
        case ChangeState(action=action):
            return replace(situation, observed=replace(situation.seen, state=SHOWS[action]))
        case Restart():
            return replace(situation, restart_asked=False, restart_due=False)


def by_version_alone(situation: Situation, planned: ActionPlan) -> list[str]:
    """Keys that are planned to be written since their Secrets have other resourceVersions, where the digest that status
    has of the data cannot be compared. The operator itself can, and writes nothing for a Secret that was only touched.
    """
    applied = situation.applied
    if applied is None or not applied.secrets_digest or situation.wanted.digest:
        return []
    touched = applied.model_copy(update={"secrets": situation.wanted.secret_versions})
    kept = plan_actions(replace(situation, applied=touched)).difference
    return sorted(set(planned.difference.changed) - set(kept.changed))


def _running(situation: Situation) -> Observed:
    """The connector just after its configuration was written: only what is to run is updated."""
    key, wanted = situation.resource.connector, situation.wanted
    details = ConnectorDetails(name=key.name, cluster=key.cluster, state="RUNNING", config=dict(wanted.config))
    return Observed(Presence.PRESENT, "RUNNING", details=details)


def owned(resource: LensesConnector) -> LensesConnector:
    """The same resource, with a status that says that the connector is its own."""
    ownership = resource.status.ownership.model_copy(update={"state": OwnershipState.OWNED})
    return resource.model_copy(update={"status": resource.status.model_copy(update={"ownership": ownership})})


@dataclass(frozen=True)
class Unknown:
    """What could not be read. `keys`: whose values are not known. `more`: there may be further keys."""

    keys: frozenset[str] = frozenset()
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.keys) or self.more


def overlook(observed: Observed, wanted: Rendered, unknown: Unknown) -> Observed:
    """`observed` with whatever is not known taken for as wanted, so that only the rest is compared."""
    seen = observed.config
    if not unknown or seen is None or observed.details is None:
        return observed
    config = {key: value for key, value in seen.items() if key in wanted.config or not unknown.more}
    config |= {key: wanted.config[key] for key in unknown.keys & wanted.config.keys()}
    return replace(observed, details=observed.details.model_copy(update={"config": config}))


@dataclass(frozen=True)
class KeyChange:
    """One configuration key. `old`, `new`: None where there is none."""

    key: str
    old: str | None = field(repr=False)
    new: str | None = field(repr=False)


def key_changes(difference: Difference, seen: Mapping[str, str] | None, wanted: Mapping[str, str]) -> list[KeyChange]:
    """By key."""
    keys: Collection[str] = {*difference.changed, *difference.missing, *difference.extra}
    return [KeyChange(key, (seen or {}).get(key), wanted.get(key)) for key in sorted(keys)]
