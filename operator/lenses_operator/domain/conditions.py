"""What to say of a connector: Ready, its reason and a message a person can act on. One function a situation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lenses_operator.domain.drift import Difference
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.references import ReferenceNotFound
from lenses_operator.domain.render import ConfigInvalid
from lenses_operator.domain.restarts import Plan as Restarts
from lenses_operator.domain.situation import Refusal
from lenses_operator.domain.states import HELD
from lenses_operator.domain.traces import root_cause
from lenses_operator.lenses.models import Task
from lenses_operator.resources.base import RESTART, rfc3339
from lenses_operator.resources.conditions import Phase, Verdict
from lenses_operator.resources.connector import ConnectorKey, WantedState

KNOWN = frozenset({"RUNNING", "UNASSIGNED", "RESTARTING", "PAUSED", "STOPPED", "FAILED"})
OWN_FIELDS = {"connector.class": "spec.class", "tasks.max": "spec.tasksMax"}
"""Keys of a configuration for which the spec has fields."""
NO_TASKS_GRACE = 60.0
"""Seconds a running connector may be without tasks before that is reported."""
IDLE_AFTER = 10.0
"""Seconds without tasks after which a connector that may have none is taken for idle rather than starting."""


def idle_after(allow_no_tasks: bool) -> float:
    """Seconds without tasks after which a connector is no longer taken to be starting."""
    return IDLE_AFTER if allow_no_tasks else NO_TASKS_GRACE


def progressing(message: str) -> Verdict:
    return Verdict(ready="Unknown", reason=Reason.PROGRESSING, message=message, phase=Phase.RECONCILING)


def creating(connector: ConnectorKey) -> Verdict:
    return progressing(f"Connector {connector} is being created and its tasks are starting.")


def refused(refusal: Refusal) -> Verdict:
    phase = Phase.RECONCILING if refusal.passing else Phase.STALLED
    return Verdict(ready="False", reason=refusal.reason, message=refusal.message, phase=phase)


def away_since(verdict: Verdict, since: datetime) -> Verdict:
    """Of a connector that was deleted to be created again."""
    message = (
        f"{verdict.message} The connector does not exist: it was deleted at {rfc3339(since)} to be created again: the "
        "operator retries until that succeeds."
    )
    return verdict.model_copy(update={"message": message})


def config_invalid(message: str) -> Verdict:
    return Verdict(ready="False", reason=Reason.CONFIG_INVALID, message=message, phase=Phase.STALLED)


def schema_mismatch(words: str) -> Verdict:
    """What a person can do about it differs: the object may be wrong, or the definition that let it in."""
    return config_invalid(
        f"This resource does not fit its definition ({words}). Nothing is changed in Lenses until it is corrected. "
        "If kubectl accepted it, the CustomResourceDefinition in the cluster belongs to another version of the "
        "operator: install the one of this version."
    )


def conflict(message: str) -> Verdict:
    return Verdict(ready="False", reason=Reason.CONFLICT, message=message, phase=Phase.STALLED)


def reference_not_found(message: str) -> Verdict:
    return Verdict(ready="False", reason=Reason.REFERENCE_NOT_FOUND, message=message, phase=Phase.STALLED)


def unusable(error: ConfigInvalid | ReferenceNotFound) -> Verdict:
    words = str(error)
    return reference_not_found(words) if isinstance(error, ReferenceNotFound) else config_invalid(words)


def not_allowed(message: str) -> Verdict:
    return Verdict(ready="False", reason=Reason.NOT_ALLOWED, message=message, phase=Phase.STALLED)


def offsets_operation(name: str, observed: Observed) -> Verdict:
    message = (
        f"LensesConnectorOffsets {name} changes the connector's offsets, for which it is kept stopped "
        f"(it is {observed.state or 'in an unknown state'}). It returns to spec.state automatically."
    )
    return Verdict(ready="Unknown", reason=Reason.OFFSETS_OPERATION, message=message, phase=Phase.RECONCILING)


def suspended(observed: Observed | None) -> Verdict:
    if observed is None:
        shown = "The connector was not checked."
    elif observed.present:
        shown = f"The connector is {observed.state or 'in an unknown state'} and is left so."
    else:
        shown = "The connector does not exist, and is not created."
    return Verdict(
        ready="Unknown",
        reason=Reason.SUSPENDED,
        message=f"spec.suspend is true: nothing is changed in Lenses. {shown} Set it to false to continue.",
    )


def not_adopted(connector: ConnectorKey, difference: Difference, *, hidden: bool = False) -> Verdict:
    """`hidden`: Lenses shows nothing of its configuration that could be compared."""
    message = f"Connector {connector} existed before this resource"
    if hidden:
        message += (
            ", and Lenses does not show its configuration, so nothing is known to match. It is not changed. To own "
            "it, give the token's role the permission to read configurations, or set spec.adoptionPolicy: Always, "
            "which writes the configuration again."
        )
    elif difference:
        message += (
            f" and its configuration differs: {difference.describe()}. It is not changed. To own it, make "
            f"{_fields(difference)} match it, set spec.adoptionPolicy: Always, or delete the connector in Lenses."
        )
    else:
        message += (
            ", and spec.adoptionPolicy is Never. It is not changed. To own it, set spec.adoptionPolicy to IfIdentical"
            " or Always, or delete the connector in Lenses."
        )
    return Verdict(ready="False", reason=Reason.NOT_ADOPTED, message=message, phase=Phase.STALLED)


def perhaps_ours(connector: ConnectorKey) -> Verdict:
    """To be deleted, and whose it is cannot be told."""
    message = (
        f"Connector {connector} was created either for this resource or outside of the operator, and Lenses does not "
        "show its configuration, which would tell. Give the token's role the permission to read configurations."
    )
    return Verdict(ready="False", reason=Reason.NOT_ADOPTED, message=message, phase=Phase.STALLED)


def _fields(difference: Difference) -> str:
    """Where in the spec what differs is to be changed."""
    keys = {*difference.changed, *difference.missing, *difference.extra}
    fields = [field for key, field in OWN_FIELDS.items() if key in keys]
    return " and ".join((["spec.config"] if keys - OWN_FIELDS.keys() else []) + fields)


def deleting(message: str) -> Verdict:
    return Verdict(ready="False", reason=Reason.DELETING, message=message, phase=Phase.RECONCILING)


def deletion_blocked(connector: ConnectorKey | None, namespace: str, name: str, problem: Verdict) -> Verdict:
    """What blocks, and the exact command that releases the resource without changing the connector. None: unknown."""
    what = "Its connector" if connector is None else f"Connector {connector}"
    message = (
        f"{what} could not be deleted yet ({problem.reason}: {problem.message.rstrip('.')}). "
        "It is tried again. To let this resource go and leave the connector unchanged: "
        f"{_policy(namespace, name, 'Retain')}"
    )
    if problem.reason == Reason.NOT_SUPPORTED:
        message += f" To delete it and keep its offsets: {_policy(namespace, name, 'Delete')}"
    return Verdict(ready="False", reason=Reason.DELETION_BLOCKED, message=message, phase=Phase.RECONCILING)


def _policy(namespace: str, name: str, policy: str) -> str:
    patch = f'{{"spec":{{"deletionPolicy":"{policy}"}}}}'
    return f"kubectl patch lensesconnector {name} -n {namespace} --type=merge -p '{patch}'"


def blind(connector: ConnectorKey, token: str | None) -> Verdict:
    """`token`: where it comes from if it is not the operator's own."""
    whose = "the operator's token" if token is None else f"the token of {token}"
    message = (
        f"Lenses answers that it does not exist, but by now {whose} sees no connector at all in environment "
        f"{connector.environment}, where it saw others before: it has most likely lost a permission. "
        "Give its Lenses account the permissions it had."
    )
    return Verdict(ready="False", reason=Reason.FORBIDDEN, message=message, phase=Phase.STALLED)


