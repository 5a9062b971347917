"""One LensesConnector: what the operator would do with it, by the operator's own decisions."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from lenses_operator.domain import conditions, restarts
from lenses_operator.domain.action_plan import (
    ActionPlan,
    by_version_alone,
    key_changes,
    overlook,
    owned,
    plan_actions,
)
from lenses_operator.domain.decide import (
    Adopt,
    AskTypes,
    ChangeState,
    Create,
    Refuse,
    RefuseAdoption,
    Restart,
    Suspended,
    Unusable,
    Update,
    decide,
)
from lenses_operator.domain.drift import Difference, may_be_resolved
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.redaction import Redactor
from lenses_operator.domain.references import ReferenceNotFound, RefName, entries
from lenses_operator.domain.render import ConfigInvalid
from lenses_operator.domain.secret_digest import with_digest, with_known_versions
from lenses_operator.domain.sensitive import is_secret_key, is_sensitive
from lenses_operator.domain.situation import Situation
from lenses_operator.domain.value_masking import ValueMasker, may_be_secret
from lenses_operator.lenses.errors import LensesError
from lenses_operator.manifests.documents import Document, Place
from lenses_operator.manifests.nodes import Path
from lenses_operator.manifests.references import Located
from lenses_operator.planning.cluster import MayNotReadError
from lenses_operator.planning.inputs import Sources, Wanted, wanted_of
from lenses_operator.planning.lenses_view import LensesView, Redact, trouble
from lenses_operator.planning.result import Action, Change, Item
from lenses_operator.resources.conditions import Verdict
from lenses_operator.resources.connector import LensesConnector, UpdateStrategy

FIELDS: dict[str, Path] = {"connector.class": ("spec", "class"), "tasks.max": ("spec", "tasksMax")}


class ConnectorPlanner:
    """`assume_owned`: a connector that exists is taken for the resource's own, whatever its status says. `digest_key`:
    of the digests in status."""

    def __init__(
        self, lenses_view: LensesView, sources: Sources, *, assume_owned: bool, digest_key: bytes | None = None
    ) -> None:
        self._sight = lenses_view
        self._sources = sources
        self._assume_owned = assume_owned
        self._digest_key = digest_key

    async def fill(self, item: Item, document: Document, situation: Situation) -> None:
        """Says in `item` what would be done. `situation`: what can be said without Lenses and the references."""
        resource = situation.resource
        try:
            await self._token(resource)
            wanted = await wanted_of(resource, self._sources)
        except (ConfigInvalid, ReferenceNotFound) as error:
            tell_refusal(item, document, replace(situation, unusable=error))
            return
        _tell_unknown(item, wanted)
        if wanted.rendered.with_newline:
            item.notes.append(f"The Secret's value ends in a newline: {', '.join(wanted.rendered.with_newline)}.")
        own, around = (
            Redactor(wanted.secrets | _written_secrets(wanted)),
            self._sources.redactor(resource.metadata.namespace),
        )

        def redact(text: str) -> str:
            return around(own(text))

        try:
            await self._decide(item, document, situation, wanted, redact)
        except LensesError as error:
            why, message = trouble(error, resource.connector, redact)
            item.refuse(why, (document.place(("spec", "environment")), message))

    async def _token(self, resource: LensesConnector) -> None:
        """The operator would not get far without it; here Lenses is asked with the user's own token."""
        ref = resource.spec.token_secret_ref
        if ref is None:
            return
        try:
            found = await self._sources.find(Located(resource.metadata.namespace, RefName("Secret", ref.name)))
        except MayNotReadError:
            return
        if found is None or ref.key not in found.data:
            raise ReferenceNotFound(
                f"spec.tokenSecretRef refers to key {ref.key!r} of Secret {ref.name}, which is not there."
            )

    async def _decide(
        self, item: Item, document: Document, situation: Situation, wanted: Wanted, redact: Redact
    ) -> None:
        resource = situation.resource
        seen = await self._sight.observe(resource.connector)
        situation = self._observed(situation, wanted, seen)
        decision = decide(situation)
        if isinstance(decision, AskTypes):
            situation = replace(situation, passwords=await self._sight.passwords(resource, decision.keys))
        action_plan = plan_actions(situation)
        match action_plan.end:
            case Suspended():
                item.action, item.reason = Action.SUSPENDED, Reason.SUSPENDED
                item.notes.append(conditions.suspended(seen).message)
                return
            case RefuseAdoption(difference=difference, hidden=hidden):
                verdict = conditions.not_adopted(resource.connector, difference, hidden=hidden)
                item.refuse(verdict.reason, (document.place(("spec",)), verdict.message))
                await self._tell_changes(item, document, resource, difference, seen, wanted, redact)
                return
        _tell_by_version(item, situation, action_plan)
        if action_plan.writes:
            action_plan = await self._checked(item, document, situation, action_plan, wanted, redact)
        _tell_course(item, resource, action_plan)
        if item.update == UpdateStrategy.AUTO:
            item.update = (await self._sight.strategy(resource.connector)).value
        if item.action in (Action.CHANGE, Action.ADOPT):
            await self._tell_changes(item, document, resource, action_plan.difference, seen, wanted, redact)
        if not action_plan.first(Adopt):
            _tell_unreadable(item, situation)

    def _observed(self, situation: Situation, wanted: Wanted, seen: Observed) -> Situation:
        """As the operator would find it."""
        resource = situation.resource
        if self._assume_owned and seen.present:
            resource = owned(resource)
        applied, rendered = resource.status.applied_config, wanted.rendered
        if wanted.unknown:
            same = {"hash": rendered.hash, "secrets": rendered.secret_versions}
            applied = applied.model_copy(update=same) if applied else None
        else:
            rendered = with_digest(rendered, self._digest_key, resource.metadata.uid)
            rendered = with_known_versions(rendered, applied)
        return replace(
            situation,
            resource=resource,
            wanted=rendered,
            observed=overlook(seen, rendered, wanted.unknown),
            applied=applied,
            absent_for=inf,
            restart_asked=restarts.asked(resource) and restarts.pointless(resource, seen) is None,
        )

    async def _checked(
        self,
        item: Item,
        document: Document,
        situation: Situation,
        action_plan: ActionPlan,
        wanted: Wanted,
        redact: Redact,
    ) -> ActionPlan:
        """Asks Connect; where it refuses, what is left to do without the new configuration."""
        resource = situation.resource
        if wanted.unknown:
            message = await self._sight.missing(resource)
            if message is None:
                item.notes.append("Connect was not asked to validate it, since some values are not known here.")
            else:
                item.refuse(Reason.PLUGIN_NOT_FOUND, (document.place(("spec", "class")), message))
            return action_plan
        found = await self._sight.verdict(resource, wanted.rendered, ValueMasker((), redact).text)
        if found is None:
            return action_plan
        refusal, keys = found
        item.refuse(refusal.reason, (_first(document, keys), refusal.message))
        item.problems += [(_line(document, key), key) for key in keys[1:]]
        return plan_actions(replace(situation, refusal=refusal))

    async def _tell_changes(
        self,
        item: Item,
        document: Document,
        resource: LensesConnector,
        difference: Difference,
        seen: Observed,
        wanted: Wanted,
        redact: Redact,
    ) -> None:
        changes = key_changes(difference, seen.config, wanted.rendered.config)
        doubtful = [one.key for one in changes if one.key not in wanted.rendered.private and not may_be_secret(one.key)]
        passwords = await self._sight.passwords(resource, doubtful)
        resolved = {one.key for one in changes if one.old and one.new and may_be_resolved(one.new, one.old)}
        show = ValueMasker(passwords | resolved | wanted.rendered.secrets.keys(), redact)
        for one in changes:
            old = None if one.old is None else show(one.key, one.old)
            new = None if one.new is None else show(one.key, one.new)
            place = _line(document, one.key) if one.new is not None else None
            item.changes.append(Change(one.key, old, new, place.line if place else None))


