"""Which namespace may use which environment, cluster and connector name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lenses_operator.resources.connector import ConnectorKey, LensesConnector

ANY = ("*",)
REMEMBERED = 20_000
"""Answers that a policy keeps: every pass asks for the same again."""


@dataclass(frozen=True)
class Rule:
    """Globs; `*` matches any characters. All four must match."""

    namespaces: Sequence[str] = ANY
    environments: Sequence[str] = ANY
    clusters: Sequence[str] = ANY
    connectors: Sequence[str] = ANY

    def allows(self, namespace: str, environment: str, cluster: str, connector: str) -> bool:
        return (
            _matches(self.namespaces, namespace)
            and _matches(self.environments, environment)
            and _matches(self.clusters, cluster)
            and _matches(self.connectors, connector)
        )


@dataclass(frozen=True)
class Policy:
    """`rules` None: no policy, everything is allowed. With rules, what none of them matches is not."""

    rules: tuple[Rule, ...] | None = field(default=None)
    _known: dict[tuple[str, ConnectorKey], bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def allows(self, resource: LensesConnector) -> bool:
        if self.rules is None:
            return True
        namespace, connector = asked = resource.metadata.namespace, resource.connector
        known = self._known.get(asked)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[asked] = any(rule.allows(namespace, *connector) for rule in self.rules)
        return known


def not_allowed_message(resource: LensesConnector) -> str:
    return (
        f"The operator's policy does not let namespace {resource.metadata.namespace} use connector "
        f"{resource.connector}. Nothing is done; ask those who run the operator for a rule that matches."
    )


def _matches(globs: Sequence[str], text: str) -> bool:
    return any(_fits(glob, text) for glob in globs)


def _fits(glob: str, text: str) -> bool:
    """Each part at its first place after the one before. A regular expression would try them all: `*a*a*a*a*b`."""
    if "*" not in glob:
        return text == glob
    first, *parts = glob.split("*")
    last = parts.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in parts:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