def missing(connector: ConnectorKey) -> Verdict:
    return progressing(f"Connector {connector} is not found. The operator checks once more before it creates it.")


def of_connector(
    observed: Observed,
    wanted: WantedState,
    *,
    without_tasks: float = 0.0,
    allow_no_tasks: bool = False,
    waiting: Difference | None = None,
    restarts: Restarts | None = None,
) -> Verdict:
    """An owned connector that exists. `without_tasks`: seconds it has been running without any task."""
    if observed.state is None:
        return _unknown("Lenses does not say which state the connector is in.")
    if observed.state == "FAILED":
        return _connector_failed(observed, wanted, restarts)
    if observed.state not in KNOWN:
        return _unknown(f"Lenses reports the state {observed.state}, which this version does not know.")
    if wanted is WantedState.RUNNING:
        late = observed.state == "RUNNING" and not observed.tasks and without_tasks >= idle_after(allow_no_tasks)
        if late:
            return _idle() if allow_no_tasks else _no_tasks()
        return _wanted_running(observed, restarts)
    return _wanted_held(observed, wanted, waiting)


def _idle() -> Verdict:
    message = "The connector is RUNNING without any task, which spec.allowNoTasks allows."
    return Verdict(ready="True", reason=Reason.RUNNING, message=message)


def _no_tasks() -> Verdict:
    return Verdict(
        ready="False",
        reason=Reason.NO_TASKS,
        message="The connector is RUNNING but has had no task for more than a minute: it found nothing to work on, "
        "or the workers cannot start its tasks. Look at its configuration and at the Connect workers' logs; if it "
        "may have nothing to do, set spec.allowNoTasks: true.",
        phase=Phase.RECONCILING,
    )


def _wanted_running(observed: Observed, restarts: Restarts | None) -> Verdict:
    failed = [task for task in observed.tasks if task.state == "FAILED"]
    running = [task for task in observed.tasks if task.state == "RUNNING"]
    if observed.state in HELD.values():
        return progressing(f"The connector is {observed.state} and is being resumed.")
    if failed:
        return _task_failed(failed, len(observed.tasks), restarts)
    if observed.state == "RUNNING" and observed.tasks and len(running) == len(observed.tasks):
        message, phase = _count(len(running), len(observed.tasks)), Phase.SETTLED
        if restarts is not None and restarts.asked:
            message, phase = message + _asked(restarts), Phase.RECONCILING
        return Verdict(ready="True", reason=Reason.RUNNING, message=message, phase=phase)
    return progressing(
        f"The connector is {observed.state}; {_count(len(running), len(observed.tasks)).lower()} Waiting for the rest."
    )


