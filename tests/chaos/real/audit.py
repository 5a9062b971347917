"""The API server's complete record: its audit log, which holds every write with the object as it was afterwards."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from chaos.real.cast import SECRET, Object
from chaos.real.etcd import PLURALS
from invariants.history import History, KubeWrite, Name, Version
from lenses_operator.kube.watch_session import WATCHES

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  verbs: [create, update, patch, delete]
  resources: [{group: connect.lenses.io}, {group: "", resources: [secrets, events]}]
- level: Metadata
  verbs: [list]
  resources: [{group: connect.lenses.io}]
- level: None
"""
ENTRY = b'{"kind":"Event","apiVersion":"audit.k8s.io'
"""How each begins: a killed API server may leave half of one, and its successor goes on in the same line."""
KINDS = {
    "lensesconnectors": "LensesConnector",
    "lensesconnectoroffsets": "LensesConnectorOffsets",
    "secrets": "Secret",
    "events": "Event",
}


class AuditLog:
    """Reads on where it stopped; `flags` are the API server's."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self.path = run_dir / "audit.log"
        policy = run_dir / "audit-policy.yaml"
        policy.write_text(POLICY)
        self.flags = (f"--audit-policy-file={policy}", f"--audit-log-path={self.path}", "--audit-log-maxsize=100000")
        self.texts: list[tuple[str, str]] = []
        """What the operator wrote, for a search: (where, text)."""
        self.lists: list[float] = []
        """When the operator's watches listed anew: at a start, and when they were told that their history is gone."""
        self.unsure: dict[Name, float] = {}
        """Since when writes were answered by an error of the server: their client was gone, and they may be stored."""
        self._offset = 0

    def read_on(self, history: History, operator: str) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as lines:
            lines.seek(self._offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._take(json.loads(line[line.rfind(ENTRY) :]), history, operator)

    def _take(self, entry: dict[str, Any], history: History, operator: str) -> None:
        target = entry["objectRef"]
        code = entry.get("responseStatus", {}).get("code", 0)
        if code >= 500 and target["resource"] in PLURALS.values() and entry["verb"] != "list":
            name = (KINDS[target["resource"]], target["namespace"], target.get("name", ""))
            since = _time(entry["requestReceivedTimestamp"])
            self.unsure[name] = min(since, self.unsure.get(name, since))
        if not 200 <= code < 300 or target["resource"] not in KINDS:
            return
        if entry["verb"] == "list":
            if entry.get("userAgent", "").endswith(WATCHES):
                self.lists.append(_time(entry["requestReceivedTimestamp"]))
            return
        user, body = entry["user"]["username"], entry.get("requestObject")
        found: Object = entry.get("responseObject") or {}
        kind = KINDS[target["resource"]]
        name = (kind, target["namespace"], target.get("name") or found.get("metadata", {}).get("name", ""))
        since, sure = _time(entry["requestReceivedTimestamp"]), _time(entry["stageTimestamp"])
        if user == operator:
            self.texts.append((f"{sure:.2f} {entry['verb']} of {'/'.join(name)}", json.dumps(body, ensure_ascii=False)))
        if kind == "Event":
            return
        if kind == "Secret":
            if name[2] == SECRET and "data" in found:
                value = base64.b64decode(found["data"]["password"]).decode()
                history.rotated(name[1], since, value)
            return
        history.writes.append(KubeWrite(since, sure, user, entry["verb"], name, target.get("subresource", ""), body))
        _version(history, name, since, sure, found)


def _version(history: History, name: Name, since: float, sure: float, found: Object) -> None:
    if found.get("kind") == "Status":  # nobody held it
        history.add(name, Version(since, sure, None))
        return
    meta = found["metadata"]
    meta.pop("managedFields", None)
    gone = bool(meta.get("deletionTimestamp")) and not meta.get("finalizers")
    history.add(name, Version(since, sure, None if gone else found, int(meta["resourceVersion"])))


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
