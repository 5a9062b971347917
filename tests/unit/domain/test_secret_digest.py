"""The digest that status keeps of a Secret's data: equal for the same data alone, and of no use without the key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.render import Rendered, SecretValue
from lenses_operator.domain.secret_digest import with_digest, with_known_versions
from lenses_operator.resources.connector import AppliedConfig, SecretVersion

KEY = b"k" * 32
VALUES = st.dictionaries(st.sampled_from("abc"), st.text(max_size=3), min_size=1)


def rendered(values: dict[str, str], version: str = "1", name: str = "db") -> Rendered:
    secrets = {key: SecretValue(name, key, version) for key in values}
    given = frozenset(SecretVersion(name=name, key=key, resource_version=version) for key in values)
    return Rendered({**values, "plain": "x"}, secrets, frozenset(values.values()), given)


def digest(one: Rendered, key: bytes | None = KEY, uid: str = "uid") -> str:
    return with_digest(one, key, uid).digest


@given(VALUES, VALUES)
def test_equal_for_the_same_values_of_the_same_keys_alone(one: dict[str, str], other: dict[str, str]) -> None:
    assert (digest(rendered(one)) == digest(rendered(other, version="2"))) == (one == other)


def test_it_takes_the_key_and_tells_nothing_about_another_resource() -> None:
    one = rendered({"a": "hunter2"})
    elsewhere = rendered({"a": "hunter2"}, name="x")
    assert len({digest(one), digest(one, b"x" * 32), digest(one, uid="other"), digest(elsewhere)}) == 4
    assert "hunter2" not in digest(one)
    assert digest(one, None) == ""
    assert digest(Rendered({"a": "b"})) == "", "nothing comes from a Secret"


@pytest.mark.parametrize(
    ("applied", "version"),
    [("same", "1"), ("other data", "2"), ("other key", "2"), ("none", "2"), ("not applied", "2")],
)
def test_versions_that_status_knows_are_taken_for_the_same_data_alone(applied: str, version: str) -> None:
    before = with_digest(rendered({"a": "x", "b": "y"}), KEY if applied != "other key" else b"z" * 32, "uid")
    status = AppliedConfig(hash=before.hash, secrets=before.secret_versions, secrets_digest=before.digest)
    if applied == "none":
        status = status.model_copy(update={"secrets_digest": None})
    now = with_digest(rendered({"a": "x", "b": "y" if applied != "other data" else "z"}, "2"), KEY, "uid")
    found = with_known_versions(now, None if applied == "not applied" else status)
    assert {one.resource_version for one in found.secrets.values()} == {version}
    assert {one.resource_version for one in found.given_versions} == {version}
    assert replace(found, secrets=now.secrets, given_versions=now.given_versions) == now


def test_a_secret_that_was_replaced_by_a_later_one_keeps_its_version() -> None:
    before = with_digest(rendered({"a": "x"}), KEY, "uid")
    status = AppliedConfig(hash="", secrets=before.secret_versions, secrets_digest=before.digest)
    other = SecretVersion(name="other", key="a", resource_version="9")
    now = with_digest(rendered({"a": "x"}, "2"), KEY, "uid")
    now = replace(now, given_versions=now.given_versions | {other})
    assert with_known_versions(now, status).given_versions == before.given_versions | {other}
