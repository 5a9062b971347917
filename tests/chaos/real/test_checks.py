"""Each invariant's check finds what goes against it, and lets pass what only looks so: over records made up."""

from __future__ import annotations

import pytest

from chaos.real.cast import PASSWORD_KEY
from chaos.real.made import (
    CONFIG,
    NAME,
    OTHER,
    ROLE,
    SPEC,
    effect,
    history,
    observed,
    operation,
    resource,
    spanned,
    unread,
    with_operation,
)
from invariants import recorded as checks
from invariants.history import History, KubeWrite, Version
from invariants.recorded import Check

ALTER = {"detail": ROLE.offsets(5)}
EDITED = {"config": {**SPEC["config"], "topic": "other"}}
PUT_RIGHT = effect(90, "config", OTHER, CONFIG, outside=True)

ALTERED_RESET_ALTERED = [effect(10, "alter", **ALTER), effect(20, "reset", detail=[1]), effect(90, "alter", **ALTER)]

ROTATED = {"config": {**SPEC["config"], PASSWORD_KEY: "new"}}
ROTATED_BY_ANOTHER = [
    effect(10, "create", None, {**CONFIG, PASSWORD_KEY: "old"}),
    effect(50, "delete", {**CONFIG, PASSWORD_KEY: "old"}, outside=True),
    effect(98, "create", None, {**CONFIG, PASSWORD_KEY: "new"}),
    effect(100, "delete", {**CONFIG, PASSWORD_KEY: "new"}, looked=99),
]

