"""The persona `documented`: the OpenAPI file to the letter, so its statuses and the agent's shape alone.

The file names no 409 and no 5xx but 500. What Lenses makes of Connect's 409 is told nowhere; here an existing name is
400 and everything else that Connect refuses so (a rebalance) 500. Both are guesses.
"""

from __future__ import annotations

from harness.lenses.answers import Answer, agent_error, parsed_error, words_of
from harness.lenses.call import Call
from harness.lenses.operations import BESIDE

DECLARED = frozenset({400, 401, 402, 403, 404, 500})
_BESIDE = frozenset(operation for _, _, operation in BESIDE)


def to_the_letter(call: Call, answer: Answer) -> Answer:
    """An error as the file declares it; the file says nothing of the endpoints beside it."""
    if answer.status < 400 or not call.operation or call.operation in _BESIDE:
        return answer
    words = words_of(answer)
    if parsed_error(answer) is None:
        return agent_error(500, words)  # a guess: a page of the worker's is nothing that the agent understands
    status = answer.status
    if status == 409:
        status = 400 if "already exists" in words else 500
    elif status not in DECLARED:
        status = 500  # a guess, for 502 and 503 of the way to Connect
    if status == answer.status and "error" in (parsed_error(answer) or {}):
        return answer
    return agent_error(status, words)
