"""Values of Secrets, and tokens, are dropped once nothing can need them any more."""

from __future__ import annotations

import asyncio

from lenses_operator.cache.connectors import ConnectorCache
from lenses_operator.controllers.inputs import Inputs
from lenses_operator.domain.references import RefName
from lenses_operator.lenses_state.sessions import Sessions
from lenses_operator.resources.connector import ConnectorKey

PAUSE = 60.0
"""Seconds between two looks. What two of them find unneeded goes: Lenses may show for a while what was before, and the
resource may come back at once, as with a delete and an apply."""


class Forgetting:
    """What a connector was given is dropped when no resource names it and no deletion is pending; a token when its
    Secret is named by none, deleting ones and tombstones included."""

    def __init__(self, cache: ConnectorCache, inputs: Inputs, sessions: Sessions) -> None:
        self._cache = cache
        self._inputs = inputs
        self._sessions = sessions
        self._unneeded: set[ConnectorKey | str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """There is something by now that will have to be forgotten."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._look)

    def _look(self) -> None:
        self._timer = None
        connectors = {one for one in self._inputs.given if not self._cache.names(one)}
        tokens = {
            session_id
            for session_id, namespace, name in self._sessions.brought_by_resources()
            if not self._cache.refers(namespace, RefName("Secret", name))
        }
        for connector in connectors & self._unneeded:
            self._inputs.forget(connector)
        for token in tokens & self._unneeded:
            self._sessions.forget(token)
        self._unneeded = (connectors | tokens) - self._unneeded
        if self._inputs.given or self._sessions.brought_by_resources():
            self.begin()