WRONG: list[tuple[str, Check, History]] = [
    (
        "deleted though it is as wanted",
        checks.unasked_deletes,
        history((1, resource()), effects=[effect(100, "delete", CONFIG)]),
    ),
    (
        "deleted though nobody owns it",
        checks.unasked_deletes,
        history((1, resource(owned="NotAdopted")), effects=[effect(100, "delete", OTHER)]),
    ),
    (
        "deleted for a password that it has, with one operator",
        checks.unasked_deletes,
        history((1, resource(ROTATED)), effects=ROTATED_BY_ANOTHER),
    ),
    (
        "deleted by the second of two operators, though the topic was another one long ago",
        checks.unasked_deletes,
        spanned(
            history(
                (1, resource()),
                effects=[
                    effect(10, "create", None, OTHER),
                    effect(50, "delete", OTHER, outside=True),
                    effect(98, "create", None, CONFIG),
                    effect(100, "delete", CONFIG, looked=99),
                ],
            ),
            "doubled",
            90,
            110,
        ),
    ),
    ("deleted though nobody knows it", checks.unasked_deletes, history(effects=[effect(100, "delete", OTHER)])),
    (
        "deleted though it is to be retained",
        checks.unasked_deletes,
        history((1, resource({"deletionPolicy": "Retain"}, deleting=True)), effects=[effect(100, "delete", CONFIG)]),
    ),
    (
        "deleted for an edit taken back long ago",
        checks.unasked_deletes,
        history((1, resource(EDITED)), (50, resource()), effects=[effect(100, "delete", CONFIG)]),
    ),
    (
        "deleted for an edit taken back long ago, as late as the machine was",
        checks.unasked_deletes,
        spanned(
            history((1, resource(EDITED)), (80, resource()), effects=[effect(100, "delete", CONFIG)]), "late", 95, 97
        ),
    ),
    (
        "deleted for what was put right before the last look",
        checks.unasked_deletes,
        history((1, resource()), effects=[PUT_RIGHT, effect(100, "delete", CONFIG, looked=95)]),
    ),
    ("created though nobody wants it", checks.unwanted_creates, history(effects=[effect(100, "create", None, CONFIG)])),
    (
        "created without a finalizer",
        checks.unwanted_creates,
        history((1, resource(finalized=False)), effects=[effect(100, "create", None, CONFIG)]),
    ),
    (
        "created without a claim",
        checks.unwanted_creates,
        history((1, resource(owned="None")), effects=[effect(100, "create", None, CONFIG)]),
    ),
    (
        "created for what is being deleted",
        checks.unwanted_creates,
        history((1, resource(deleting=True)), effects=[effect(100, "create", None, CONFIG)]),
    ),
    (
        "created with another configuration",
        checks.unwanted_creates,
        history((1, resource()), effects=[effect(100, "create", None, OTHER)]),
    ),
    (
        "created with what an edit has replaced before the last look",
        checks.unwanted_creates,
        history((1, resource(EDITED)), (80, resource()), effects=[effect(100, "create", None, OTHER, looked=90)]),
    ),
    (
        "created twice",
        checks.double_creates,
        history(effects=[effect(1, "create", None, CONFIG), effect(2, "create", None, CONFIG)]),
    ),
    (
        "put over the same",
        checks.vain_puts,
        history((1, resource()), effects=[effect(100, "put", CONFIG, CONFIG)]),
    ),
    (
        "put over the same, though nobody has changed what Lenses did not show",
        checks.vain_puts,
        history((1, unread(resource(), "topic")), effects=[effect(100, "put", CONFIG, CONFIG)]),
    ),
    (
        "put over the same, in a key that it was written with",
        checks.vain_puts,
        history(
            (1, unread(resource(EDITED), "topic")),
            (99, unread(resource(), "topic")),
            effects=[effect(99.5, "put", OTHER, CONFIG), effect(100, "put", CONFIG, CONFIG)],
        ),
    ),
    (
        "stopped though a stranger's",
        checks.foreign_touches,
        history((1, resource(owned="Conflict")), effects=[effect(100, "state", CONFIG, CONFIG, detail="stop")]),
    ),
    (
        "released though it runs",
        checks.unproven_releases,
        history(
            (1, resource()), (50, resource(deleting=True)), (100, None), effects=[effect(2, "create", None, CONFIG)]
        ),
    ),
    (
        "released before it is gone",
        checks.unproven_releases,
        history(
            (1, resource()),
            (50, resource(deleting=True)),
            (100, None),
            effects=[effect(2, "create", None, CONFIG), effect(99, "delete", CONFIG, gone_at=101)],
        ),
    ),
    (
        "altered twice",
        checks.repeated_offsets,
        history((1, resource()), effects=[effect(10, "alter", **ALTER), effect(20, "alter", **ALTER)]),
    ),
    (
        "altered again though it was written down, and offsets were reset since",
        checks.repeated_offsets,
        with_operation(history((1, resource()), effects=ALTERED_RESET_ALTERED), operation("Alter", applied=True)),
    ),
    (
        "altered again long after there were two operators",
        checks.repeated_offsets,
        spanned(
            history((1, resource()), effects=[effect(50, "alter", **ALTER), effect(90, "alter", **ALTER)]),
            "doubled",
            10,
            20,
        ),
    ),
    (
        "applied without a request",
        checks.lost_offsets,
        with_operation(history((1, resource())), operation("Alter", applied=True)),
    ),
    (
        "reset though nobody asked",
        checks.unasked_resets,
        history((1, resource()), effects=[effect(10, "reset", detail=ROLE.offsets(1))]),
    ),
    (
        "reset twice for one",
        checks.unasked_resets,
        with_operation(
            history((1, resource()), effects=[effect(at, "reset", detail=ROLE.offsets(1)) for at in (10, 20)]),
            operation("Reset"),
        ),
    ),
    ("a status of two generations", checks.unsound_statuses, history((1, observed(1, 2)))),
    ("reconciling and stalled at once", checks.unsound_statuses, history((1, observed(1, 1, 1)))),
    ("a status without Ready", checks.unsound_statuses, history((1, observed(1, kinds=("Stalled",))))),
]

