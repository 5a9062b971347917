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
    + Conflict                  a rebalance or another operation under way: 409, or by Connect's words
      - AlreadyExists           the name is taken, by Connect's words
    + RateLimited               429
    + AgentCallFailed           HQ's `agent_rpc_error`, or a type of HQ's that is not known: perhaps carried out
    + AgentNotConnected         HQ's `agent_not_connected`, whatever the status
    + MissingAgentCapability    HQ's `missing_agent_capabilities`, or an operation that this Lenses or Connect lacks
    + ServerError               5xx, an ingress's included
    + UnexpectedStatus          any other

An answer of 400, 409, 500, 502 or 503 is read by its words first (see `wording`), then by HQ's type, and only then by
its code: which of them Lenses makes of Connect's 409 is unknown.

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

from lenses_operator.lenses.models import FieldError

_SHOWN = 1000  # characters of the server's words that people get to see
KEPT = 1024 * 1024  # characters; longer words are not kept at all, since a value cut in two is not recognised
_TOO_LONG = "the server's error text is too long to be quoted"
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
        self.words = detail if len(detail) <= KEPT else _TOO_LONG
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


class PreconditionFailed(LensesError):
    """Not sent: what it was asked for did not hold any more when its turn came."""

    def __init__(self, operation: str) -> None:
        super().__init__(operation, "not sent: what it was asked for has changed meanwhile")

    @property
    def maybe_done(self) -> bool:
        return False


class LensesUnreachable(LensesError):
    """No usable answer came. Nothing was done if the request cannot have left (`maybe_done` False).

    `reason` is one of connect_error, connect_timeout, proxy_error, timeout, dropped.
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
    """400: the request is wrong as it is, or Lenses says so of something that passes. One alone is no last word."""

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
    """A rebalance, a configuration that is just being written, another operation under way. Read again.

    409 for Connect; with Lenses any code of `_DOUBTFUL` whose words say so.
    """

    usual_status = 409


class AlreadyExists(Conflict):
    """A connector of that name exists. It may be one that an earlier request of ours has created."""


class RateLimited(LensesRefused):
    """429, or held back here because the environment asked for a pause. `retry_after` says how long."""

    usual_status = 429


class AgentCallFailed(LensesRefused):
    """HQ could not tell what became of a call to the agent, or says why with a type that is not known here.

    Seen by others with status 400. Passing, and perhaps carried out.
    """

    usual_status = 502

    @property
    def maybe_done(self) -> bool:
        return True


class AgentNotConnected(LensesRefused):
    """HQ has no connection to this environment's agent; whether it broke in mid-request is not told."""

    usual_status = 503


class MissingAgentCapability(LensesRefused):
    """This Lenses, its agent or this Kafka Connect does not know the operation, so nothing was done."""

    usual_status = 501

    @property
    def maybe_done(self) -> bool:
        return False


class ServerError(LensesRefused):
    """5xx from Lenses, Connect or an ingress before them. The request may have been carried out."""

    usual_status = 500


class UnexpectedStatus(LensesRefused):
    """An error status this API does not document."""
