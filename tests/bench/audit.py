"""What one user asked of the API server, by its own audit log."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {{level: Metadata, users: ["{user}"]}}
  - {{level: None}}
"""
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class KubeRequests:
    """Counted once each: a watch when it begins, everything else when it ends."""

    writes: int
    reads: int
    by_kind: dict[str, int]

    @property
    def total(self) -> int:
        return self.writes + self.reads


class Audit:
    """Reads on from where the last reading ended."""

    def __init__(self, run_dir: Path, user: str) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._log = run_dir / "audit.log"
        policy = run_dir / "audit-policy.yaml"
        policy.write_text(POLICY.format(user=user))
        self.flags = (f"--audit-policy-file={policy}", f"--audit-log-path={self._log}", "--audit-log-maxsize=4096")
        self._offset = 0

    def take(self) -> KubeRequests:
        """Since the last call."""
        kinds: Counter[str] = Counter()
        with self._log.open("rb") as log:
            log.seek(self._offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                event = json.loads(line)
                if event["stage"] == "ResponseStarted" or event["verb"] != "watch":
                    kinds[_kind(event)] += 1
        writes = sum(count for kind, count in kinds.items() if kind.split()[0] in WRITES)
        return KubeRequests(writes, kinds.total() - writes, dict(kinds.most_common()))


def _kind(event: dict[str, dict[str, str]]) -> str:
    """Such as `patch lensesconnectors/status`."""
    about = event.get("objectRef", {})
    sub = f"/{about['subresource']}" if "subresource" in about else ""
    return f"{event['verb']} {about.get('resource', event['requestURI'])}{sub}"