RIGHT: list[tuple[str, Check, History]] = [
    (
        "deleted with its resource",
        checks.unasked_deletes,
        history((1, resource()), (99, resource(deleting=True)), effects=[effect(100, "delete", CONFIG)]),
    ),
    (
        "deleted for another configuration",
        checks.unasked_deletes,
        history((1, resource()), (99, resource(EDITED)), effects=[effect(100, "delete", CONFIG)]),
    ),
    (
        "deleted after a change by hand",
        checks.unasked_deletes,
        history((1, resource()), effects=[effect(100, "delete", OTHER)]),
    ),
    (
        "deleted for an edit taken back a moment ago",
        checks.unasked_deletes,
        history((1, resource(EDITED)), (98, resource()), effects=[effect(100, "delete", CONFIG)]),
    ),
    (
        "deleted for an edit taken back while the operator was cut off",
        checks.unasked_deletes,
        spanned(
            history((1, resource(EDITED)), (50, resource()), effects=[effect(100, "delete", CONFIG)]), "blind", 48, 99
        ),
    ),
    (
        "deleted for an edit taken back as long ago as the machine was late",
        checks.unasked_deletes,
        spanned(
            history((1, resource(EDITED)), (90, resource()), effects=[effect(100, "delete", CONFIG)]), "late", 95, 97
        ),
    ),
    (
        "deleted for what was put right since the last look",
        checks.unasked_deletes,
        history((1, resource()), effects=[PUT_RIGHT, effect(100, "delete", CONFIG, looked=80)]),
    ),
    (
        "deleted after a lie about its configuration",
        checks.unasked_deletes,
        spanned(history((1, resource()), effects=[effect(100, "delete", CONFIG)]), "lies", 90, 99),
    ),
    (
        "deleted by one of two operators for a password, which another of its writes had otherwise",
        checks.unasked_deletes,
        spanned(history((1, resource(ROTATED)), effects=ROTATED_BY_ANOTHER), "doubled", 90, 110),
    ),
    (
        "deleted by the second of two operators",
        checks.unasked_deletes,
        spanned(
            history(
                (1, resource(EDITED)),
                effects=[effect(98, "delete", CONFIG), effect(99, "create", None, OTHER), effect(100, "delete", OTHER)],
            ),
            "doubled",
            90,
            110,
        ),
    ),
    (
        "created as wanted",
        checks.unwanted_creates,
        history((1, resource()), effects=[effect(9, "create", None, CONFIG)]),
    ),
    (
        "created with what an edit has replaced while the request waited",
        checks.unwanted_creates,
        history((1, resource(EDITED)), (92, resource()), effects=[effect(100, "create", None, OTHER, looked=91)]),
    ),
    (
        "created again after it went away",
        checks.double_creates,
        history(
            effects=[effect(1, "create", None, CONFIG), effect(2, "delete", CONFIG), effect(3, "create", None, CONFIG)]
        ),
    ),
    (
        "put over the same, in a key that Lenses did not show when it was adopted",
        checks.vain_puts,
        history(
            (1, unread(resource(EDITED), "topic")),
            (99, unread(resource(), "topic")),
            effects=[effect(100, "put", CONFIG, CONFIG)],
        ),
    ),
    (
        "deleted to be created the same, in a key that Lenses did not show when it was adopted",
        checks.unasked_deletes,
        history(
            (1, unread(resource(EDITED), "topic")),
            (80, unread(resource(), "topic")),
            effects=[effect(100, "delete", CONFIG)],
        ),
    ),
    ("put over another", checks.vain_puts, history((1, resource()), effects=[effect(100, "put", OTHER, CONFIG)])),
    (
        "stopped as its owner asks",
        checks.foreign_touches,
        history((1, resource()), effects=[effect(100, "state", CONFIG, CONFIG, detail="stop")]),
    ),
    (
        "released when it is gone",
        checks.unproven_releases,
        history(
            (1, resource()),
            (50, resource(deleting=True)),
            (100, None),
            effects=[effect(2, "create", None, CONFIG), effect(98, "delete", CONFIG)],
        ),
    ),
    (
        "released as a policy of the last moment asks",
        checks.unproven_releases,
        history(
            (1, resource(deleting=True)),
            (99, resource({"deletionPolicy": "Retain"}, deleting=True)),
            (100, None),
            effects=[effect(2, "create", None, CONFIG)],
        ),
    ),
    (
        "released, never owned",
        checks.unproven_releases,
        history(
            (1, resource(deleting=True, owned="NotAdopted")), (100, None), effects=[effect(2, "create", None, CONFIG)]
        ),
    ),
    (
        "altered again while the first was on its way",
        checks.repeated_offsets,
        history((1, resource()), effects=[effect(10, "alter", **ALTER), effect(11, "alter", arrived=9, **ALTER)]),
    ),
    (
        "altered again, since nobody could write it down before the offsets were reset",
        checks.repeated_offsets,
        with_operation(history((1, resource()), effects=ALTERED_RESET_ALTERED), operation("Alter")),
    ),
    (
        "altered again, since another operator has written over it",
        checks.repeated_offsets,
        spanned(
            history((1, resource()), effects=[effect(10, "alter", **ALTER), effect(90, "alter", **ALTER)]),
            "doubled",
            12,
            20,
        ),
    ),
    (
        "applied with a request",
        checks.lost_offsets,
        with_operation(
            history((1, resource()), effects=[effect(10, "alter", **ALTER)]), operation("Alter", applied=True)
        ),
    ),
    (
        "reset once, and once more when there was nothing",
        checks.unasked_resets,
        with_operation(
            history(
                (1, resource()),
                effects=[effect(10, "reset", detail=ROLE.offsets(1)), effect(20, "reset", detail=[])],
            ),
            operation("Reset"),
        ),
    ),
    ("reconciling, and ready for all that", checks.unsound_statuses, history((1, observed(1, 1)))),
    ("a status that nobody has written yet", checks.unsound_statuses, history((1, observed()))),
]


