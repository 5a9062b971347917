"""JSON from the API server that is nested more deeply than Python's parser goes.

The API server takes ten thousand levels where a schema leaves a field open, and one such object would end the watch and
the list of all the others. What is too deep becomes null: the model refuses the object for its depth.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kubernetes.aio.client.api_client import ApiClient

from lenses_operator.lenses.user_agent import user_agent
from lenses_operator.resources.json_depth import is_deeper

DEEPEST = 200
"""Levels that are kept: well below the parser's limit of about a thousand, and above what any object may have."""
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def shallow(raw: bytes) -> bytes:
    """The same JSON, null in the place of whatever is nested more than DEEPEST levels."""
    if raw.count(b"{") + raw.count(b"[") <= DEEPEST:
        return raw
    kept: list[bytes] = []
    depth, begun = 0, 0
    for found in _STRUCTURE.finditer(raw):
        match found[0]:
            case b"{" | b"[":
                depth += 1
                if depth == DEEPEST + 1:
                    kept += (raw[begun : found.start()], b"null")
            case b"}" | b"]":
                if depth == DEEPEST + 1:
                    begun = found.end()
                depth -= 1
    return b"".join((*kept, raw[begun:])) if kept else raw


def loads(text: str) -> Any:
    """As json.loads, for any depth. Below the parser's limit there are still others: kopf copies what it gets."""
    try:
        found = json.loads(text)
    except RecursionError:
        pass
    else:
        if not is_deeper(found, DEEPEST):
            return found
    return json.loads(shallow(text.encode()))


class DeepClient(ApiClient):
    """The generated client, for any depth, and under our own name instead of its generator's."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.user_agent = user_agent()

    def deserialize(self, response_text: str, response_type: str, content_type: str | None) -> Any:
        """Raises ApiException as the client's own."""
        try:
            return super().deserialize(response_text, response_type, content_type)
        except RecursionError:
            return super().deserialize(shallow(response_text.encode()).decode(), response_type, content_type)
