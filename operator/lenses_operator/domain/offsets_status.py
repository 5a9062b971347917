"""What to say of an offsets resource: one function a situation, and the next status from the last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lenses_operator.domain.offsets_before import before_of
from lenses_operator.domain.offsets_text import SHOWN_BYTES, OffsetsInvalid, shown, size_of
from lenses_operator.domain.reasons import OffsetsReason
from lenses_operator.resources.conditions import ConditionStatus, Phase, Verdict, shorten
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets, OffsetsStatus, OperationPhase

STOP_BOUND = 300.0
"""Seconds a connector may take to stop before the operation is given up."""
NOT_EXACT: dict[str, Any] = {"offsets_json": None, "offsets_json_compressed": None}
ACCEPTED = "Lenses accepted the request."
ABSENT = "The connector does not exist in Lenses."
AGAIN = "change the spec (spec.refreshInterval will do) or create a new LensesConnectorOffsets to try again."
"""A generation's operation is never tried again by itself once it has failed, whatever is put right elsewhere."""
CORRECT = "Correct the spec to try again."
SHARED_GROUP = (
    "The connector was stopped, so another consumer is in its consumer group: a sink of the same name on another "
    "Connect cluster of the same Kafka shares it, unless consumer.override.group.id says otherwise. Stop that one "
    f"meanwhile, then {AGAIN}"
)
BUSY = f"The Connect cluster did not come to rest in time. Once it has, {AGAIN}"
NO_LICENCE = f"Once the Lenses licence allows it, {AGAIN}"
UNREADABLE = f"Look at the connector and its Connect workers, then {AGAIN}"


def next_status(
    operation: LensesConnectorOffsets, verdict: Verdict, now: datetime, changes: dict[str, Any]
) -> OffsetsStatus:
    """Equal to the present one where nothing changed."""
    before, generation = operation.status, operation.metadata.generation
    renewed: dict[str, Any] = {}
    if before.observed_generation != generation:  # what the last one came to says nothing about this one
        renewed = {"message": None, "applied_time": None, **NOT_EXACT}
        renewed["phase"] = OperationPhase.PENDING if operation.operates else None
    return before.model_copy(
        update={
            **renewed,
            "observed_generation": generation,
            "conditions": verdict.conditions(generation, now, before.conditions),
            **changes,
        }
    )


def seen(text: str, room: int = SHOWN_BYTES) -> dict[str, Any]:
    """The fields that show offsets as read, in at most `room` bytes."""
    found = shown(text, room)
    return {"partitions": found.partitions, "offsets": found.offsets, "truncated": found.truncated or None}


def seen_exactly(text: str, room: int) -> dict[str, Any]:
    """The same, and the text itself where all of it takes no more than `room` bytes."""
    fields = seen(text, min(room, SHOWN_BYTES))
    try:
        kept = before_of(text, room - size_of(fields["offsets"]))
    except OffsetsInvalid:
        return fields | NOT_EXACT
    return fields | {"offsets_json": kept.plain, "offsets_json_compressed": kept.compressed}


def hidden() -> dict[str, Any]:
    """Nothing is shown of a connector that is not the resource's own."""
    return {"partitions": None, "offsets": None, "truncated": None, **NOT_EXACT}


def observed(partitions: int) -> Verdict:
    what = f"{partitions} partition{'' if partitions == 1 else 's'}"
    return Verdict(ready="True", reason=OffsetsReason.OBSERVED, message=f"The offsets of {what} were read.")


def connector_not_found(name: str) -> Verdict:
    return _waiting(
        OffsetsReason.CONNECTOR_NOT_FOUND,
        f"There is no LensesConnector {name} in this namespace. The operation waits until there is.",
        "False",
    )


def connector_not_ready(why: str) -> Verdict:
    return _waiting(OffsetsReason.CONNECTOR_NOT_READY, f"{why} Nothing is changed until then.", "False")


def pending(before: LensesConnectorOffsets) -> Verdict:
    return _waiting(OffsetsReason.PENDING, f"LensesConnectorOffsets {before.metadata.name} comes first.")


def stopping(state: str | None, tasks: int) -> Verdict:
    rest = f", {tasks} of its tasks not gone yet" if tasks else ""
    return _waiting(
        OffsetsReason.STOPPING, f"The connector is being stopped: it is {state or 'in an unknown state'}{rest}."
    )


def applying() -> Verdict:
    return _waiting(OffsetsReason.APPLYING, "The connector is stopped and its offsets are being changed.")


def applied(mismatch: list[str], hint: str, why_unread: str = "", new: list[str] | None = None) -> Verdict:
    """`new`: partitions of a source that had no offset before."""
    message = "The offsets were changed, and the connector returns to spec.state."
    if new:
        rows = "; ".join(new[:5]) + (f"; and {len(new) - 5} more" if len(new) > 5 else "")
        message += f" Not among the connector's partitions before: {rows}. Most connectors ignore one they do not know."
    if mismatch:
        rows = "; ".join(mismatch[:5]) + (f"; and {len(mismatch) - 5} more" if len(mismatch) > 5 else "")
        message += f" What was read back differs from what was asked: {rows}."
    if why_unread:
        message += f" They could not be read back ({why_unread.rstrip('.')})."
    return Verdict(ready="True", reason=OffsetsReason.APPLIED, message=message + hint)


