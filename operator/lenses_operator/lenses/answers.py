"""From an answer that is no success to its error: which component answered, what the words mean, what the code says."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, ValidationError

from lenses_operator.lenses.errors import (
    KEPT,
    AgentCallFailed,
    AgentNotConnected,
    AlreadyExists,
    BadRequest,
    Conflict,
    ConnectorOrClusterNotFound,
    EnvironmentNotFound,
    Forbidden,
    LensesError,
    LensesRefused,
    LicenceRequired,
    MissingAgentCapability,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedStatus,
    UnusableAnswer,
)
from lenses_operator.lenses.models import FieldError
from lenses_operator.lenses.wording import Meaning, meaning, means_no_such_operation

_TITLE = re.compile(r"<title[^<>]*>", re.IGNORECASE)
_TITLE_END = re.compile(r"</title>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


class _AgentError(BaseModel):
    """The agent's shape of an error. Web frameworks answer `error` too, but with a `status` beside it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    error: str
    fields: tuple[FieldError, ...] | None = None
    errorType: str | None = None  # noqa: N815
    status: None = None


class _Problem(BaseModel):
    """HQ's shape of an error, problem+json; `type` is a bare word or a URI that ends in it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    type: str = "about:blank"
    title: str
    detail: str | None = None
    request_id: object = None

    @property
    def word(self) -> str:
        return re.split(r"[/:#]", self.type.rstrip("/"))[-1]


_BY_STATUS: dict[int, type[LensesRefused]] = {
    kind.usual_status: kind
    for kind in (BadRequest, Unauthorized, LicenceRequired, Forbidden, NotFound, Conflict, RateLimited)
}
_BY_WORD: dict[str, type[LensesRefused]] = {
    "agent_not_connected": AgentNotConnected,
    "missing_agent_capabilities": MissingAgentCapability,
    "licence_limitation": LicenceRequired,
    "license_limitation": LicenceRequired,
}
_DOUBTFUL = frozenset({400, 409, 500, 502, 503})
"""Codes that say little by themselves."""
_KNOWN_WORDS = frozenset({*_BY_WORD, "internal_server_error", "blank"})
"""Types of HQ's that leave the meaning to the code; `about:blank` is problem+json's for no type."""
_BY_MEANING: dict[Meaning, type[LensesRefused]] = {Meaning.REBALANCE: Conflict, Meaning.EXISTS: AlreadyExists}
# What a page means is its status for these alone: they say the same whoever in between sent them.
_PLAIN_STATUS = frozenset({401, 403, 429})


def from_answer(
    operation: str,
    status: int,
    body: bytes,
    *,
    retry_after: float | None = None,
    optional: bool = False,
    target: str = "",
) -> LensesError:
    """The error for a complete answer with a status other than 2xx. `target`: of a redirect, its host.

    `optional` marks an operation that a Lenses may lack: 404, 405, 415 and 501 then mean just that.
    """
    shape = _shape(body)
    if 300 <= status < 400:
        where = f" to {target}, which is not followed," if target else ""
        message = f"redirected{where} instead of answered (status {status}); is the URL right?"
        return UnusableAnswer(operation, message, status=status, detail=_words(shape), retry_after=retry_after)
    words = _words(shape)
    lacking = (optional and status in {404, 405, 415, 501}) or _knows_not(status, shape, words)
    usual = MissingAgentCapability if lacking else _by_status(status)
    match shape:
        case _AgentError():
            kind = ConnectorOrClusterNotFound if status == 404 and not lacking else usual
            return _by_words(status, words, kind)(
                operation,
                status=status,
                fields=shape.fields or (),
                error_type=shape.errorType,
                speaker="agent",
                detail=words,
                retry_after=retry_after,
            )
        case _Problem():
            return _by_words(status, words, _by_type(status, shape.word, usual))(
                operation,
                status=status,
                error_type=shape.word,
                speaker="HQ",
                request_id=shape.request_id,
                detail=words,
                retry_after=retry_after,
            )
        case _:
            if lacking or status >= 500 or status in _PLAIN_STATUS:
                kind = _by_words(status, words, usual)
                return kind(operation, status=status, detail=words, retry_after=retry_after)
            return unusable(operation, status, body)


def _knows_not(status: int, shape: _AgentError | _Problem | str, words: str) -> bool:
    """Whether the agent passes on that this Kafka Connect has no such operation: `stop` came with 3.5."""
    return isinstance(shape, _AgentError) and status in {404, 405} and means_no_such_operation(words)


def _by_words(status: int, words: str, otherwise: type[LensesRefused]) -> type[LensesRefused]:
    meant = meaning(words) if status in _DOUBTFUL else None
    return otherwise if meant is None else _BY_MEANING[meant]


def _by_type(status: int, word: str, usual: type[LensesRefused]) -> type[LensesRefused]:
    if word in _BY_WORD:
        return _BY_WORD[word]
    if status == 404 and usual is not MissingAgentCapability:
        return EnvironmentNotFound
    unknown = word not in _KNOWN_WORDS and status in _DOUBTFUL - {409}
    return AgentCallFailed if unknown else usual


def unusable(operation: str, status: int, body: bytes, why: str = "") -> UnusableAnswer:
    """The error for a 2xx answer that is none; `why` in our own words, never quoting the body."""
    message = f"not an answer of the Lenses API (status {status})"
    detail = "" if why else _words(_shape(body))
    return UnusableAnswer(operation, f"{message}: {why}" if why else message, status=status, detail=detail)


def _by_status(status: int) -> type[LensesRefused]:
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, UnexpectedStatus)


def _shape(body: bytes) -> _AgentError | _Problem | str:
    """Who is speaking, told by the shape alone: proxies rewrite content types. Text for neither, and for what is longer
    than any error: it would only be read to be thrown away."""
    for model in (_AgentError, _Problem) if len(body) <= 2 * KEPT else ():
        try:
            return model.model_validate_json(body)
        except ValidationError:
            continue
    return body[:KEPT].decode("utf-8", "replace")


def _words(shape: _AgentError | _Problem | str) -> str:
    match shape:
        case _AgentError():
            told = [f"{field.field}: {field.error}".strip(": ") for field in shape.fields or ()]
            return "; ".join([shape.error, *told])
        case _Problem():
            return f"{shape.title}: {shape.detail}" if shape.detail else shape.title
        case _:
            # Two steps: one pattern for both would look for the end from each of many beginnings.
            title = _TITLE.search(shape)
            end = _TITLE_END.search(shape, title.end()) if title else None
            return shape[title.end() : end.start()] if title and end else _TAG.sub(" ", shape)