def tell_refusal(item: Item, document: Document, situation: Situation, beside: str = "") -> bool:
    """Whether the operator would ask Lenses nothing, which `item` says then. `beside`: what else there is to say."""
    match decide(situation):
        case Refuse(verdict=verdict):
            pass
        case Unusable(error=error):
            verdict = conditions.unusable(error)
        case _:
            return False
    place = document.place(_blamed(verdict, situation.resource))
    item.refuse(verdict.reason, (place, verdict.message + beside))
    return True


def _tell_course(item: Item, resource: LensesConnector, action_plan: ActionPlan) -> None:
    adopt, create = action_plan.first(Adopt), action_plan.first(Create)
    update, restart = action_plan.first(Update), action_plan.first(Restart)
    item.states = [str(step.action) for step in action_plan.steps if isinstance(step, ChangeState)]
    if isinstance(restart, Restart):
        what = "the connector" if restart.connector else "its failed tasks"
        item.notes.append(f"The restart annotation is new: restarts {what}.")
    if item.action is Action.REFUSED:
        return
    if create:
        item.action = Action.CREATE
        if item.states:
            item.notes.append("It runs for a moment before that, since creating cannot carry a state.")
    elif adopt:
        item.action = Action.ADOPT
        if isinstance(adopt, Adopt) and adopt.unreadable:
            item.notes.append(f"Taken as equal, because Lenses does not show them: {', '.join(adopt.unreadable)}.")
    elif update or action_plan.waiting:
        item.action = Action.CHANGE
    elif action_plan.steps:
        item.action = Action.STATE
    if update:
        item.update = resource.spec.update_strategy.value
    elif action_plan.waiting:
        item.update = "Waiting"


