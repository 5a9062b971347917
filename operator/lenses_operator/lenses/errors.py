"""
Everything that can go wrong with a request to Lenses:

* LensesError
  x LensesUnreachable           no usable answer: not connected, timed out, connection dropped
  x UnusableAnswer              an answer, but none of this API: HTML or text, a redirect, JSON of another shape
  x LensesRefused               the API said no
    + BadRequest                400, `fields` names what is wrong
    + Unauthorized              401
    + LicenceRequired           402, or HQ's `licence_limitation`
    + Forbidden                 403
    + NotFound                  404
      - ConnectorOrClusterNotFound   in the agent's own words: the agent looked and found nothing
      - EnvironmentNotFound          in HQ's words: no agent was asked
    + Conflict                  409: a rebalance, or at create a name that exists
    + RateLimited               429
    + AgentNotConnected         HQ's `agent_not_connected`, whatever the status
    + MissingAgentCapability    HQ's `missing_agent_capabilities`, or an operation this Lenses does not have
    + ServerError               5xx, an ingress's included
    + UnexpectedStatus          any other

Three parties answer: the agent with `{error, fields[], errorType}`, HQ with `{type, title, status, request_id}`, and
whatever stands in between with HTML or text. Who spoke matters most for 404: only the agent can know that a connector
is absent, a starting Connect worker answers 404 with a page to everything.

`str(error)` is one line of our own words and safe to log anywhere. The server's words may quote values of Secrets,
even such as Kubernetes never held; they are in `words` and `detail`, and `explain(redact)` joins both for people.
HQ's request id, for searching its log, ends both; `gist` is without it, since every try has another one.
"""

# ruff: noqa: N818 - names that say what happened need no suffix

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lenses_operator.lenses.models import FieldError

