"""Lenses as seen with one token: the operator's own, or one that a resource brings. One says nothing of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses_state.reader import Reader

OPERATORS_OWN = "operator"


class ResourceToken:
    """A token from a Secret; its value is set whenever the Secret is read."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "ResourceToken(…)"

    def current(self) -> str:
        return self._value

    def refresh(self) -> bool:
        """The Secret is read by passes, not in the middle of a request."""
        return False

    def set(self, value: str) -> bool:
        """True if it is another one than before."""
        changed, self._value = value != self._value, value
        return changed


@dataclass(frozen=True)
class Session:
    """`id` is safe to show. `brought`: the token, if a resource brings it."""

    id: str
    client: LensesClient
    reader: Reader
    resource_token: ResourceToken | None = None

    @property
    def token_name(self) -> str | None:
        """Where the token comes from, for people; None for the operator's own."""
        return None if self.resource_token is None else "Secret {1}, key {2}".format(*self.id.split("/", 2))

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset({self.resource_token.current()}) if self.resource_token else frozenset()


class Sessions:
    """One for each token, kept until it is forgotten: a deletion may need a token whose Secret is gone."""

    def __init__(self, client: LensesClient, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._client = client
        self.own = Session(OPERATORS_OWN, client, Reader(client, clock))
        self._resource_tokens: dict[str, Session] = {}

    def known(self, session_id: str) -> Session | None:
        return self._resource_tokens.get(session_id)

    def brought_by_resources(self) -> list[tuple[str, str, str]]:
        """Id, namespace and name of the Secret of each that a resource brought."""
        parts = [(session_id, session_id.split("/", 2)) for session_id in self._resource_tokens]
        return [(session_id, namespace, name) for session_id, (namespace, name, _) in parts]

    def forget(self, session_id: str) -> None:
        self._resource_tokens.pop(session_id, None)

    def with_token(self, session_id: str, value: str) -> tuple[Session, bool]:
        """The session, and whether its token is another one than the last time."""
        session = self._resource_tokens.get(session_id)
        if session is not None and session.resource_token is not None:
            return session, session.resource_token.set(value)
        token = ResourceToken(value)
        client = self._client.with_tokens(token)
        session = Session(session_id, client, Reader(client, self._clock), token)
        self._resource_tokens[session_id] = session
        return session, False
