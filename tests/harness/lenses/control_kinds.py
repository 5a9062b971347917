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
