"""What a policy says of a resource, again and again."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.domain import policy as policy_module
from lenses_operator.domain.policy import Policy, Rule
from unit.resources.make import resource

RULES = (Rule(namespaces=("payments",), clusters=("connect-*",)), Rule(connectors=("shared-*",)))


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"namespace": "other"}, False),
        ({"cluster": "legacy"}, False),
        ({"namespace": "other", "name": "shared-orders"}, True),
        ({"cluster": "legacy", "name": "shared-orders"}, True),
    ],
)
def test_each_part_of_a_resource_counts_whatever_was_asked_before(changes: dict[str, Any], allowed: bool) -> None:
    policy = Policy(RULES)
    for _ in range(2):
        assert policy.allows(resource())
        assert policy.allows(resource(**changes)) is allowed
    assert Policy().allows(resource(**changes))
    assert not Policy(()).allows(resource(**changes))


def test_answers_are_kept_and_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pass asks, and there may be hundreds of rules."""
    asked: list[str] = []
    allows = Rule.allows

    def counted(rule: Rule, namespace: str, *connector: str) -> bool:
        asked.append(namespace)
        return allows(rule, namespace, *connector)

    monkeypatch.setattr(Rule, "allows", counted)
    monkeypatch.setattr(policy_module, "REMEMBERED", 2)
    policy = Policy(RULES[:1])
    for _ in range(3):
        assert policy.allows(resource())
    assert asked == ["payments"]
    for name in ("a", "b", "c"):
        policy.allows(resource(namespace=name))
        assert len(policy._known) <= 2
    assert policy == Policy(RULES[:1])
