"""What a pass needs before it asks Lenses: the referenced objects, the token, the rendered configuration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from lenses_operator.controllers.redaction import Confidential
from lenses_operator.domain.policy import Policy
from lenses_operator.domain.references import RefData, ReferenceNotFound, References, RefName, named
from lenses_operator.domain.render import ConfigInvalid, Rendered, render
from lenses_operator.domain.secret_digest import with_digest, with_known_versions
from lenses_operator.lenses_state.sessions import Session, Sessions
from lenses_operator.resources.connector import ConnectorKey, LensesConnector, TokenRef

TOKEN_LIMIT = 64 * 1024
"""Characters, as for the operator's own; no server takes a header of more."""


class ReferenceReader(Protocol):
    """Raises ReferenceNotFound where the operator may not read the object."""

    def version(self, namespace: str, ref: RefName) -> str | None:
        """Of what was read last; None where nobody is told of its changes."""

    async def read(self, namespace: str, ref: RefName) -> RefData | None: ...


class Inputs:
    """`token_changed` is called with a session's id when the token in its Secret is another one than before.
    `digest_key`: for what status keeps of Secrets."""

    def __init__(
        self,
        reader: ReferenceReader,
        sessions: Sessions,
        policy: Callable[[], Policy],
        token_changed: Callable[[str], None],
        digest_key: Callable[[], bytes | None],
    ) -> None:
        self._reader = reader
        self._sessions = sessions
        self._policy = policy
        self._token_changed = token_changed
        self._digest_key = digest_key
        self._confidential: dict[ConnectorKey, Confidential] = defaultdict(Confidential)

    def confidential(self, resource: LensesConnector) -> Confidential:
        """Of its connector, also from the resource that owned it before."""
        return self._confidential[resource.connector]

    @property
    def given(self) -> list[ConnectorKey]:
        """The connectors of which it is known what they were given."""
        return list(self._confidential)

    def forget(self, connector: ConnectorKey) -> None:
        self._confidential.pop(connector, None)

    def allowed(self, resource: LensesConnector) -> bool:
        return self._policy().allows(resource)

    async def references(self, resource: LensesConnector) -> References:
        """Every object the spec names. While it is being deleted only the token matters, and it may be gone."""
        namespace, spec = resource.metadata.namespace, resource.spec
        if not resource.metadata.deleting:
            return {ref: await self._reader.read(namespace, ref) for ref in sorted(named(spec))}
        if spec.token_secret_ref is None:
            return {}
        ref = RefName("Secret", spec.token_secret_ref.name)
        try:
            return {ref: await self._reader.read(namespace, ref)}
        except ReferenceNotFound:
            return {ref: None}

    def session(self, resource: LensesConnector, references: References) -> Session:
        """With the token the resource brings, else with the operator's own. Raises ReferenceNotFound, ConfigInvalid."""
        ref = resource.spec.token_secret_ref
        if ref is None:
            return self._sessions.own
        session_id = f"{resource.metadata.namespace}/{ref.name}/{ref.key}"
        try:
            value = _token(ref, references)
        except (ReferenceNotFound, ConfigInvalid):
            if not resource.metadata.deleting:
                raise
            # The token last read serves for the deletion; after a restart the operator's own, where policy lets it.
            known = self._sessions.known(session_id)
            if known is not None:
                return known
            if not self.allowed(resource):
                raise
            return self._sessions.own
        session, changed = self._sessions.with_token(session_id, value)
        if changed:
            self._token_changed(session_id)
        return session

    def render(self, resource: LensesConnector, references: References) -> Rendered:
        """Raises ReferenceNotFound, ConfigInvalid. What is being deleted needs no configuration."""
        if resource.metadata.deleting:
            return Rendered({})
        found = with_digest(render(resource.spec, references), self._digest_key(), resource.metadata.uid)
        return with_known_versions(found, resource.status.applied_config)


def _token(ref: TokenRef, references: References) -> str:
    found = references.get(RefName("Secret", ref.name))
    where = f"spec.tokenSecretRef refers to key {ref.key!r} of Secret {ref.name}"
    if found is None:
        raise ReferenceNotFound(f"{where}, which does not exist in this namespace. Create it with a Lenses token.")
    if ref.key not in found.data:
        raise ReferenceNotFound(f"{where}, which has no such key. Add the key with a Lenses token.")
    try:
        value = found.data[ref.key].decode("ascii").strip()
    except UnicodeDecodeError:
        value = ""
    if not value or len(value) > TOKEN_LIMIT or not value.isprintable() or " " in value:
        raise ConfigInvalid(f"{where}, whose value is no token: it must be one word of plain text.")
    return value
