"""Each invariant's check finds what goes against it, and lets pass what only looks so: over records made up."""

from __future__ import annotations

import pytest

from chaos.real.cast import PASSWORD_KEY
from chaos.real.made import (
    CONFIG,
    EDITED,
    NAME,
    OTHER,
    ROLE,
    SPEC,
    created,
    deleted,
    effect,
    history,
    observed,
    operation,
    plain,
    put,
    released,
    resource,
    spanned,
    taken_back,
    unread,
    unread_until,
    with_operation,
)
from invariants import recorded as checks
from invariants.history import Effect, History, KubeWrite, Version
from invariants.recorded import Check

PUT_RIGHT = effect(90, "config", OTHER, CONFIG, outside=True)
OLD, NEW = {**CONFIG, PASSWORD_KEY: "old"}, {**CONFIG, PASSWORD_KEY: "new"}
ROTATED = resource({"config": {**SPEC["config"], PASSWORD_KEY: "new"}})
ROTATED_BY_ANOTHER = [
    created(10, OLD),
    deleted(50, OLD, outside=True),
    created(98, NEW),
    deleted(100, NEW, looked=99),
]


def altered(at: float, **more: float) -> Effect:
    return effect(at, "alter", detail=ROLE.offsets(5), **more)


def was_reset(at: float) -> Effect:
    return effect(at, "reset", detail=ROLE.offsets(1))


ALTERED_RESET_ALTERED = [altered(10), effect(20, "reset", detail=[1]), altered(90)]

WRONG: dict[Check, dict[str, History]] = {
    checks.unasked_deletes: {
        "deleted though it is as wanted": plain(deleted()),
        "deleted though nobody owns it": history((1, resource(owned="NotAdopted")), effects=[deleted(config=OTHER)]),
        "deleted for a password that it has, with one operator": history((1, ROTATED), effects=ROTATED_BY_ANOTHER),
        "deleted by the second of two operators, though the topic was another one long ago": spanned(
            plain(created(10, OTHER), deleted(50, OTHER, outside=True), created(98), deleted(looked=99)),
            "doubled",
            90,
            110,
        ),
        "deleted though nobody knows it": history(effects=[deleted(config=OTHER)]),
        "deleted though it is to be retained": history(
            (1, resource({"deletionPolicy": "Retain"}, deleting=True)), effects=[deleted()]
        ),
        "deleted for an edit taken back long ago": taken_back(50, deleted()),
        "deleted for an edit taken back long ago, as late as the machine was": spanned(
            taken_back(80, deleted()), "late", 95, 97
        ),
        "deleted for what was put right before the last look": plain(PUT_RIGHT, deleted(looked=95)),
    },
    checks.unwanted_creates: {
        "created though nobody wants it": history(effects=[created()]),
        "created without a finalizer": history((1, resource(finalized=False)), effects=[created()]),
        "created without a claim": history((1, resource(owned="None")), effects=[created()]),
        "created for what is being deleted": history((1, resource(deleting=True)), effects=[created()]),
        "created with another configuration": plain(created(config=OTHER)),
        "created with what an edit has replaced before the last look": taken_back(80, created(config=OTHER, looked=90)),
    },
    checks.double_creates: {
        "created twice": history(effects=[created(1), created(2)]),
    },
    checks.vain_puts: {
        "put over the same": plain(put(CONFIG)),
        "put over the same, though nobody has changed what Lenses did not show": history(
            (1, unread(resource(), "topic")), effects=[put(CONFIG)]
        ),
        "put over the same, in a key that it was written with": unread_until(99, put(OTHER, 99.5), put(CONFIG)),
    },
    checks.foreign_touches: {
        "stopped though a stranger's": history(
            (1, resource(owned="Conflict")), effects=[effect(100, "state", CONFIG, CONFIG, detail="stop")]
        ),
    },
    checks.unproven_releases: {
        "released though it runs": released(created(2)),
        "released before it is gone": released(created(2), deleted(99, gone_at=101)),
    },
    checks.repeated_offsets: {
        "altered twice": plain(altered(10), altered(20)),
        "altered again though it was written down, and offsets were reset since": with_operation(
            plain(*ALTERED_RESET_ALTERED), operation("Alter", applied=True)
        ),
        "altered again long after there were two operators": spanned(
            plain(altered(50), altered(90)), "doubled", 10, 20
        ),
    },
    checks.lost_offsets: {
        "applied without a request": with_operation(plain(), operation("Alter", applied=True)),
    },
    checks.unasked_resets: {
        "reset though nobody asked": plain(was_reset(10)),
        "reset twice for one": with_operation(plain(was_reset(10), was_reset(20)), operation("Reset")),
    },
    checks.unsound_statuses: {
        "a status of two generations": history((1, observed(1, 2))),
        "reconciling and stalled at once": history((1, observed(1, 1, 1))),
        "a status without Ready": history((1, observed(1, kinds=("Stalled",)))),
    },
}

