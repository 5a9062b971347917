"""Backoff, schedule, ownership, plugins, validation texts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.backoff import BLOCKED, SETTLING, SLOW, TRANSIENT, Backoff
from lenses_operator.domain.ownership import conflict_message, owner_of
from lenses_operator.domain.plugins import aliases, installed, nearest, not_found_message
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.schedule import next_check, phase
from lenses_operator.domain.validation import WITHHELD, may_pass, refusal_message, validation_message, withhold
from lenses_operator.lenses.models import Plugin
from unit.resources.make import CLASS, resource


def middle(low: float, high: float) -> float:
    return (low + high) / 2


class TestBackoff:
    def test_doubles_up_to_its_limit(self) -> None:
        waits = [Backoff(2, 30).delay(attempt, middle) for attempt in range(1, 8)]
        assert waits == [2, 4, 8, 16, 30, 30, 30]

    @pytest.mark.parametrize("attempt", [-1, 0, 1])
    def test_the_first_wait_is_the_shortest(self, attempt: int) -> None:
        assert Backoff(2, 30).delay(attempt, middle) == 2

    @given(st.sampled_from([TRANSIENT, SLOW, BLOCKED, SETTLING]), st.integers(1, 10**6), st.floats(0, 1))
    def test_jitter_is_a_fifth_either_way_whatever_the_attempt(self, backoff: Backoff, attempt: int, at: float) -> None:
        wait = backoff.delay(attempt, lambda low, high: low + (high - low) * at)
        assert backoff.first * 0.8 <= wait <= backoff.limit * 1.2 + 1e-9

    def test_blocked_deletions_back_off_to_ten_minutes(self) -> None:
        assert BLOCKED.delay(100, middle) == 600


class TestSchedule:
    @given(st.text())
    def test_the_phase_is_a_fixed_point_within_the_interval(self, uid: str) -> None:
        assert 0 <= phase(uid) < 1
        assert phase(uid) == phase(uid)

    def test_phases_are_spread_evenly(self) -> None:
        tenths = [int(phase(f"uid-{number}") * 10) for number in range(1000)]
        assert all(70 <= tenths.count(tenth) <= 130 for tenth in range(10))

    def test_the_first_check_comes_at_the_phase_the_next_one_an_interval_later(self) -> None:
        first = next_check(1000, None, 300, "uid")
        assert 1000 + 300 * phase("uid") <= first < 1000.5 + 300 * phase("uid")
        assert 2 * first == int(2 * first), "what is due in the same half second is due together"
        assert next_check(1000, 900, 300, "uid") == 1200
        assert next_check(1000, 900.2, 300, "uid") == 1200.5
        assert 902 <= next_check(1000, 900, 2, "uid") <= 902.01, "the beat is as much shorter as the interval"


class TestOwnership:
    def test_the_oldest_owns(self) -> None:
        old, young = resource("z", uid="z", age=0), resource("a", uid="a", age=1)
        assert owner_of([young, old]) is old
        assert owner_of([old, young]) is old

    def test_the_lower_uid_owns_where_two_are_of_the_same_second(self) -> None:
        one, two = resource("z", uid="a"), resource("a", uid="b")
        assert owner_of([two, one]) is one

    def test_of_the_same_second_the_one_that_has_it_keeps_it(self) -> None:
        has = resource("z", uid="z", status={"ownership": {"state": "Owned"}})
        assert owner_of([resource("a", uid="a"), has]) is has
        assert owner_of([resource("a", uid="a", age=-1), has]) is not has

    def test_a_deleting_owner_owns_until_it_is_released(self) -> None:
        old, young = resource("old", uid="z", deleting=True), resource("young", uid="a", age=1)
        assert owner_of([young, old]) is old

    @given(st.permutations([resource(f"r{n}", uid=f"u{n}", age=n // 2) for n in range(6)]))
    def test_the_order_of_arrival_decides_nothing(self, claimants: list[Any]) -> None:
        assert owner_of(claimants).metadata.name == "r0"

    def test_an_owner_of_the_same_namespace_is_named(self) -> None:
        message = conflict_message(resource("mine"), resource("theirs"))
        assert "LensesConnector theirs" in message
        assert "mine on cluster connect-eu of environment prod" in message

    def test_an_owner_of_another_namespace_is_not_named(self) -> None:
        message = conflict_message(resource("mine"), resource("planted", namespace="planted-ns"))
        assert "planted" not in message
        assert "another namespace" in message


def plugin(class_name: str, version: str | None = "1.0", kind: str | None = "sink") -> Plugin:
    return Plugin.model_validate({"class": class_name, "cluster": "c", "version": version, "type": kind})


S3 = "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector"
PLUGINS = [
    plugin(S3, "8.1"),
    plugin(S3, "9.0"),
    plugin(S3.replace("Sink", "Source").replace("sink", "source")),
    plugin(CLASS, None),
    plugin("org.apache.kafka.connect.json.S3SinkConverter", kind="converter"),
]


class TestPlugins:
    def test_a_class_goes_by_the_names_connect_takes(self) -> None:
        assert aliases(CLASS) == {CLASS, "FileStreamSourceConnector", "FileStreamSource"}
        assert aliases("a.Outer$InnerConnector") == {"a.Outer$InnerConnector", "InnerConnector", "Inner"}

    @pytest.mark.parametrize("name", [S3, "S3SinkConnector", "S3Sink", "FileStreamSource"])
    def test_every_such_name_counts_as_installed(self, name: str) -> None:
        assert installed(name, PLUGINS)

    @pytest.mark.parametrize("name", ["S3", "s3sink", S3 + " ", "lenses.S3SinkConnector", ""])
    def test_others_do_not(self, name: str) -> None:
        assert not installed(name, PLUGINS)

    def test_the_nearest_comes_first_once_with_all_its_versions_and_converters_are_left_out(self) -> None:
        found = nearest(S3.replace("aws.s3", "s3"), PLUGINS)
        assert found[0] == f"{S3} 8.1/9.0"
        assert not any("Converter" in name for name in found)
        assert nearest("FileStreamSourceConector", PLUGINS)[0] == CLASS

    def test_at_most_three_and_none_where_nothing_is_like_it(self) -> None:
        assert len(nearest("a.XConnector", [plugin(f"a.X{n}Connector") for n in range(9)])) == 3
        assert nearest("zzz", PLUGINS) == []

    def test_the_message_quotes_the_class_and_says_what_to_do(self) -> None:
        message = not_found_message("S3SinkConnectr\u200b", "connect-eu", PLUGINS)
        assert r"'S3SinkConnectr\u200b'" in message
        assert "connect-eu" in message
        assert S3 in message
        assert "Correct spec.class" in message
        assert "Nothing installed there" in not_found_message("zzz", "connect-eu", PLUGINS)


class TestValidation:
    def test_every_key_with_its_words_in_order_of_key_each_on_one_line(self) -> None:
        message = validation_message({"b": ["too\n  big."], "a": ["bad", "worse."]}, (), str)
        assert "(2 keys): a: bad; worse | b: too big. Nothing was changed." in message

    def test_one_key_is_one_key(self) -> None:
        assert "(1 key): a: bad." in validation_message({"a": ["bad"]}, (), str)

    def test_the_words_about_a_reference_are_withheld_and_that_is_said(self) -> None:
        wanted = {"a": "${vault:x:y}", "b": "pre${env:Z}", "c": "plain"}
        message = validation_message(
            {key: [f"Invalid value planted-{key}"] for key in wanted}, Rendered(wanted).private, str
        )
        assert "planted-a" not in message
        assert "planted-b" not in message
        assert "planted-c" in message
        assert f"a: {WITHHELD}" in message

    def test_words_about_the_whole_are_withheld_where_any_value_is_a_reference(self) -> None:
        assert withhold("planted", {"a": "1", "b": "${x:y}"}) != "planted"
        assert "withheld" in withhold("planted", {"b": "${x:y}"})
        assert withhold("shown", {"a": "$x {y}"}) == "shown"
        assert withhold("", {"b": "${x:y}"}) == ""
        assert "at create: shown. Correct" in refusal_message("create", "shown.", ())

    @pytest.mark.parametrize(
        ("private", "away", "passing", "said", "unsaid"),
        [
            ((), False, False, "Nothing was changed. Correct spec.config", "Secret"),
            (("a", "b"), False, False, "Correct the Secret that the value comes from", "spec.config"),
            (("a",), False, False, "Correct spec.config, or the Secret", "again"),
            ((), True, False, "Correct spec.config", "Nothing was changed"),
            ((), False, True, "which may be temporary: the operator validates it again", "Secret"),
            (("a", "c"), False, False, "Correct spec.config, or the Secret that the value comes from", "again"),
            (("c",), False, False, "Correct spec.config, or the Secrets and references", "address"),
            (("c",), False, True, "check that system, or correct spec.config, or the Secrets", "address"),
        ],
    )
    def test_the_advice_fits_the_cause(
        self, private: tuple[str, ...], away: bool, passing: bool, said: str, unsaid: str
    ) -> None:
        message = validation_message({"a": ["no"], "b": ["no"]}, private, str, away=away, passing=passing)
        assert said in message
        assert unsaid not in message

    @pytest.mark.parametrize("private", [(), ("password",)])
    @pytest.mark.parametrize("words", ["Unable to connect", 'password authentication failed for user "dbz"'])
    def test_so_does_the_advice_where_no_key_is_named(self, words: str, private: tuple[str, ...]) -> None:
        message = refusal_message("create", words, private)
        assert message.startswith(f"Connect refuses the configuration at create: {words}. Correct spec.config")
        assert ("or the Secrets and references that its values come from" in message) is bool(private)
        assert message.endswith(", or check the system that it names.") is (words == "Unable to connect")

    @pytest.mark.parametrize(
        "words",
        [
            "Unable to connect: Connection to 127.0.0.1:1 refused. Check that the hostname and port are correct",
            "The connection attempt failed.",
            "java.net.UnknownHostException: db.example.com",
            "java.net.ConnectException: Connection timed out (Connection timed out)",
            "Timed out while waiting for a node assignment",
            "FATAL: the database system is starting up",
            "Communications link failure",
            "No route to host",
        ],
    )
    def test_a_system_that_cannot_be_reached_may_be_reached_again(self, words: str) -> None:
        assert may_pass({"database.hostname": [words]})
        assert not may_pass({"database.hostname": [words], "topic": ["Missing required configuration"]})

    @pytest.mark.parametrize(
        "words",
        [
            'FATAL: password authentication failed for user "dbz"',
            "Missing required configuration",
            "Invalid value many for configuration batch.size: Not a number of type INT",
            "The 'connection.timeout.ms' value is invalid: A positive integer is expected",
        ],
    )
    def test_a_value_that_is_wrong_stays_wrong(self, words: str) -> None:
        assert not may_pass({"key": [words]})