def _wanted_held(observed: Observed, wanted: WantedState, waiting: Difference | None) -> Verdict:
    busy = [task for task in observed.tasks if task.state == "RUNNING"]
    if observed.state != HELD[wanted] or busy:
        still = f", {len(busy)} of its tasks still running" if busy else ""
        return progressing(f"The connector is {observed.state}{still}; it is to be {HELD[wanted]}.")
    reason = Reason.PAUSED if wanted is WantedState.PAUSED else Reason.STOPPED
    message = f"The connector is {observed.state}, as spec.state asks."
    failed = [task for task in observed.tasks if task.state == "FAILED"]
    if failed:
        message += f" Failed: {_ids(failed)}."
    if waiting:
        message += (
            f" A new configuration ({waiting.describe()}) waits until the connector is next to run,"
            " since applying it would run the connector."
        )
    return Verdict(ready="True", reason=reason, message=message)


def _unknown(message: str) -> Verdict:
    return Verdict(ready="Unknown", reason=Reason.STATE_UNKNOWN, message=message, phase=Phase.RECONCILING)


def _task_failed(failed: Sequence[Task], total: int, restarts: Restarts | None) -> Verdict:
    cause = next((root_cause(task.trace) for task in failed if task.trace), "")
    message = (
        f"{len(failed)} of {total} tasks failed ({_ids(failed)})" + (f": {cause.rstrip('.')}" if cause else "") + ". "
    )
    return _failed(Reason.TASK_FAILED, message + "See status.tasks for each one's error.", restarts)


def _connector_failed(observed: Observed, wanted: WantedState, restarts: Restarts | None) -> Verdict:
    failed = [task for task in observed.tasks if task.state == "FAILED"]
    cause = next((root_cause(task.trace) for task in failed if task.trace), "")
    message = "The connector itself failed" + (f" ({_ids(failed)} too)" if failed else "")
    message += (f": {cause.rstrip('.')}" if cause else "") + ". Its own error is in the Connect worker's log."
    if wanted is WantedState.RUNNING:
        return _failed(Reason.CONNECTOR_FAILED, message, restarts)
    message += _TO_BE_HELD[wanted].format(annotation=f"{RESTART}=<a new value>")
    return Verdict(ready="False", reason=Reason.CONNECTOR_FAILED, message=message, phase=Phase.STALLED)


_AS_RUNNING = "fix the cause, set spec.state: running, and restart it with the annotation {annotation}"
_TO_BE_HELD = {
    WantedState.PAUSED: (
        " Kafka Connect does not pause what has failed, and while spec.state is paused nothing is restarted. Set "
        f"spec.state: stopped to have it stopped; or {_AS_RUNNING}, and pause it then."
    ),
    WantedState.STOPPED: (
        " It was asked to stop, and is still shown so. While spec.state is stopped nothing is restarted. To have it "
        f"run again, {_AS_RUNNING}."
    ),
}


def _failed(reason: Reason, message: str, restarts: Restarts | None) -> Verdict:
    """With budget left the operator restarts; without, a person has to."""
    if restarts is not None and restarts.asked:
        return Verdict(ready="False", reason=reason, message=message + _asked(restarts), phase=Phase.RECONCILING)
    if restarts is None or restarts.counter is None:
        message += f" Fix the cause, then restart it with the annotation {RESTART}=<a new value>."
        return Verdict(ready="False", reason=reason, message=message, phase=Phase.STALLED)
    done = restarts.counter.count
    if restarts.under_way:
        message += f" Automatic restart {done} of {restarts.budget} is under way."
        return Verdict(ready="False", reason=reason, message=message, phase=Phase.RECONCILING)
    if restarts.due is None:
        message += (
            f" All {done} automatic restarts were used. Fix the cause, then restart it with the annotation "
            f"{RESTART}=<a new value>, or change the spec to start over."
        )
        return Verdict(ready="False", reason=reason, message=message, phase=Phase.STALLED)
    message += f" Automatic restart {done + 1} of {restarts.budget} is due at {rfc3339(restarts.due)}."
    return Verdict(ready="False", reason=reason, message=message, phase=Phase.RECONCILING)


def _asked(restarts: Restarts) -> str:
    words = " The restart that the annotation asks for is under way."
    if restarts.refused:
        words += f" It has been refused so far and is retried for up to ten minutes: {restarts.refused}."
    return words


def _ids(tasks: Sequence[Task]) -> str:
    return ("task " if len(tasks) == 1 else "tasks ") + ", ".join(str(task.id) for task in tasks)


def _count(running: int, total: int) -> str:
    return f"{running} of {total} tasks running."
