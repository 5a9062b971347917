"""Answers in the shapes a client of Lenses meets: the agent's, HQ's, and those of things in front of or behind them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
PROBLEM = "application/problem+json"
YAML = "application/yaml"
HTML = "text/html;charset=iso-8859-1"

# errorType and its words are guesses: the file has the field alone
ERROR_TYPES = {
    400: "BadRequest",
    401: "Unauthorized",
    402: "LicenseError",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
}
# the words are documented; their statuses are guesses, 501, 502 and 503 above all
PROBLEM_STATUS = {
    "agent_not_connected": 503,
    "agent_rpc_error": 502,
    "forbidden": 403,
    "internal_server_error": 500,
    "licence_limitation": 402,
    "missing_agent_capabilities": 501,
    "not_found": 404,
    "unauthorised": 401,
}


@dataclass(slots=True)
class Answer:
    """What goes back over the wire.

    `foreign` marks what is not held against the OpenAPI file: a proxy's page, an injected fault, what a persona makes
    of an answer. `unseen` names what was refused because the token does not see it (environment, cluster, connector).
    """

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    foreign: bool = False
    unseen: str | None = None


class Refused(Exception):  # noqa: N818 - it carries an answer, it is not an error of ours
    """Ends processing with an answer that is not a success."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}: {answer.body[:200]!r}")
        self.answer = answer


def agent_error(status: int, message: str, fields: list[dict[str, Any]] | None = None) -> Answer:
    """The agent's shape: {error, fields, errorType}."""
    body = {"error": message, "fields": fields or [], "errorType": ERROR_TYPES.get(status, "InternalError")}
    return Answer(status, json.dumps(body).encode())


def problem(kind: str, title: str, status: int | None = None) -> Answer:
    """HQ's shape, RFC 7807."""
    code = status if status is not None else PROBLEM_STATUS.get(kind, 500)
    return Answer(code, json.dumps({"type": kind, "title": title, "status": code}).encode(), PROBLEM)


def unseen(what: str, name: str) -> Refused:
    """Refuses what lies outside the token's globs; under some personas that is answered as if it did not exist."""
    answer = agent_error(403, f"Not permitted on {what} {name}")
    answer.unseen = what
    return Refused(answer)


def html(status: int, message: str) -> Answer:
    """A page such as Jetty's or an ingress'."""
    page = (
        f"<html><head><title>Error {status}</title></head><body><h2>HTTP ERROR {status} {message}</h2></body></html>\n"
    )
    return Answer(status, page.encode("iso-8859-1", "replace"), HTML, foreign=True)


def parsed_error(answer: Answer) -> dict[str, Any] | None:
    """The body of an error in the agent's or HQ's shape; None for everything else."""
    if answer.status < 400 or answer.content_type not in (JSON, PROBLEM):
        return None
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) and ("error" in body or "title" in body) else None


def words_of(answer: Answer) -> str:
    """What an error says."""
    body = parsed_error(answer)
    if body is None:
        return answer.body[:200].decode("utf-8", "replace")
    return str(body.get("error", body.get("title")))


def refuse(status: int, message: str, fields: list[dict[str, Any]] | None = None) -> Refused:
    return Refused(agent_error(status, message, fields))
