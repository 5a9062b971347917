"""Two operators on one Lease, told apart by their tokens in the Lenses server's record."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import http
from harness.controlplane import ControlPlane
from harness.kube import Object
from harness.lenses.control import Json
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import DRIFT_INTERVAL, POLL_INTERVAL, Place
from harness.operator_process import OperatorProcess
from harness.process import Launcher, tail
from harness.waiting import wait_until

LEASE = "operators"
GIVE_UP = 90.0
"""Seconds; the bounds that count are the contract's."""

LOG_LINES = 60


@dataclass
class Pair:
    """`first` leads, `second` waits, once `start` has returned."""

    name: str
    place: Place
    lenses: RunningLenses
    plane: ControlPlane
    launcher: Launcher
    run_dir: Path
    started: list[OperatorProcess] = field(default_factory=list)

    def start(self, kubeconfig: Path | None = None, **settings: Any) -> None:
        """The lease is there, as a predecessor leaves it: free at once. What is given is for the first one alone."""
        self.place.kube.create(
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": LEASE, "namespace": self.place.namespace},
                "spec": {"holderIdentity": "", "leaseDurationSeconds": 1},
            }
        )
        self.place.apply("before")
        self._operator("first", kubeconfig or self.plane.kubeconfig, **settings)
        self.place.wait_running("before", GIVE_UP)
        self._operator("second", self.plane.kubeconfig).wait_ready(GIVE_UP)

    @property
    def first(self) -> OperatorProcess:
        return self.started[0]

    @property
    def second(self) -> OperatorProcess:
        return self.started[1]

    def _operator(self, who: str, kubeconfig: Path, **more: Any) -> OperatorProcess:
        token = f"{self.place.environment}-{who}"
        self.lenses.control.add_token(token, name=token)
        settings = {"WATCH_NAMESPACES": self.place.namespace, "POLL_INTERVAL": POLL_INTERVAL}
        settings |= {"DRIFT_INTERVAL": DRIFT_INTERVAL, "LEADER_ELECTION": "true", "LEADER_ELECTION_NAME": LEASE}
        settings |= {"LEADER_ELECTION_NAMESPACE": self.place.namespace, **more}
        operator = OperatorProcess.start(
            self.run_dir / f"{self.name}-{who}",
            kubeconfig=kubeconfig,
            lenses_url=self.lenses.url,
            lenses_token=token,
            launcher=self.launcher,
            settings={key: str(value) for key, value in settings.items()},
            name=f"{self.name}-{who}",
        )
        self.started.append(operator)
        return operator

    def log(self) -> str:
        """The end of what both said."""
        return "\n".join(line for one in self.started for line in [one.log.name, *tail(one.log, LOG_LINES)])

    def lease(self) -> Object | None:
        return self.place.kube.get("Lease", self.place.namespace, LEASE)

    def delete_lease(self) -> None:
        self.place.kube.delete("Lease", self.place.namespace, LEASE)

    def requests(self, who: str) -> list[Json]:
        """What this one asked Lenses, in order of arrival."""
        wanted = f"{self.place.environment}-{who}"
        return [request for request in self.place.requests() if request["token"] == wanted]

    def wait_takeover(self) -> float:
        """When the second one's first request came, by this process's monotonic clock."""
        found = wait_until(f"{self.name}: takeover", lambda: self.requests("second"), GIVE_UP)
        return float(found[0]["monotonic"])

    def wait_end_of_first(self) -> float:
        """When it was seen to have ended by itself, as one does that has lost the lease."""
        code = self.first.wait_end(GIVE_UP)
        ended = time.monotonic()
        assert code == 1, self.name
        return ended

    def wait_renewed_for(self, seconds: float) -> None:
        """The lease was renewed this long after now."""
        begin = datetime.now(UTC)

        def check() -> bool:
            spec: dict[str, Any] = (self.lease() or {}).get("spec") or {}
            renewed = datetime.fromisoformat(spec.get("renewTime") or "2000-01-01T00:00:00+00:00")
            return (renewed - begin).total_seconds() > seconds

        wait_until(f"{self.name}: renewals", check, seconds + GIVE_UP)

    def check(self, *names: str) -> None:
        """One after the other, never both, and all that was wanted is there, made once."""
        for name in ("before", *names):
            self.place.wait_running(name, GIVE_UP)
        self.place.wait_polls(4)
        actors = [request["token"] for request in self.place.requests()]
        assert [actor.rpartition("-")[2] for actor, _ in itertools.groupby(actors)] == ["first", "second"], self.name
        for name in ("before", *names):
            assert self.place.writes(name).count("CreateConnector") == 1, f"{self.name}: {name}"
            assert "DeleteConnector" not in self.place.writes(name), f"{self.name}: {name}"
        healthy = http.get(f"{self.second.url}/healthz")
        assert (healthy.status_code, healthy.text) == (200, "ok\n"), self.name