def invalid(message: str) -> Verdict:
    return _failed(OffsetsReason.OFFSETS_INVALID, f"{message} Nothing was changed.")


def schema_mismatch(words: str) -> Verdict:
    return _failed(
        OffsetsReason.OFFSETS_INVALID,
        f"This resource does not fit its definition ({words}). Nothing is changed in Lenses. Create a new "
        "one. If kubectl accepted it, the CustomResourceDefinition in the cluster belongs to another version of the "
        "operator: install the one of this version.",
    )


def rejected(words: str, remedy: str = CORRECT) -> Verdict:
    """`remedy`: what leads on, which is the spec only where that is what was refused."""
    return _failed(
        OffsetsReason.OFFSETS_REJECTED,
        f"The offsets were refused: {words.rstrip('.')}. The connector returns to spec.state. {remedy}",
    )


def no_right(token: str | None) -> str:
    """`token`: where it comes from if it is not the operator's own."""
    whose = "the operator's token" if token is None else f"the token of {token}"
    return f"Grant the Lenses account of {whose} the permission, then {AGAIN}"


def unread(words: str, remedy: str, *, asked: bool) -> Verdict:
    """Of offsets as they are before the change: what cannot be kept is not changed. `asked`: see `stop_timeout`."""
    return _failed(
        OffsetsReason.OFFSETS_REJECTED,
        f"The offsets that there are could not be read: {words.rstrip('.')}. {_changed(asked)}. The connector returns "
        f"to spec.state. {remedy}",
    )


def stop_timeout(*, asked: bool) -> Verdict:
    """`asked`: the change may have been carried out before the connector was seen to run again."""
    return _failed(
        OffsetsReason.STOP_TIMEOUT,
        f"The connector was not stopped, with all its tasks gone, within {STOP_BOUND / 60:.0f} minutes. "
        f"{_changed(asked)}. Look at the Connect workers, then {AGAIN}",
    )


def _changed(asked: bool) -> str:
    return "Whether the offsets were changed before is not known" if asked else "Nothing was changed"


def outcome_unknown(words: str = "") -> Verdict:
    """`words`: of the last answer that was no success, if there was one."""
    last = f"the last answer was: {words.rstrip('.')}" if words else "no answer confirmed it"
    return _failed(
        OffsetsReason.OUTCOME_UNKNOWN,
        f"The change may have been made, but {last}; and by now the connector's offsets are neither what "
        "they were before nor what was asked for: it has run since, or somebody else has changed them. Nothing is sent "
        "again, and the connector returns to spec.state. Compare status.offsets with status.before; where it was not "
        f"carried out, {AGAIN}",
    )


def not_supported(words: str, version: str | None = None) -> Verdict:
    """`version`: of the cluster, as it says itself."""
    return _failed(
        OffsetsReason.NOT_SUPPORTED,
        f"Offsets cannot be changed here ({_says(words, version)}): it takes Kafka Connect 3.6 or later and a Lenses "
        f"agent that offers it. The connector returns to spec.state. Once they are there, {AGAIN}",
    )


def not_readable(words: str, version: str | None = None) -> Verdict:
    return _failed(
        OffsetsReason.NOT_SUPPORTED,
        f"Offsets cannot be read here ({_says(words, version)}): it takes Kafka Connect 3.5 or later and a Lenses "
        "agent that offers it. Once they are there, the offsets are read without further ado.",
    )


def _says(words: str, version: str | None) -> str:
    return words.rstrip(".") + (f"; the cluster says that it is {version}" if version else "")


def phase_of(verdict: Verdict) -> OperationPhase | None:
    """The phase that goes with a verdict of ours; None for one about Lenses, which leaves the phase as it was."""
    return _PHASES.get(verdict.reason)


_PHASES: dict[str, OperationPhase] = {
    OffsetsReason.PENDING: OperationPhase.PENDING,
    OffsetsReason.CONNECTOR_NOT_FOUND: OperationPhase.PENDING,
    OffsetsReason.CONNECTOR_NOT_READY: OperationPhase.PENDING,
    OffsetsReason.STOPPING: OperationPhase.STOPPING,
    OffsetsReason.APPLYING: OperationPhase.APPLYING,
    OffsetsReason.APPLIED: OperationPhase.APPLIED,
    OffsetsReason.OFFSETS_INVALID: OperationPhase.FAILED,
    OffsetsReason.OFFSETS_REJECTED: OperationPhase.FAILED,
    OffsetsReason.STOP_TIMEOUT: OperationPhase.FAILED,
    OffsetsReason.OUTCOME_UNKNOWN: OperationPhase.FAILED,
    OffsetsReason.NOT_SUPPORTED: OperationPhase.FAILED,
}


def _waiting(reason: OffsetsReason, message: str, ready: ConditionStatus = "Unknown") -> Verdict:
    return Verdict(ready=ready, reason=reason, message=shorten(message), phase=Phase.RECONCILING)


def _failed(reason: OffsetsReason, message: str) -> Verdict:
    return Verdict(ready="False", reason=reason, message=shorten(message), phase=Phase.STALLED)
