"""What a Connect cluster behind the front can do, whether simulated or real."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from harness.lenses.answers import Answer


class Entry(dict[str, Any]):
    """A list entry that keeps its JSON text and whether it was checked, for lists of thousands. `more` gives what the
    cluster knows beyond the file's fields (version, tasks as in details), for personas that show it in lists."""

    checked: bool = False
    more: Callable[[], dict[str, Any]] = dict
    _text: str | None = None

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = json.dumps(self)
        return self._text


def listing(entries: list[Entry]) -> Answer:
    """The answer that lists these entries."""
    return Answer(200, f'{{"data": [{", ".join(entry.text for entry in entries)}]}}'.encode())


class Cluster(Protocol):
    """One Connect cluster. Methods raise `Refused` with the answer when they do not succeed."""

    name: str

    async def info(self) -> dict[str, Any]: ...
    async def plugins(self) -> list[dict[str, Any]]: ...
    async def entries(self) -> list[Entry]: ...
    async def details(self, name: str) -> dict[str, Any]: ...
    async def create(self, name: str, config: dict[str, str]) -> None: ...
    async def update(self, name: str, config: dict[str, str], state: str | None) -> None: ...
    async def delete(self, name: str) -> None: ...
    async def act(self, name: str, action: str) -> None: ...
    async def restart_task(self, name: str, task: int) -> None: ...
    async def validate(self, name: str, config: dict[str, str]) -> dict[str, Any]: ...
    async def topics(self, name: str) -> list[str]: ...
    async def offsets(self, name: str) -> dict[str, Any]: ...
    async def alter_offsets(self, name: str, body: bytes) -> dict[str, Any]: ...
    async def reset_offsets(self, name: str) -> dict[str, Any]: ...
    async def close(self) -> None: ...


def lrn(environment: str, cluster: str, name: str) -> str:
    """A resource name in Lenses' style, the same each time."""
    return f"kafka-connect:connector:{environment}/{cluster}/{name}"
