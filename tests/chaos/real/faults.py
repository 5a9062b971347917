"""Every fault and every lie the Lenses server for tests knows, as the storm uses it; `test_tables` sees that none is
left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.lenses.control import HostileSwitches

READS = ["ListConnectors", "GetConnector", "GetClusterInfo", "GetConnectorOffsets", "GetConnectorTopics"]
WRITES = ["CreateConnector", "DeleteConnector", "ConnectorState", "AlterConnectorOffsets", "ResetConnectorOffsets"]


@dataclass(frozen=True)
class Row:
    """`slow`: the operator takes it for something a person has to mend, and looks again after half a minute or more.
    `lies`: it shows another configuration than the connector has. `some`: of one connector in ten only."""

    name: str
    fault: dict[str, Any]
    slow: bool = False
    lies: bool = False
    some: bool = False
    seconds: tuple[float, float] = field(default=(1.0, 4.0))


def _fails(name: str, status: int, *, shape: str = "agent", slow: bool = False, **more: Any) -> Row:
    return Row(name, {"status": status, "shape": shape, **more}, slow=slow)


TABLE = (
    Row("slow", {"latency": 1.5}),
    Row("slow writes", {"latency": 2.5, "operation": WRITES}),
    _fails("busy", 503, shape="agent"),
    _fails("broken", 500, shape="hq", type="internal_server_error", message="it broke"),
    _fails("bad gateway", 502, shape="html"),
    _fails("timed out", 504, shape="text"),
    _fails("empty", 500, shape="empty"),
    _fails("too many", 429, headers={"Retry-After": "1"}),
    _fails("rebalance", 409, operation=WRITES, message="Cannot complete request because of a conflicting operation"),
    _fails("unknown environment", 404, shape="hq", type="not_found", slow=True),
    _fails("unknown cluster", 404, shape="agent", message="Connect cluster connect not found", slow=True),
    _fails("page not found", 404, shape="html"),
    _fails("token refused", 401, shape="hq", type="unauthorized", slow=True),
    _fails("forbidden", 403, shape="agent", slow=True),
    _fails("no licence", 402, shape="hq", type="licence_limitation", slow=True),
    _fails("done but 500", 500, operation=WRITES, processed=True),
    _fails("done but 504", 504, operation=WRITES, shape="html", processed=True),
    Row("absent once", {"status": 404, "operation": "GetConnector", "times": 1, "skip": 3, "message": "not found"}),
    Row("dropped before", {"drop": "before", "operation": WRITES}),
    Row("dropped after", {"drop": "after", "operation": WRITES}),
    Row("reads dropped", {"drop": "before", "operation": READS}),
    Row("another answer", {"body": {"something": "else"}, "operation": READS}),
    Row("a login page", {"text": "<html>log in</html>", "content_type": "text/html", "operation": READS}),
    Row("agent away", {"agent_down": True}),
    Row("cluster starting", {"cluster_starting": True}),
    Row("masked", {"mask": True, "operation": "GetConnector"}),
    Row("no config", {"omit_config": True, "operation": "GetConnector"}),
    Row(
        "hidden fields",
        {"errors": [{"field": "config", "reason": "hidden"}], "operation": "GetConnector"},
    ),
    Row("rewritten", {"rewrite": {"topic": "LINES"}, "operation": "GetConnector"}, lies=True, some=True),
    Row("keys added", {"add_at_create": {"added.by": "lenses"}, "operation": "CreateConnector"}, lies=True, some=True),
    Row("a word", {"state": "DESTROYED"}, some=True),
    Row("no state", {"omit_state": True}, some=True),
    Row("more fields", {"extra": {"news": {"of": ["tomorrow"]}}}),
    Row("not listed", {"hide": True}, some=True),
)


@dataclass(frozen=True)
class Lie:
    """A way in which Lenses misleads whoever relies on it, with no error that tells.

    `blinds`: what the operator sees meanwhile is what was, or nothing. `lies`: as a row's."""

    name: str
    switches: HostileSwitches
    blinds: bool = False
    lies: bool = False


LIES = (
    Lie("a conflict is 400", {"conflict_as": 400}),
    Lie("a conflict is 500", {"conflict_as": 500}),
    Lie("words changed", {"reworded": True}),
    Lie("a type that nobody knows", {"unknown_type": True, "unknown_type_statuses": [400, 409, 500]}),
    Lie("the agent lost", {"agent_rpc_error": WRITES, "agent_rpc_status": 400, "agent_rpc_times": 40}),
    Lie("the agent lost, in turn", {"agent_rpc_error": WRITES, "agent_rpc_done": "alternate"}),
    Lie("rebalances", {"rebalance": 2.0}),
    Lie("read from a cache", {"cached_reads": 40.0}, blinds=True, lies=True),
    Lie("lists fail", {"lists": "fail", "lists_status": 500, "lists_clusters": ["*"]}),
    Lie("lists hang", {"lists": "hang", "lists_seconds": 6.0}),
    Lie("lists are too large", {"lists": "huge"}),
    Lie("lists miss clusters", {"lists": "miss"}),
    Lie("sees no connector", {"blind": True, "blind_connectors": ["*"]}, blinds=True),
    Lie("sees no cluster", {"blind": True, "blind_clusters": True, "blind_tokens": ["*"]}, blinds=True),
    Lie("configurations hidden", {"hide_config": True}),
    Lie("the worker starts", {"jetty": True, "jetty_as": "agent"}),
    Lie("as a live one", {"base": "observed"}),
)