_SHOWN = 1000  # characters of the server's words that people get to see
_KEPT = 1024 * 1024  # characters; longer words are not kept at all, since a value cut in two is not recognised
_TOO_LONG = "the server's words are too long to be quoted"
_TITLE = re.compile(r"<title[^<>]*>", re.IGNORECASE)
_TITLE_END = re.compile(r"</title>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_SLUG = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def one_line(text: str, limit: int = _SHOWN) -> str:
    """`text` on one line and at most `limit` characters long."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class LensesError(Exception):
    """A request to Lenses that did not succeed.

    `operation` is the client method's name; `words` what the server said, whole, `detail` the same on one line and
    cut; `retry_after` the seconds the server asked to wait. Redact `words`, not `detail`: a value with line breaks,
    or one that was cut, is not recognised any more.
    """

    _reference = ""

    def __init__(
        self,
        operation: str,
        message: str = "",
        *,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.operation = operation
        self.message = one_line(message) or type(self).__name__
        self.retry_after = retry_after
        self.words = detail if len(detail) <= _KEPT else _TOO_LONG
        self.gist = f"{operation.replace('_', ' ')}: {self.message}"
        super().__init__(self.gist + self._reference)

    @property
    def detail(self) -> str:
        return one_line(self.words)

    @property
    def maybe_done(self) -> bool:
        """Whether the request may have changed something all the same: read again, never assume."""
        return True

    def explain(self, redact: Callable[[str], str]) -> str:
        """Our words and the server's; redacted while still whole, since a cut value would not be recognised."""
        words = self._quoted(redact)
        return f"{self.gist}: {words}" if words else str(self)

    def quote(self, redact: Callable[[str], str]) -> str:
        """The server's words alone, where it said any; else ours."""
        return self._quoted(redact) or str(self)

    def _quoted(self, redact: Callable[[str], str]) -> str:
        words = one_line(redact(self.words))
        return words.rstrip(".") + self._reference if words and self._reference else words


class Overtaken(LensesError):
    """Not sent: what it was asked for did not hold any more when its turn came."""

    def __init__(self, operation: str) -> None:
        super().__init__(operation, "not sent: what it was asked for has changed meanwhile")

    @property
    def maybe_done(self) -> bool:
        return False


class LensesUnreachable(LensesError):
    """No usable answer came. Nothing was done if the request cannot have left (`maybe_done` False).

    `reason` is one of connect_error, connect_timeout, pool_timeout, timeout, dropped.
    """

    def __init__(
        self,
        operation: str,
        message: str = "",
        *,
        maybe_done: bool = True,
        reason: str = "dropped",
        detail: str = "",
    ) -> None:
        super().__init__(operation, message, detail=detail)
        self.reason = reason
        self._maybe_done = maybe_done

    @property
    def maybe_done(self) -> bool:
        return self._maybe_done


class UnusableAnswer(LensesError):
    """Something answered, but not this API; `status` is the HTTP status it gave."""

    def __init__(
        self,
        operation: str,
        message: str = "",
        *,
        status: int,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(operation, message, detail=detail, retry_after=retry_after)
        self.status = status


class LensesRefused(LensesError):
    """The API answered with an error. `error_type` is the agent's errorType or the last word of HQ's type.

    `speaker`, by the shape of the answer: the agent, HQ, or empty for whatever is between. `request_id`: HQ's own, only
    where it looks like one, since it goes wherever the text goes.
    """

    usual_status: ClassVar[int] = 0

    def __init__(
        self,
        operation: str,
        message: str = "",
        *,
        status: int | None = None,
        fields: tuple[FieldError, ...] = (),
        error_type: str | None = None,
        speaker: Literal["agent", "HQ", ""] = "",
        request_id: object = None,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.speaker = speaker
        self.request_id = request_id if isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id) else None
        self._reference = f" (request id {self.request_id})" if self.request_id else ""
        self.status = self.usual_status if status is None else status
        self.fields = fields
        self.error_type = error_type
        super().__init__(operation, message or self._in_short(), detail=detail, retry_after=retry_after)

    def _in_short(self) -> str:
        kind = f" ({self.error_type})" if self.error_type and _SLUG.fullmatch(self.error_type) else ""
        return f"Lenses answered {self.status}{kind}"

    @property
    def maybe_done(self) -> bool:
        return self.status not in {400, 401, 402, 403, 404, 405, 415, 429}


class BadRequest(LensesRefused):
    """400: the request will never pass as it is."""

    usual_status = 400


class Unauthorized(LensesRefused):
    """401: the token is not known."""

    usual_status = 401


class LicenceRequired(LensesRefused):
    """402, or HQ's `licence_limitation`."""

    usual_status = 402


class Forbidden(LensesRefused):
    """403: the token lacks a permission."""

    usual_status = 403


class NotFound(LensesRefused):
    """404, told apart by its subclasses."""

    usual_status = 404


class ConnectorOrClusterNotFound(NotFound):
    """The agent's own 404. Which of the two is missing it says in prose only: ask for the cluster's info."""


class EnvironmentNotFound(NotFound):
    """HQ's 404: an environment unknown, renamed, or not permitted. Never proof that a connector is absent."""


class Conflict(LensesRefused):
    """409: a rebalance, or at create a name that exists. Read again."""

    usual_status = 409


class RateLimited(LensesRefused):
    """429, or held back here because the environment asked for a pause. `retry_after` says how long."""

    usual_status = 429


class AgentNotConnected(LensesRefused):
    """HQ has no connection to this environment's agent; whether it broke in mid-request is not told."""

    usual_status = 503


class MissingAgentCapability(LensesRefused):
    """This Lenses or its agent does not know the operation, so nothing was done."""

    usual_status = 501

    @property
    def maybe_done(self) -> bool:
        return False


class ServerError(LensesRefused):
    """5xx from Lenses, Connect or an ingress before them. The request may have been carried out."""

    usual_status = 500


class UnexpectedStatus(LensesRefused):
    """An error status this API does not document."""


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
    """The error that a finished answer with a status other than 2xx stands for. `target`: of a redirect, its host.

    `optional` marks an operation that a Lenses may lack: 404, 405, 415 and 501 then mean just that.
    """
    shape = _shape(body)
    if 300 <= status < 400:
        where = f" to {target}, which is not followed," if target else ""
        message = f"redirected{where} instead of answered (status {status}); is the URL right?"
        return UnusableAnswer(operation, message, status=status, detail=_words(shape), retry_after=retry_after)
    lacking = optional and status in {404, 405, 415, 501}
    usual = MissingAgentCapability if lacking else _by_status(status)
    match shape:
        case _AgentError():
            kind = ConnectorOrClusterNotFound if status == 404 and not lacking else usual
            return kind(
                operation,
                status=status,
                fields=shape.fields or (),
                error_type=shape.errorType,
                speaker="agent",
                detail=_words(shape),
                retry_after=retry_after,
            )
        case _Problem():
            kind = EnvironmentNotFound if status == 404 and not lacking else usual
            return _BY_WORD.get(shape.word, kind)(
                operation,
                status=status,
                error_type=shape.word,
                speaker="HQ",
                request_id=shape.request_id,
                detail=_words(shape),
                retry_after=retry_after,
            )
        case _:
            if lacking or status >= 500 or status in _PLAIN_STATUS:
                return usual(operation, status=status, detail=_words(shape), retry_after=retry_after)
            return unusable(operation, status, body)


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
    """Who is speaking, told by the shape alone: proxies rewrite content types. Text for neither."""
    for model in (_AgentError, _Problem):
        try:
            return model.model_validate_json(body)
        except ValidationError:
            continue
    return body[:_KEPT].decode("utf-8", "replace")


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