@pytest.mark.parametrize(("what", "check", "made"), WRONG, ids=[what for what, _, _ in WRONG])
def test_what_is_wrong_is_found(what: str, check: Check, made: History) -> None:
    assert check(made) != []


@pytest.mark.parametrize(("what", "check", "made"), RIGHT, ids=[what for what, _, _ in RIGHT])
def test_what_is_right_passes(what: str, check: Check, made: History) -> None:
    assert check(made) == []


def test_what_is_younger_than_the_record_of_kubernetes_is_not_judged_yet() -> None:
    made = history(effects=[effect(100, "create", None, CONFIG)])
    made.until = 99
    assert checks.unwanted_creates(made) == []
    made.until = 101
    assert checks.unwanted_creates(made) != []


@pytest.mark.parametrize("since", [11, 3])
def test_what_is_applied_since_then_is_not_judged_yet_either(since: float) -> None:
    """Nor what only etcd tells, whose time is not known exactly."""
    altered = [effect(10, "alter", **ALTER)]
    made = with_operation(history((1, resource()), effects=altered), operation("Alter", applied=True), since, 11)
    made.until = 9
    assert checks.lost_offsets(made) == []
    made.effects.clear()
    made.until = 12
    assert checks.lost_offsets(made) != []


def test_every_check_has_been_seen_to_fail_and_to_pass() -> None:
    for table in (WRONG, RIGHT):
        assert {check.__name__ for _, check, _ in table} == {check.__name__ for check in checks.CHECKS}


@pytest.mark.parametrize(
    ("subresource", "path", "good"),
    [
        ("status", "/status", True),
        ("", "/metadata/finalizers", True),
        ("", "/metadata/labels", False),
        ("", "/spec/state", False),
        ("status", "/spec", False),
    ],
)
def test_the_operator_writes_status_and_finalizers_only(subresource: str, path: str, good: bool) -> None:
    made = History()
    body = [{"op": "test", "path": "/metadata/uid", "value": "u"}, {"op": "add", "path": path, "value": {}}]
    made.writes.append(KubeWrite(1, 1, "operator", "patch", NAME, subresource, body))
    assert (checks.foreign_writes(made, "operator") == []) is good
    assert checks.foreign_writes(made, "somebody else") == []


def test_planted_values_are_found_plain_and_encoded() -> None:
    texts = [("a", "quiet"), ("b", "x planted-1 y"), ("c", "cGxhbnRlZC0x")]
    assert [line.split()[0] for line in checks.disclosures({"planted-1"}, texts)] == ["b", "c"]


def unrecorded(owned: str) -> History:
    """A claim, or none, that was written as the API server was killed, and the creation after it."""
    found = resource(owned=owned)
    found["metadata"]["resourceVersion"] = "7"
    made = history((1, resource(owned="None")), effects=[effect(100, "create", None, CONFIG)])
    made.complete({NAME: found}, 90, 95)
    return made


def test_what_etcd_kept_completes_the_record() -> None:
    assert checks.unwanted_creates(unrecorded("Claiming")) == []
    assert checks.unwanted_creates(unrecorded("None")) != []


def test_what_was_stored_though_the_answer_was_an_error_is_found_between_its_neighbours() -> None:
    made = History()
    for at, number in ((1, 3), (50, 9)):
        made.add(NAME, Version(at, at, resource(), number))
    stored = [resource(owned=state) for state in ("Owned", "Claiming")]
    for found, number in zip(stored, (9, 7), strict=True):
        found["metadata"]["resourceVersion"] = str(number)
    made.found_out(NAME, stored, made.number(NAME, 40))
    assert [(version.number, version.ownership) for version in made.versions[NAME]][1] == (7, "Claiming")
    assert made.versions[NAME][1].sure == 50
    assert len(made.versions[NAME]) == 3


def test_what_etcd_has_no_more_is_gone() -> None:
    made = history((1, resource()))
    made.complete({}, 90, 95)
    assert [version.found is None for version in made.versions[NAME]] == [False, True]
