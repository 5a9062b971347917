"""What the commands of the control endpoint take."""

from __future__ import annotations

from typing import Any, TypedDict

Json = dict[str, Any]


class FaultKind(TypedDict, total=False):
    """What a fault does. Several may be combined (latency with a status, say).

    - latency: seconds before anything happens
    - status, with shape (agent | hq | html | text | empty), type (HQ's error type), message, headers: answered
      unprocessed, or with processed=True after the request has had its effect
    - drop: close the connection "before" processing or "after" it
    - body (any JSON) or text, with status (default 200), content_type: a made-up answer, also with processed=True
    - agent_down: HQ answers agent_not_connected (503, or status), and GetEnvironment says so
    - cluster_starting: an HTML 404 for everything about the cluster; lists over several clusters leave it out
    - mask: True (keys like password, secret) or a list of keys; omit_config; errors ([{field, reason}] as `__errors`);
      rewrite ({key: value, or None to take it away}): the details' config
    - add_at_create: keys the server adds to a created config
    - state (any word), omit_state: in details and list
    - extra: fields added to details and list entries
    - hide: the list leaves the connector out
    """

    latency: float
    status: int
    shape: str
    type: str
    message: str
    headers: dict[str, str]
    processed: bool
    drop: str
    body: Any
    text: str
    content_type: str
    agent_down: bool
    cluster_starting: bool
    mask: bool | list[str]
    omit_config: bool
    errors: list[dict[str, str]]
    rewrite: dict[str, str | None]
    add_at_create: dict[str, str]
    state: str
    omit_state: bool
    extra: Json
    hide: bool


class ConnectorChanges(TypedDict, total=False):
    """Changes behind the operator's back, at once and unchecked: the whole config or config_changes (None removes a
    key); state (tasks follow where Connect's would); tasks ([{id, state, trace}]); failing ({task id: trace}: such a
    task fails whenever it is started, until set to {}); fails (the connector itself fails whenever it is started);
    delays of this connector alone."""

    config: dict[str, str]
    config_changes: dict[str, str | None]
    state: str
    tasks: list[Json]
    failing: dict[int, str]
    fails: bool
    state_delay: float
    task_delay: float
    delete_delay: float


class HostileSwitches(TypedDict, total=False):
    """What the persona `hostile` does; all off unless given. Globs know `*` alone, True stands for the usual value.

    - base: whose manners it has otherwise, "connect" (default) or "observed"
    - conflict_as: 400, 500, 502 or 503 for everything that would be 409 (existing name, rebalance), with its words
    - cached_reads: seconds for which a read of a connector, its offsets, its topics and of lists is answered as it was
      before, to the same token; a 404 too. Writes take effect at once, and are not seen
    - lists: ListConnectors, where it covers a cluster of lists_clusters (globs, default all): "fail" (lists_status,
      default 500), "huge" (HQ's problem with lists_status, default 502; with 200 a real list of more than 32 MiB),
      "hang" (for lists_seconds, default 60, then answered), "miss" (leaves those clusters out)
    - blind: connectors matching blind_connectors (default all) are in no list and the agent's 404, to be changed as
      well ([] for topics), for tokens whose name matches blind_tokens (default all). Creating still meets them.
      blind_clusters (globs, True: all) are the agent's 404 too; without it `GetClusterInfo` is answered
    - hide_config: details have no `config` ("missing", or True) or null for it ("null"), and `__errors` name it;
      reading as code is 403
    - reworded: the words of every error of the agent and HQ, and the agent's errorType (True: words that say nothing)
    - unknown_type: agent errors with unknown_type_statuses (default 400, 409, 500) in HQ's shape with this `type`
    - agent_rpc_error: operations (names as ever) answered with HQ's agent_rpc_error and agent_rpc_status (default 400),
      agent_rpc_times in all (default: always); agent_rpc_done: carried out all the same? False (default), True, or
      "alternate": every second time
    - rebalance: seconds after each create, delete and PUT as code of a connector in which every changing request and
      validate in its cluster is answered as a rebalance (409, or conflict_as)
    - jetty: clusters (globs, True: all) whose worker answers everything with a 404 in Jetty's JSON, which is passed on
      as it is (jetty_as "worker", default) or in the agent's shape ("agent", a guess); lists leave them out
    """

    base: str
    conflict_as: int
    cached_reads: float
    lists: str
    lists_status: int
    lists_seconds: float
    lists_clusters: list[str]
    blind: bool
    blind_clusters: bool | list[str]
    blind_tokens: list[str]
    blind_connectors: list[str]
    hide_config: bool | str
    reworded: bool | str
    unknown_type: bool | str
    unknown_type_statuses: list[int]
    agent_rpc_error: list[str]
    agent_rpc_status: int
    agent_rpc_done: bool | str
    agent_rpc_times: int
    rebalance: float
    jetty: bool | list[str]
    jetty_as: str
