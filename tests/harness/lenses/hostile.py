"""The persona `hostile`: every unknown about Lenses answered to the harm of who relies on it.

No source supports what stands here as a whole. Seen or documented are: that lists may fail, that reads may be cached,
that a configuration may be hidden, that a lost right shows as absence, and HQ's `agent_rpc_error`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from harness.lenses.answers import JSON, PROBLEM, Answer, agent_error, parsed_error, problem, words_of
from harness.lenses.backend import listing
from harness.lenses.call import Call
from harness.lenses.operations import CHANGING, GET_RESOURCE, PUT_RESOURCE
from harness.lenses.switches import Switches, among

LIMIT = 32 * 1024 * 1024
CACHED = frozenset({"GetConnector", "GetConnectorOffsets", "GetConnectorTopics", "ListConnectors", "ListPlugins"})
REBALANCING = frozenset({"CreateConnector", "DeleteConnector", PUT_RESOURCE})
REBALANCE = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
Proceed = Callable[[], Awaitable[Answer]]


class Hostile:
    """Switches, and what has to be remembered for them."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self._reads: dict[str, tuple[float, Answer]] = {}
        self._rebalancing: dict[tuple[str, str], float] = {}
        self._rpc_errors = 0

    async def remembered(self, call: Call, proceed: Proceed) -> Answer:
        """A read as it was answered before, while that is fresh enough: a 404 too, and without a look at writes."""
        if not self.switches.cached_reads or call.operation not in CACHED:
            return await proceed()
        label = call.token.label if call.token else ""
        key = json.dumps([label, call.operation, call.params, call.target.query], sort_keys=True)
        found = self._reads.get(key)
        if found is not None and time.monotonic() - found[0] < self.switches.cached_reads:
            return found[1]
        begin = time.monotonic()
        answer = await proceed()
        if answer.status in (200, 404):
            self._reads[key] = begin, replace(answer, foreign=True)
        return answer

    async def meet(self, call: Call, proceed: Proceed) -> Answer:
        """The answer in place of the real one, or the real one with its effect; then a conflict's other status."""
        answer = self._absent(call) or self._worker(call)
        if answer is None and call.operation == "ListConnectors":
            answer = await self._list(call)
        answer = answer or await self._agent(call, proceed)
        answer = self._left_out(call, answer)
        if call.operation == "GetConnector" and answer.status == 200 and self.switches.hide_config:
            answer = self._hidden(answer)
        if answer.status == 409 and self.switches.conflict_as:
            # a guess: which status Lenses gives to Connect's 409 is told nowhere
            return agent_error(self.switches.conflict_as, words_of(answer))
        return answer

    # in place of the real answer
    def _absent(self, call: Call) -> Answer | None:
        """What has become invisible."""
        switches = self.switches
        if call.operation == GET_RESOURCE and switches.hide_config:
            return agent_error(403, "Not permitted to read this configuration")  # a guess
        if not self._blinds(call) or call.operation.startswith("List"):
            return None
        if call.clusters and among(switches.blind_clusters, call.clusters[0]):
            return agent_error(404, f"Connect cluster {call.clusters[0]} not found")
        if call.connector is None or call.operation in ("CreateConnector", "ValidateConnector"):
            return None
        if not among(switches.blind_connectors, call.connector):
            return None
        if call.operation == "GetConnectorTopics":
            return Answer(200, b"[]")
        return agent_error(404, f"Connector {call.connector} not found")

    def _blinds(self, call: Call) -> bool:
        return self.switches.blind and call.token is not None and among(self.switches.blind_tokens, call.token.label)

    def _worker(self, call: Call) -> Answer | None:
        """A worker that restarts, or one whose group rebalances."""
        if call.clusters and all(among(self.switches.jetty, name) for name in call.clusters):
            return self._starting()
        if call.operation not in CHANGING and call.operation != "ValidateConnector":
            return None
        environment, now = call.params["environment"], time.monotonic()
        busy = any(self._rebalancing.get((environment, name), 0.0) > now for name in call.clusters)
        return agent_error(409, REBALANCE) if busy else None

    def _starting(self) -> Answer:
        if self.switches.jetty_as == "agent":
            return agent_error(404, "Not Found")  # a guess: the worker's `message` taken for Connect's own
        page = {"servlet": "-", "message": "Not Found", "url": "/connectors", "status": "404"}
        return Answer(404, json.dumps(page).encode(), JSON, foreign=True)

    async def _list(self, call: Call) -> Answer | None:
        switches = self.switches
        globs = switches.lists_clusters
        if not switches.lists or not (globs == ("*",) or any(among(globs, name) for name in call.clusters)):
            return None
        if switches.lists == "hang":
            await asyncio.sleep(switches.lists_seconds)
        elif switches.lists == "fail":
            return agent_error(switches.lists_status or 500, "The connectors could not be listed")  # a guess: its shape
        elif switches.lists == "huge":
            return huge(switches.lists_status or 502)
        return None

    async def _agent(self, call: Call, proceed: Proceed) -> Answer:
        """The real answer, unless HQ lost the agent over it: before or after it had its effect."""
        lost, done = self._loses(call)
        if lost and not done:
            return self._rpc_error()
        answer = await proceed()
        if self.switches.rebalance and call.operation in REBALANCING and answer.status < 300:
            until = time.monotonic() + self.switches.rebalance
            self._rebalancing |= {(call.params["environment"], name): until for name in call.clusters}
        return self._rpc_error() if lost else answer

    def _loses(self, call: Call) -> tuple[bool, bool]:
        """Whether HQ loses the agent over it, and whether it is carried out all the same."""
        switches = self.switches
        if call.operation not in switches.agent_rpc_error:
            return False, False
        self._rpc_errors += 1
        if switches.agent_rpc_times is not None and self._rpc_errors > switches.agent_rpc_times:
            return False, False
        if switches.agent_rpc_done == "alternate":
            return True, self._rpc_errors % 2 == 0
        return True, bool(switches.agent_rpc_done)

    def _rpc_error(self) -> Answer:
        """HQ's own word for it; the status is a guess."""
        return problem("agent_rpc_error", "The agent did not carry out the call", self.switches.agent_rpc_status)

    # what becomes of the real answer
    def _left_out(self, call: Call, answer: Answer) -> Answer:
        """A list without what it silently leaves out."""
        if answer.status != 200 or call.operation not in ("ListConnectors", "ListPlugins"):
            return answer
        gone = self.switches.jetty
        if self._blinds(call):
            gone += self.switches.blind_clusters
        if call.operation == "ListPlugins":
            items = json.loads(answer.body)["data"]
            kept = [item for item in items if not among(gone, item["cluster"])]
            return answer if len(kept) == len(items) else replace(answer, body=json.dumps({"data": kept}).encode())
        if call.listed is None:
            return answer
        gone += self.switches.lists_clusters if self.switches.lists == "miss" else ()
        names = self.switches.blind_connectors if self._blinds(call) else ()
        kept_entries = [e for e in call.listed if not among(gone, e["cluster"]) and not among(names, e["name"])]
        if len(kept_entries) == len(call.listed):
            return answer
        call.listed = kept_entries
        return listing(kept_entries)

    def _hidden(self, answer: Answer) -> Answer:
        """Details without their configuration."""
        details: dict[str, Any] = json.loads(answer.body)
        details.pop("config", None)
        null = self.switches.hide_config == "null"
        if null:
            details["config"] = None
        reason = {"field": "config", "reason": "You do not have permission to see this field"}
        details["__errors"] = [*(details.get("__errors") or []), reason]
        return replace(answer, body=json.dumps(details).encode(), foreign=answer.foreign or null)

    def retold(self, answer: Answer) -> Answer:
        """An error in another shape, in other words: nothing to tell its cause by."""
        switches = self.switches
        if switches.unknown_type and answer.status in switches.unknown_type_statuses:
            answer = reclassified(answer, switches.unknown_type)
        return reworded(answer, switches.reworded) if switches.reworded else answer


def reclassified(answer: Answer, kind: str) -> Answer:
    """What the agent says in HQ's shape, with this type: a guess."""
    if parsed_error(answer) is None or answer.content_type == PROBLEM:
        return answer
    return replace(problem(kind, words_of(answer), answer.status), headers=answer.headers)


def reworded(answer: Answer, words: str) -> Answer:
    """An error of the agent's or HQ's in other words: a guess."""
    error = parsed_error(answer)
    if error is None:
        return answer
    if answer.content_type == PROBLEM:
        body = error | {"title": words}
    else:
        fields = [{**field, "error": words} for field in error.get("fields") or []]
        body = {"error": words, "fields": fields, "errorType": "Failure"}
    return replace(answer, body=json.dumps(body).encode())


def huge(status: int) -> Answer:
    """HQ's word for an answer that is too big for its way from the agent (a guess), or with 200 that answer itself."""
    if status != 200:
        return problem("internal_server_error", f"received message larger than max ({LIMIT + 1} vs. {LIMIT})", status)
    padding = b" " * (LIMIT + 1)
    return Answer(200, b'{"data": [' + padding + b"]}", foreign=True)
