"""What Lenses says, asked once where that suffices: one list for each environment, details of what the files name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from lenses_operator.controllers.problems import problem_of
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.plugins import installed, not_found_message
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.render import Rendered
from lenses_operator.domain.situation import Refusal
from lenses_operator.domain.validation import is_name, refusal_message, resolves, validation_message, withhold
from lenses_operator.domain.value_masking import may_be_secret
from lenses_operator.lenses import errors
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import BadRequest, Forbidden, LensesError, MissingAgentCapability, ServerError
from lenses_operator.lenses.models import ConnectorRequest
from lenses_operator.lenses_state.password_types import hidden_keys, own_keys, password_keys
from lenses_operator.lenses_state.reader import Reader
from lenses_operator.resources.connector import ConnectorKey, LensesConnector, UpdateStrategy

Redact = Callable[[str], str]


class LensesView:
    """Raises LensesError."""

    def __init__(self, client: LensesClient) -> None:
        self._client = client
        self._observer = Reader(client, time.monotonic)
        self._known: dict[str, LensesError | None] = {}
        self._plugins: dict[tuple[str, str], asyncio.Lock] = {}
        self._passwords: dict[tuple[str, str, str], set[str]] = {}
        self._typed: dict[tuple[str, str, str], set[str]] = {}

    async def open(self, environments: Iterable[str]) -> None:
        """One list each: what is wrong with an environment is found once, and not by every connector."""

        async def look(environment: str) -> None:
            try:
                await self._client.list_connectors(environment)
                self._known[environment] = None
            except LensesError as error:
                self._known[environment] = error

        await asyncio.gather(*map(look, sorted(set(environments))))

    async def observe(self, connector: ConnectorKey) -> Observed:
        """With details; absence is proven, since a list leaves out what the token may not see."""
        trouble = self._known.get(connector.environment)
        if trouble is not None:
            raise trouble
        return await self._observer.details(connector)

    async def strategy(self, connector: ConnectorKey) -> UpdateStrategy:
        """What Auto comes to for a connector that exists. Raises LensesError."""
        try:
            await self._client.get_resource(*connector)
        except (MissingAgentCapability, Forbidden):
            return UpdateStrategy.RECREATE
        return UpdateStrategy.IN_PLACE

    async def offsets(self, connector: ConnectorKey) -> str:
        """JSON text, to the letter."""
        trouble = self._known.get(connector.environment)
        if trouble is not None:
            raise trouble
        return (await self._client.get_offsets(*connector)).text

    async def verdict(
        self, resource: LensesConnector, wanted: Rendered, redact: Redact
    ) -> tuple[Refusal, tuple[str, ...]] | None:
        """What Connect has against the configuration, with the keys it names; None where it has nothing."""
        key = resource.connector
        request = ConnectorRequest(name=key.name, cluster=key.cluster, configuration=wanted.config)
        keys: tuple[str, ...] = ()
        try:
            result = await self._client.validate(key.environment, request)
        except BadRequest as error:
            message = self._refused(error, wanted, redact)
        except ServerError as error:
            if await self.missing(resource) is None:
                raise
            message = self._refused(error, wanted, redact)
        else:
            self._learn(resource, {one.name for one in result.fields}, hidden_keys(result.fields, wanted.config))
            if not result.errors:
                return None
            names = {key: key if key in wanted.private else redact(key) for key in result.errors}
            private = wanted.private | {names[key] for key in names if self._is_secret(resource, key)}
            message = validation_message(
                {names[key]: words for key, words in result.errors.items()},
                private,
                redact,
                resolved=resolves(wanted.config),
            )
            keys = tuple(key for key in sorted(result.errors) if is_name(key, redact))
        missing = await self.missing(resource)
        reason = Reason.PLUGIN_NOT_FOUND if missing else Reason.CONFIG_INVALID
        refusal = Refusal(wanted.fingerprint, reason, missing or message, resource.metadata.generation)
        return refusal, ("class",) if missing else keys

    async def passwords(self, resource: LensesConnector, keys: Iterable[str]) -> frozenset[str]:
        """Those keys that Connect takes for passwords; none where it cannot be asked."""
        place = _class_place(resource)
        unknown = own_keys(keys) - self._typed.get(place, set())
        if unknown:
            try:
                self._learn(resource, unknown, await password_keys(self._client, *place, unknown))
            except LensesError:
                self._learn(resource, unknown, frozenset())
        return frozenset(self._passwords.get(place, ()))

    def _learn(self, resource: LensesConnector, typed: Iterable[str], passwords: Iterable[str]) -> None:
        place = _class_place(resource)
        self._typed.setdefault(place, set()).update(typed)
        self._passwords.setdefault(place, set()).update(passwords)

    def _is_secret(self, resource: LensesConnector, key: str) -> bool:
        return key in self._passwords.get(_class_place(resource), ()) or may_be_secret(key)

    async def missing(self, resource: LensesConnector) -> str | None:
        """A message if the class is not among the cluster's plugins; None if it is, or if they cannot be read."""
        key = resource.connector
        async with self._plugins.setdefault((key.environment, key.cluster), asyncio.Lock()):
            try:
                plugins = await self._observer.plugins(key)
            except LensesError:
                return None
        if not plugins or installed(resource.spec.class_name, plugins):
            return None
        return not_found_message(resource.spec.class_name, key.cluster, plugins)

    @staticmethod
    def _refused(error: LensesError, wanted: Rendered, redact: Redact) -> str:
        words = error.quote(lambda words: redact(withhold(words, wanted.config)))
        return refusal_message("validate", words, wanted.private)


def _class_place(resource: LensesConnector) -> tuple[str, str, str]:
    key = resource.connector
    return key.environment, key.cluster, resource.spec.class_name


def trouble(error: LensesError, connector: ConnectorKey, redact: Redact) -> tuple[str, str]:
    """(reason, message); the token is the user's, not the operator's."""
    match error:
        case errors.Unauthorized():
            return (
                Reason.UNAUTHORIZED,
                f"Lenses does not accept the token ({error}). Give a valid one with --token-file.",
            )
        case errors.Forbidden():
            return Reason.FORBIDDEN, (
                f"The token may not do this in environment {connector.environment} ({error}). Planning takes the right "
                "to see connectors and to validate."
            )
    found = problem_of(error, connector, redact)
    return found.reason, found.message