RIGHT: dict[Check, dict[str, History]] = {
    checks.unasked_deletes: {
        "deleted with its resource": history((1, resource()), (99, resource(deleting=True)), effects=[deleted()]),
        "deleted for another configuration": history((1, resource()), (99, resource(EDITED)), effects=[deleted()]),
        "deleted after a change by hand": plain(deleted(config=OTHER)),
        "deleted for an edit taken back a moment ago": taken_back(98, deleted()),
        "deleted for an edit taken back while the operator was cut off": spanned(
            taken_back(50, deleted()), "blind", 48, 99
        ),
        "deleted for an edit taken back as long ago as the machine was late": spanned(
            taken_back(90, deleted()), "late", 95, 97
        ),
        "deleted for what was put right since the last look": plain(PUT_RIGHT, deleted(looked=80)),
        "deleted after a lie about its configuration": spanned(plain(deleted()), "lies", 90, 99),
        "deleted by one of two operators for a password, which another of its writes had otherwise": spanned(
            history((1, ROTATED), effects=ROTATED_BY_ANOTHER), "doubled", 90, 110
        ),
        "deleted by the second of two operators": spanned(
            history((1, resource(EDITED)), effects=[deleted(98), created(99, OTHER), deleted(config=OTHER)]),
            "doubled",
            90,
            110,
        ),
        "deleted to be created the same, in a key that Lenses did not show when it was adopted": unread_until(
            80, deleted()
        ),
    },
    checks.unwanted_creates: {
        "created as wanted": plain(created(9)),
        "created with what an edit has replaced while the request waited": taken_back(
            92, created(config=OTHER, looked=91)
        ),
    },
    checks.double_creates: {
        "created again after it went away": history(effects=[created(1), deleted(2), created(3)]),
    },
    checks.vain_puts: {
        "put over the same, in a key that Lenses did not show when it was adopted": unread_until(99, put(CONFIG)),
        "put over another": plain(put(OTHER)),
    },
    checks.foreign_touches: {
        "stopped as its owner asks": plain(effect(100, "state", CONFIG, CONFIG, detail="stop")),
    },
    checks.unproven_releases: {
        "released when it is gone": released(created(2), deleted(98)),
        "released as a policy of the last moment asks": history(
            (1, resource(deleting=True)),
            (99, resource({"deletionPolicy": "Retain"}, deleting=True)),
            (100, None),
            effects=[created(2)],
        ),
        "released, never owned": history(
            (1, resource(deleting=True, owned="NotAdopted")), (100, None), effects=[created(2)]
        ),
    },
    checks.repeated_offsets: {
        "altered again while the first was on its way": plain(altered(10), altered(11, arrived=9)),
        "altered again, since nobody could write it down before the offsets were reset": with_operation(
            plain(*ALTERED_RESET_ALTERED), operation("Alter")
        ),
        "altered again, since another operator has written over it": spanned(
            plain(altered(10), altered(90)), "doubled", 12, 20
        ),
    },
    checks.lost_offsets: {
        "applied with a request": with_operation(plain(altered(10)), operation("Alter", applied=True)),
    },
    checks.unasked_resets: {
        "reset once, and once more when there was nothing": with_operation(
            plain(was_reset(10), effect(20, "reset", detail=[])), operation("Reset")
        ),
    },
    checks.unsound_statuses: {
        "reconciling, and ready for all that": history((1, observed(1, 1))),
        "a status that nobody has written yet": history((1, observed())),
    },
}


def cases(table: dict[Check, dict[str, History]]) -> list[tuple[Check, History]]:
    return [(check, made) for check, rows in table.items() for made in rows.values()]


def names(table: dict[Check, dict[str, History]]) -> list[str]:
    return [what for rows in table.values() for what in rows]


@pytest.mark.parametrize(("check", "made"), cases(WRONG), ids=names(WRONG))
def test_what_is_wrong_is_found(check: Check, made: History) -> None:
    assert check(made) != []


@pytest.mark.parametrize(("check", "made"), cases(RIGHT), ids=names(RIGHT))
def test_what_is_right_passes(check: Check, made: History) -> None:
    assert check(made) == []


def test_every_check_has_been_seen_to_fail_and_to_pass() -> None:
    for table in (WRONG, RIGHT):
        assert {check.__name__ for check, rows in table.items() if rows} == {check.__name__ for check in checks.CHECKS}


def test_what_is_younger_than_the_record_of_kubernetes_is_not_judged_yet() -> None:
    made = history(effects=[created()])
    made.until = 99
    assert checks.unwanted_creates(made) == []
    made.until = 101
    assert checks.unwanted_creates(made) != []


@pytest.mark.parametrize("since", [11, 3])
def test_what_is_applied_since_then_is_not_judged_yet_either(since: float) -> None:
    """Nor what only etcd tells, whose time is not known exactly."""
    made = with_operation(plain(altered(10)), operation("Alter", applied=True), since, 11)
    made.until = 9
    assert checks.lost_offsets(made) == []
    made.effects.clear()
    made.until = 12
    assert checks.lost_offsets(made) != []


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
    made = history((1, resource(owned="None")), effects=[created()])
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
    made = plain()
    made.complete({}, 90, 95)
    assert [version.found is None for version in made.versions[NAME]] == [False, True]
