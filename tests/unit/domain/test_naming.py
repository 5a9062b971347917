"""Names of resources for connectors."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenses_operator.domain.naming import Connector, is_addressable, object_name, object_names

VALID = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAMES = st.text("aAbB1-._ é>", min_size=1) | st.text(min_size=1)


@settings(deadline=None)
@given(NAMES)
def test_every_name_becomes_a_valid_one(name: str) -> None:
    assert VALID.fullmatch(object_name(name))
    assert len(object_name(name)) <= 240


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("orders", "orders"),
        ("Orders_S3 Sink", "orders-s3-sink"),
        ("prim->sec.MirrorSourceConnector", "prim-sec.mirrorsourceconnector"),
        ("a..b-.c", "a.b.c"),
        ("-x-", "x"),
        ("1.2", "1.2"),
    ],
)
def test_it_stays_readable(name: str, found: str) -> None:
    assert object_name(name) == found


@settings(deadline=None)
@given(st.sets(st.tuples(st.sampled_from(["eu", "us", "EU"]), NAMES), max_size=12), st.randoms())
def test_no_two_alike_whatever_the_order(pairs: set[tuple[str, str]], random: Random) -> None:
    connectors = [Connector(*pair) for pair in sorted(pairs)]
    names = object_names(connectors)
    assert len(set(names.values())) == len(connectors)
    assert all(VALID.fullmatch(name) for name in names.values())
    random.shuffle(connectors)
    assert object_names(connectors) == names


def test_collisions_are_told_apart_by_cluster() -> None:
    names = object_names([Connector("eu", "orders"), Connector("us", "orders"), Connector("us", "lines")])
    assert sorted(names.values()) == ["lines", "orders-eu", "orders-us"]


def test_the_one_called_exactly_so_keeps_its_name() -> None:
    names = object_names([Connector("eu", "orders"), Connector("eu", "Orders"), Connector("eu", "ORDERS")])
    assert names["eu", "orders"] == "orders"  # type: ignore[index]
    assert all(name.startswith("orders-eu-") for key, name in names.items() if key.name != "orders")


def test_a_longer_name_does_not_take_anothers() -> None:
    names = object_names([Connector("eu", "a"), Connector("us", "a"), Connector("us", "a-eu")])
    assert names[Connector("us", "a-eu")] == "a-eu"
    assert names[Connector("eu", "a")].startswith("a-eu-")


@pytest.mark.parametrize("name", ["a", "a b", "prim->sec.X", "é", "x" * 249, "..."])
def test_addressable(name: str) -> None:
    assert is_addressable(name)


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a/b", "a%b", "{a}", "a\n", "a\x00", ".", "..", "x" * 250, "a#", "a?"]
)
def test_not_addressable(name: str) -> None:
    assert not is_addressable(name)
