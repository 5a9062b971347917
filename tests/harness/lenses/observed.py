"""The persona `observed`: what others saw of a running Lenses 6.2, beyond the file and instead of it.

Richer list entries, nulls for whatever is optional, HQ's shape for what concerns the token, a strict Content-Type, and
absence for what the token does not see.
"""

from __future__ import annotations

from typing import Any

from harness.lenses import exactjson
from harness.lenses.answers import JSON, PROBLEM, YAML, Answer, agent_error, parsed_error, problem, words_of
from harness.lenses.backend import Entry
from harness.lenses.call import Call
from harness.lenses.operations import PUT_RESOURCE

YAMLS = (YAML, "application/x-yaml", "text/yaml", "text/x-yaml")
ENTRY = ("state", "tasks", "className", "type", "author", "icon", "version")
DETAILS = ("state", "type", "className", "workerId", "version", "author", "icon", "tasks", "code", "__errors")
PLUGIN = ("name", "author", "icon", "description", "docs")
FIELD = ("errors", "value", "defaultValue")


def wrong_media_type(call: Call) -> Answer | None:
    """HQ's refusal of everything that does not come as JSON. That a PUT as code has to say YAML is a guess."""
    media = call.content_type.partition(";")[0].strip().lower()
    if media in (YAMLS if call.operation == PUT_RESOURCE else (JSON,)):
        return None
    return problem("unsupported_media_type", f"The content type {media or 'of nothing'} is not supported", 415)


def as_seen(call: Call, answer: Answer) -> Answer:
    """An answer as others saw it."""
    if answer.unseen:
        return _absent(call, answer)
    error = parsed_error(answer)
    if answer.status in (401, 403) and error is not None and answer.content_type != PROBLEM:
        return problem("unauthorised" if answer.status == 401 else "forbidden", words_of(answer))
    if answer.status == 200:
        return _rich(call, answer)
    return answer


def _absent(call: Call, answer: Answer) -> Answer:
    """What the token does not see is not there, rather than forbidden."""
    match answer.unseen:
        case "environment":  # a guess: seen was that it is missing from the list of environments
            return problem("not_found", f"environment {call.params['environment']} not found")
        case "Connect cluster":
            return agent_error(404, f"Connect cluster {call.clusters[0]} not found")
    if call.operation == "GetConnectorTopics":
        return Answer(200, b"[]")
    if call.operation in ("CreateConnector", "ValidateConnector", PUT_RESOURCE):
        return problem("forbidden", words_of(answer))  # nothing there that could be hidden
    return agent_error(404, f"Connector {call.connector} not found")


def _rich(call: Call, answer: Answer) -> Answer:
    match call.operation:
        case "ListConnectors" if call.listed is not None:
            payload: Any = {"data": [_entry(entry) for entry in call.listed] or None}
        case "GetConnector":
            payload = _details(exactjson.loads(answer.body))
        case "ListPlugins":
            plugins = exactjson.loads(answer.body)["data"]
            payload = {"data": [_nulled({**item, **_vendor(item["class"])}, PLUGIN) for item in plugins] or None}
        case "ValidateConnector":
            payload = exactjson.loads(answer.body)
            payload["configuration"] = [_nulled(item, FIELD) for item in payload["configuration"]] or None
        case "GetConnectorOffsets":
            payload = _nulled(exactjson.loads(answer.body), ("offsets",))
        case _:
            return answer
    return Answer(200, exactjson.dumps(payload).encode(), foreign=True)


def _nulled(item: dict[str, Any], optional: tuple[str, ...]) -> dict[str, Any]:
    """With null for each optional field that is absent or an empty array."""
    return item | {key: None for key in optional if item.get(key) in (None, [])}


def _vendor(class_name: str | None) -> dict[str, Any]:
    """The author and icon of a class that Lenses knows: its own."""
    if class_name is None or not class_name.startswith("io.lenses."):
        return {}
    return {"author": "Lenses.io", "icon": f"{class_name.rsplit('.', 1)[-1]}.svg"}


def _entry(entry: Entry) -> dict[str, Any]:
    """A list entry with what only details have in the file. Its tasks are those that it lists."""
    more = entry.more()
    out = {**entry, **_vendor(entry.get("className"))}
    if more.get("version") is not None:
        out.setdefault("version", more["version"])
    known = {task["id"]: task for task in more.get("tasks", [])}
    if isinstance(out.get("tasks"), list):
        out["tasks"] = [_task({**known.get(str(task["id"]), {}), **task}) for task in out["tasks"]]
    return _nulled(out, ENTRY)


def _task(task: dict[str, Any]) -> dict[str, Any]:
    return _nulled(task, ("trace",))


def _details(details: dict[str, Any]) -> dict[str, Any]:
    out = {**details, **_vendor(details.get("className"))}
    if isinstance(out.get("tasks"), list):
        out["tasks"] = [_task(task) for task in out["tasks"]]
    return _nulled(out, DETAILS)
