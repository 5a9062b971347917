"""Which names are warned of."""

from __future__ import annotations

import pytest

from lenses_operator.domain.lenses_names import odd_cluster, odd_connector, odd_environment


@pytest.mark.parametrize(
    ("name", "odd"),
    [("prod", False), ("a" * 63, False), ("0-1", False), ("a" * 64, True), ("Prod", True), ("a.b", True), ("", True)],
)
def test_environments(name: str, odd: bool) -> None:
    assert (odd_environment(name) is not None) is odd


@pytest.mark.parametrize(
    ("name", "odd"), [("Connect-EU-1", False), ("a" * 200, False), ("eu_1", True), ("a b", True), ("eu\n", True)]
)
def test_clusters(name: str, odd: bool) -> None:
    assert (odd_cluster(name) is not None) is odd


@pytest.mark.parametrize(("name", "odd"), [("a -> b", False), ("größe", False), ("a:b", True)])
def test_connectors(name: str, odd: bool) -> None:
    assert (odd_connector(name) is not None) is odd
