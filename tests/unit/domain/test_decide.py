"""The next action, over every situation a pass can meet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.decide import (
    LOST,
    Adopt,
    AskTypes,
    ChangeState,
    Check,
    Create,
    Look,
    Nothing,
    Observe,
    RefuseAdoption,
    Suspended,
    Update,
    decide,
)
from lenses_operator.domain.deleting import Await, Delete, Release
from lenses_operator.domain.drift import Difference
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.render import Rendered, render
from lenses_operator.domain.situation import Refusal
from lenses_operator.resources.connector import OwnershipState
from unit.domain.seen import applied, detailed, listed, situation, tasks
from unit.resources.make import SENT, owned, resource

OURS = [OwnershipState.CLAIMING, OwnershipState.OWNED]
NOT_OURS = [OwnershipState.NONE, OwnershipState.CONFLICT, OwnershipState.NOT_ADOPTED]
DRIFTED = SENT | {"topic": "by-hand"}
CHANGED = Difference(changed=("topic",))
REFUSAL = Refusal(Rendered(SENT).fingerprint, "ConfigInvalid", "no", 1)
OTHER_REFUSAL = Refusal(Rendered(DRIFTED).fingerprint, "ConfigInvalid", "no", 1)


def of(owner: OwnershipState | str, **spec: Any) -> Any:
    return resource(status={"ownership": {"state": str(owner)}}, **spec)


def unasked(resource: Any, **changes: Any) -> Any:
    """Before Lenses was asked."""
    return replace(situation(detailed(), resource, **changes), observed=None)


class TestAbsent:
    @pytest.mark.parametrize("state", NOT_OURS + OURS)
    def test_what_is_proven_absent_is_created(self, state: OwnershipState) -> None:
        lost = state is OwnershipState.OWNED
        assert decide(situation(Observed.absent(), of(state), absent_for=LOST)) == Create(lost=lost)

    def test_what_is_ours_is_looked_for_again_before_it_is_created_again(self) -> None:
        assert decide(situation(Observed.absent(), owned())) == Await(LOST)
        assert decide(situation(Observed.absent(), owned(), absent_for=LOST - 4)) == Await(4)
        assert decide(situation(Observed.absent(), owned(), absent_for=LOST)) == Create(lost=True)

    def test_what_was_not_adopted_is_looked_for_again_before_its_name_is_taken(self) -> None:
        theirs = of(OwnershipState.NOT_ADOPTED)
        assert decide(situation(Observed.absent(), theirs, absent_for=LOST - 4)) == Await(4)
        assert decide(situation(Observed.absent(), theirs, absent_for=LOST)) == Create(lost=False)

    def test_what_a_delete_of_ours_took_down_is_created_at_once(self) -> None:
        assert decide(situation(Observed.absent(), owned(), taken_down=True)) == Create(lost=True)

    @pytest.mark.parametrize("wanted", ["paused", "stopped"])
    def test_also_where_it_is_to_be_held(self, wanted: str) -> None:
        assert decide(situation(Observed.absent(), owned(state=wanted), absent_for=LOST)) == Create(lost=True)

    def test_a_refused_configuration_is_not_created(self) -> None:
        assert decide(situation(Observed.absent(), refusal=REFUSAL)) == Nothing()

    def test_the_refusal_of_another_configuration_does_not_count(self) -> None:
        assert decide(situation(Observed.absent(), refusal=OTHER_REFUSAL, taken_down=True)) == Create(lost=True)


class TestNotOurs:
    @pytest.mark.parametrize("state", NOT_OURS)
    def test_a_list_alone_is_not_enough(self, state: OwnershipState) -> None:
        assert decide(situation(listed(), of(state), applied=None)) == Look()

    @pytest.mark.parametrize("state", NOT_OURS)
    def test_an_identical_one_is_adopted(self, state: OwnershipState) -> None:
        shown = SENT | {"name": "orders"}
        assert decide(situation(detailed(config=shown), of(state), applied=None)) == Adopt(Difference())

    @pytest.mark.parametrize("state", NOT_OURS)
    @pytest.mark.parametrize(
        ("shown", "difference"),
        [
            (DRIFTED, CHANGED),
            (SENT | {"more": "x"}, Difference(extra=("more",))),
            ({k: v for k, v in SENT.items() if k != "file"}, Difference(missing=("file",))),
        ],
    )
    def test_a_differing_one_is_left_alone(
        self, state: OwnershipState, shown: dict[str, str], difference: Difference
    ) -> None:
        assert decide(situation(detailed(config=shown), of(state), applied=None)) == RefuseAdoption(difference)

    def test_what_cannot_be_read_counts_as_equal_and_is_named(self) -> None:
        mine = of("None", config={"a": "1", "b": "2", "c": "${x:y}"})
        shown = {"a": "****", "c": "resolved", "connector.class": SENT["connector.class"]}
        seen = detailed(config=shown, hidden_keys=frozenset({"b"}))
        assert decide(situation(seen, mine, applied=None)) == Adopt(Difference(), ("a", "b", "c"))

    def test_what_may_be_a_mask_or_a_value_is_told_by_its_keys_type(self) -> None:
        mine = of("None", config={"a": "1", "b": "REDACTED", "c": "3"})
        shown = {"a": "<set>", "b": "REDACTED", "c": "3", "connector.class": SENT["connector.class"]}
        asked = situation(detailed(config=shown), mine, applied=None)
        assert decide(asked) == AskTypes(frozenset({"a", "b"}))
        assert decide(replace(asked, passwords=frozenset())) == RefuseAdoption(Difference(changed=("a",)))
        typed = replace(asked, passwords=frozenset({"a", "b", "c"}))
        assert decide(typed) == Adopt(Difference(), ("a", "b")), "what is plainly a value is one, whatever its type"
        never = situation(detailed(config=shown), of("None", adoptionPolicy="Never"), applied=None)
        assert decide(never) == RefuseAdoption(Difference())

    HIDDEN = pytest.mark.parametrize(
        "hidden",
        [
            {"config": None},
            {"config": {}},
            {"config_hidden": True},
            {"hidden_keys": frozenset(SENT)},
            {"config": {"connector.class": SENT["connector.class"]}, "hidden_keys": frozenset({"file", "topic"})},
            {"config": dict.fromkeys(SENT, "****")},
            {"config": dict.fromkeys(SENT, "••••••••")},
        ],
        ids=["none", "empty", "by name", "key by key", "all but the class", "masked", "masked otherwise"],
    )

    @HIDDEN
    def test_of_a_configuration_hidden_as_a_whole_nothing_is_known_to_match(self, hidden: dict[str, Any]) -> None:
        seen = detailed(**hidden)
        assert decide(situation(seen, of("None"), applied=None)) == RefuseAdoption(Difference(), hidden=True)

    @HIDDEN
    def test_who_takes_it_always_writes_it_anew(self, hidden: dict[str, Any]) -> None:
        mine = of("None", adoptionPolicy="Always")
        adopted = decide(situation(detailed(**hidden), mine, applied=None))
        assert isinstance(adopted, Adopt)
        assert adopted.difference == Difference(changed=tuple(sorted(SENT)))

    @pytest.mark.parametrize("shown", [SENT, {key: SENT[key] for key in ("file", "topic")}], ids=["key", "no key"])
    def test_the_class_counts_though_its_key_is_hidden(self, shown: dict[str, str]) -> None:
        hidden = frozenset({"connector.class"})
        other = detailed(config=shown, hidden_keys=hidden, class_name="org.example.OtherConnector")
        assert decide(situation(other, of("None"), applied=None)) == RefuseAdoption(
            Difference(changed=("connector.class",))
        )
        same = detailed(config=shown, hidden_keys=hidden, class_name=SENT["connector.class"])
        assert isinstance(decide(situation(same, of("None"), applied=None)), Adopt)

    def test_what_was_adopted_is_not_recreated_for_what_could_not_be_read(self) -> None:
        mine = owned(config={"a": "1", "c": "${x:y}"})
        wanted = dict(render(mine.spec).config)
        seen = detailed(config=wanted | {"a": "****", "c": "resolved"})
        adopted = decide(situation(seen, of("None", config=dict(mine.spec.config)), applied=None))
        assert isinstance(adopted, Adopt)
        after = situation(seen, mine, applied=applied(wanted, not_compared=adopted.unreadable))
        assert decide(after) == Nothing()


class TestRunning:
    @pytest.mark.parametrize("state", OURS)
    @pytest.mark.parametrize("shown", ["RUNNING", "UNASSIGNED", "RESTARTING", "FAILED", "DESTROYED", None])
    def test_as_wanted_or_out_of_our_hands(self, state: OwnershipState, shown: str | None) -> None:
        assert decide(situation(detailed(shown), of(state))) == Nothing()

    @pytest.mark.parametrize("shown", ["PAUSED", "STOPPED"])
    def test_held_by_hand_is_resumed(self, shown: str) -> None:
        assert decide(situation(detailed(shown, tasks()))) == ChangeState("resume")

    def test_the_list_is_enough_where_this_very_configuration_was_applied(self) -> None:
        assert decide(situation(listed())) == Nothing()
        assert decide(situation(listed("PAUSED"))) == ChangeState("resume")

    @pytest.mark.parametrize("before", [None, applied(DRIFTED)])
    def test_and_not_enough_where_another_was_or_none(self, before: Any) -> None:
        assert decide(situation(listed(), applied=before)) == Look()

    @pytest.mark.parametrize("shown", ["RUNNING", "FAILED", "PAUSED", "STOPPED", None])
    def test_a_difference_is_recreated_rather_than_resumed(self, shown: str | None) -> None:
        assert decide(situation(detailed(shown, config=DRIFTED))) == Update(CHANGED)

    @pytest.mark.parametrize("shown", ["RUNNING", "PAUSED"])
    def test_a_refused_configuration_changes_nothing(self, shown: str) -> None:
        assert decide(situation(detailed(shown, config=DRIFTED), refusal=REFUSAL)) == Nothing()

    def test_a_claim_whose_connector_differs_is_converged(self) -> None:
        assert decide(situation(detailed(config=DRIFTED), of("Claiming"), applied=None)) == Update(CHANGED)


class TestHeld:
    @pytest.mark.parametrize(
        ("wanted", "action", "shown"), [("paused", "pause", "PAUSED"), ("stopped", "stop", "STOPPED")]
    )
    def test_is_asked_for_until_it_shows(self, wanted: str, action: str, shown: str) -> None:
        others = {"RUNNING", "PAUSED", "STOPPED", "FAILED", "UNASSIGNED"} - {shown}
        for other in others:
            assert decide(situation(detailed(other), owned(state=wanted))) == ChangeState(action)  # type: ignore[arg-type]
        assert decide(situation(detailed(shown, tasks()), owned(state=wanted))) == Nothing()

    def test_comes_before_a_new_configuration(self) -> None:
        assert decide(situation(detailed(config=DRIFTED), owned(state="paused"))) == ChangeState("pause")

    def test_a_new_configuration_is_checked_and_waits(self) -> None:
        seen, mine = detailed("PAUSED", config=DRIFTED), owned(state="paused")
        assert decide(situation(seen, mine)) == Check(CHANGED)
        assert decide(situation(seen, mine, validated=True)) == Nothing(waiting=CHANGED)
        assert decide(situation(seen, mine, refusal=REFUSAL)) == Nothing(waiting=CHANGED)
        assert decide(situation(seen, mine, refusal=OTHER_REFUSAL)) == Check(CHANGED)


class TestUnseenChanges:
    """Keys that Lenses does not show change when the wanted value does."""

    MINE = owned(config={"open": "1", "secret": "new"})
    SHOWN = dict(render(MINE.spec).config) | {"secret": "****"}

    @pytest.mark.parametrize(
        ("secret", "difference"), [("new", None), ("old", Difference(changed=("secret",)))], ids=["same", "other"]
    )
    @pytest.mark.parametrize("remembered", [True, False])
    def test_a_masked_key_is_compared_with_our_last_write(
        self, secret: str, difference: Difference | None, remembered: bool
    ) -> None:
        before = dict(render(self.MINE.spec).config) | {"secret": secret}
        seen = situation(
            detailed(config=self.SHOWN),
            self.MINE,
            applied=applied(before),
            last_written=Rendered(before) if remembered else None,
        )
        assert decide(seen) == (Update(difference) if difference else Nothing())

    def test_a_key_in_another_notation_too(self) -> None:
        before = dict(render(self.MINE.spec).config) | {"secret": "1024"}
        seen = situation(
            detailed(config=self.SHOWN | {"secret": "1.024E3"}),
            self.MINE,
            applied=applied(before, not_compared=("secret",)),
            last_written=Rendered(before),
        )
        assert decide(seen) == Update(Difference(changed=("secret",)))

    @pytest.mark.parametrize("hash_of", ["", "another"], ids=["not known", "another"])
    @pytest.mark.parametrize("strategy", ["Recreate", "InPlace"])
    def test_what_could_not_be_read_once_is_not_rewritten_when_it_is_shown_as_wanted(
        self, hash_of: str, strategy: str
    ) -> None:
        mine = owned(config={"open": "1", "secret": "new"}, updateStrategy=strategy)
        wanted = dict(render(mine.spec).config)
        known = applied(wanted, not_compared=tuple(sorted(wanted))).model_copy(update={"hash": hash_of})
        assert decide(situation(detailed(config=wanted), mine, applied=known)) == Nothing()

    @pytest.mark.parametrize("shown", [{"secret": "****"}, {"secret": "1.024E3"}, {}], ids=["masked", "other", "none"])
    @pytest.mark.parametrize("hidden", [frozenset(), frozenset({"secret"})], ids=["", "hidden"])
    def test_what_still_cannot_be_read_is_rewritten_where_nobody_knows_what_was_written(
        self, shown: dict[str, str], hidden: frozenset[str]
    ) -> None:
        wanted = dict(render(self.MINE.spec).config)
        seen = {key: value for key, value in wanted.items() if key != "secret"} | shown
        known = applied(wanted, not_compared=tuple(sorted(wanted))).model_copy(update={"hash": ""})
        action = decide(situation(detailed(config=seen, hidden_keys=hidden), self.MINE, applied=known))
        assert action == Update(Difference(changed=("secret",)))

    @pytest.mark.parametrize("shown", [None, {}], ids=["none", "empty"])
    def test_a_configuration_hidden_as_a_whole_is_not_rewritten_for_nothing(self, shown: dict[str, str] | None) -> None:
        wanted = dict(render(self.MINE.spec).config)
        assert decide(situation(detailed(config=shown), self.MINE, applied=applied(wanted))) == Nothing()


class TestDeletionWithoutLenses:
    @pytest.mark.parametrize("policy", ["Delete", "Retain"])
    @pytest.mark.parametrize("state", NOT_OURS + OURS)
    def test_who_is_not_deleted_is_not_released(self, state: OwnershipState, policy: str) -> None:
        assert decide(unasked(of(state, deletionPolicy=policy), unsent=True)) == Observe()

    @pytest.mark.parametrize("policy", ["Delete", "Retain"])
    @pytest.mark.parametrize("state", NOT_OURS)
    def test_what_was_never_ours_is_let_go_untouched(self, state: OwnershipState, policy: str) -> None:
        assert decide(unasked(of(state, deleting=True, deletionPolicy=policy))) == Release("not-owned")

    def test_a_claim_on_which_nothing_was_sent_is_let_go_untouched(self) -> None:
        claiming = of(OwnershipState.CLAIMING, deleting=True)
        assert decide(unasked(claiming, unsent=True)) == Release("not-owned")

    @pytest.mark.parametrize("state", OURS)
    def test_ours_is_retained_or_deleted(self, state: OwnershipState) -> None:
        assert decide(unasked(of(state, deleting=True, deletionPolicy="Retain"))) == Release("retained")
        assert decide(unasked(of(state, deleting=True))) == Observe()


CONFIG = st.sampled_from([SENT, DRIFTED, SENT | {"x": "1"}, SENT | {"topic": "****"}, None])
STATES = st.sampled_from(["RUNNING", "PAUSED", "STOPPED", "FAILED", "UNASSIGNED", "DESTROYED", None])
OBSERVED = st.one_of(st.just(Observed.absent()), st.builds(listed, STATES), st.builds(detailed, STATES, config=CONFIG))


@given(
    observed=OBSERVED,
    owner=st.sampled_from(NOT_OURS + OURS),
    wanted=st.sampled_from(["running", "paused", "stopped"]),
    before=st.sampled_from([None, applied(), applied(DRIFTED), applied(not_compared=("topic",))]),
    written=st.sampled_from([None, Rendered(SENT), Rendered(DRIFTED)]),
    refusal=st.sampled_from([None, REFUSAL, OTHER_REFUSAL]),
    validated=st.booleans(),
    suspend=st.booleans(),
    changes=st.fixed_dictionaries({"held": st.sampled_from([None, "back"]), "absent_for": st.sampled_from([0, LOST])}),
)
def test_no_decision_can_do_harm(
    observed: Observed,
    owner: OwnershipState,
    wanted: str,
    before: Any,
    written: Any,
    refusal: Any,
    validated: bool,
    suspend: bool,
    changes: dict[str, Any],
) -> None:
    changes |= {"applied": before, "last_written": written, "refusal": refusal, "validated": validated}
    action = decide(situation(observed, of(owner, state=wanted, suspend=suspend), **changes))
    if suspend:
        held = changes["held"] is not None and observed.present and owner.ours
        stops = held and action in (ChangeState("stop"), Nothing())
        assert stops or isinstance(action, Suspended), "a suspended one is stopped for its offsets and nothing else"
    assert not isinstance(action, Delete | Release), "only deletion deletes"
    if isinstance(action, Create):
        assert not observed.present
    if isinstance(action, Update | ChangeState | Check):
        assert owner.ours
        assert observed.present
    if isinstance(action, Update):
        assert wanted == "running"
        assert action.difference
        assert observed.details is not None
    if isinstance(action, Adopt | RefuseAdoption):
        assert not owner.ours
    if refusal is REFUSAL:
        assert not isinstance(action, Create | Update | Check)
    if isinstance(action, Look):
        assert observed.details is None
