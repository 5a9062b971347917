"""What runs in the background, kept in a file so that a later command finds it again."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.identity import Identity
from harness.process import Process


class Record:
    """The parts that were started, each with its processes and with the values others need of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._parts: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was started, or everything was stopped."""
        return not self._parts

    def values(self, part: str) -> dict[str, Any]:
        """What others need of the part; empty if it never got ready."""
        return dict(self._parts.get(part, {}).get("values", {}))

    def processes(self, part: str) -> list[Identity]:
        """The processes that were started for the part, the first one first."""
        return [Identity(**identity) for identity in self._parts.get(part, {}).get("processes", [])]

    def add_process(self, part: str, process: Process) -> None:
        """Remember a process from its first moment on."""
        with self._lock:
            self._parts.setdefault(part, {}).setdefault("processes", []).append(asdict(process.identity))
            self._save()

    def set_values(self, part: str, values: Mapping[str, object]) -> None:
        """The part is ready; processes of attempts that did not work out are forgotten."""
        processes = [asdict(identity) for identity in self.processes(part) if identity.alive]
        with self._lock:
            self._parts[part] = {"processes": processes, "values": dict(values)}
            self._save()

    def stop(self, part: str) -> None:
        """End the processes of the part, the latest first; its values stay, for a start in the same place."""
        for identity in reversed(self.processes(part)):
            identity.kill()
        with self._lock:
            self._parts.get(part, {}).pop("processes", None)
            self._save()

    def stop_all(self) -> int:
        """End everything and forget it; how many processes still ran."""
        running = sum(identity.alive for part in self._parts for identity in self.processes(part))
        for part in reversed(self._parts):
            self.stop(part)
        with self._lock:
            self._parts.clear()
            self._path.unlink(missing_ok=True)
        return running

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self._parts, indent=2) + "\n")
        os.replace(part, self._path)