def _tell_unknown(item: Item, wanted: Wanted) -> None:
    if not wanted.unread:
        return
    item.unknown = sorted(wanted.unknown.keys)
    names = ", ".join(f"{ref.kind} {ref.name}" for ref in wanted.unread)
    further = ", and whichever keys they bring are left out of the comparison" if wanted.unknown.more else ""
    item.notes.append(f"Not read: {names}. Their values are not known here{further}.")


def _tell_by_version(item: Item, situation: Situation, action_plan: ActionPlan) -> None:
    keys = by_version_alone(situation, action_plan)
    if not keys:
        return
    secrets = sorted({situation.wanted.secrets[key].name for key in keys if key in situation.wanted.secrets})
    item.notes.append(
        f"{', '.join(keys)}: Lenses does not show what it has, and Secret {', '.join(secrets)} was written since the "
        "operator used it. Whether the data is another cannot be known here without the operator's digest key "
        "(--digest-key); where it is the same, the operator writes nothing for it."
    )


def _tell_unreadable(item: Item, situation: Situation) -> None:
    """Where nothing is known of what was written last, a change of what Lenses does not show cannot be seen."""
    if situation.applied is not None or not situation.seen.present or item.action is Action.REFUSED:
        return
    changed = {one.key for one in item.changes}
    unseen = [key for key in situation.unreadable() if key not in changed and key not in item.unknown]
    if unseen:
        item.notes.append(
            f"Lenses does not show what it has for {', '.join(unseen)}: if the manifest's value is a new one, the "
            "operator writes it."
        )


def _written_secrets(wanted: Wanted) -> frozenset[str]:
    """Values that stand in the manifest itself under keys of secrets."""
    config = wanted.rendered.config
    return frozenset(value for key, value in config.items() if is_secret_key(key) and is_sensitive(key, value))


def _line(document: Document, key: str) -> Place:
    """Its own line, that of its entry in configFrom, or of the field it stands for."""
    config: Path = ("spec", "config", key)
    if (*document.at, *config) in document.lines:
        return document.place(config)
    for index, source in enumerate(document.body["spec"].get("configFrom") or ()):
        if source.get("key") == key:
            return document.place(("spec", "configFrom", index))
    return document.place(FIELDS.get(key, ("spec", "class" if key == "class" else "configFrom")))


def _first(document: Document, keys: tuple[str, ...]) -> Place:
    return _line(document, keys[0]) if keys else document.place(("spec", "config"))


def _blamed(verdict: Verdict, resource: LensesConnector) -> Path:
    """The field that a refusal is about; one of the rendering begins with it or names it."""
    message = verdict.message
    match verdict.reason:
        case Reason.NOT_ALLOWED:
            return ("spec", "environment")
        case Reason.CONFLICT:
            return ("spec", "name") if resource.spec.name else ("metadata", "name")
    for entry in entries(resource.spec):
        if f"spec.configFrom[{entry.index}]" in message:
            return ("spec", "configFrom", entry.index)
    if message.startswith("spec.tokenSecretRef"):
        return ("spec", "tokenSecretRef")
    named = [key for key in resource.spec.config if repr(key) in message]
    return ("spec", "config", named[0]) if named else ("spec", "config")
