"""An Application of Argo CD, with the part of the repository that it syncs and the namespace that it syncs to."""

from __future__ import annotations

import json
from typing import Any

from gitops.support import TIMEOUT, Cluster
from harness.argocd import NAMESPACE, ArgoCD
from harness.kube import Object
from harness.waiting import wait_until

SERVER_SIDE = ("ServerSideApply=true",)
KIND = {"version": "v1alpha1", "group": "connect.lenses.io", "kind": "LensesConnector"}


class App:
    """Path, namespace and name are one. It is synced by itself, with pruning and self-heal, as in docs/gitops.md."""

    def __init__(self, name: str, argocd: ArgoCD, cluster: Cluster, options: tuple[str, ...] = SERVER_SIDE) -> None:
        self.name, self.argocd, self.cluster = name, argocd, cluster
        self._options = options
        self._revision = ""

    def create(self, files: dict[str, str | None]) -> None:
        self._commit(files)
        policy = {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": [*self._options, "CreateNamespace=true"],
            "retry": {"limit": 0},
        }
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": self.name, "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
            "spec": {
                "project": "default",
                "source": {"repoURL": self.argocd.repository.url, "path": self.name, "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": self.name},
                "syncPolicy": policy,
            },
        }
        self.argocd.kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=json.dumps(body))

    def commit(self, files: dict[str, str | None]) -> None:
        self._commit(files)
        self.refresh()

    def _commit(self, files: dict[str, str | None]) -> None:
        named = {f"{self.name}/{path}": text for path, text in files.items()}
        self._revision = self.argocd.repository.commit(named)

    def refresh(self, how: str = "normal") -> None:
        """Returns once it was done."""
        key = "argocd.argoproj.io/refresh"
        self.argocd.kubectl("-n", NAMESPACE, "annotate", "--overwrite", "application", self.name, f"{key}={how}")
        wait_until(
            f"refresh of {self.name}", lambda: key not in self.get()["metadata"].get("annotations", {}), TIMEOUT, 0.2
        )

    def get(self) -> Object:
        return self.find() or {"metadata": {}}

    def find(self) -> Object | None:
        found = self.argocd.kubectl.run("-n", NAMESPACE, "get", "application", self.name, "-o", "json")
        return json.loads(found.stdout) if found.returncode == 0 else None

    @property
    def status(self) -> Object:
        return self.get().get("status") or {}

    def wait(self, sync: str, health: str, *, synced: bool = True) -> None:
        """At the last commit; `synced`: and its sync has ended."""
        seen: dict[str, Any] = {}

        def check() -> bool:
            status = self.status
            operation = status.get("operationState") or {}
            seen.update(
                sync=(status.get("sync") or {}).get("status"),
                health=(status.get("health") or {}).get("status"),
                phase=operation.get("phase"),
                message=operation.get("message"),
                conditions=[one["message"] for one in status.get("conditions", [])],
            )
            same = (status.get("sync") or {}).get("revision") == self._revision
            ended = operation.get("phase") != "Running" and self._is_of_last_commit(operation)
            return same and (seen["sync"], seen["health"]) == (sync, health) and (ended or not synced)

        try:
            wait_until(f"{self.name} {sync}, {health}", check, TIMEOUT, 0.2)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {seen}") from None

    def _is_of_last_commit(self, operation: Object) -> bool:
        return (operation.get("syncResult") or {}).get("revision") == self._revision

    def wait_sync(self, *phases: str) -> str:
        """The message of the last commit's sync, once it is in one of these phases."""

        def check() -> Object | None:
            found: Object = self.status.get("operationState") or {}
            return found if found.get("phase") in phases and self._is_of_last_commit(found) else None

        return str(wait_until(f"sync of {self.name} {phases}", check, TIMEOUT, 0.2)["message"])

    def wait_condition(self, about: str) -> None:
        """A whole comparison ends in a condition with this in it, which one from the cache may take away again."""

        def check() -> bool:
            self.refresh("hard")
            return any(about in one["message"] for one in self.status.get("conditions", []))

        wait_until(f"{self.name} to say {about!r}", check, TIMEOUT, 0.2)

    def health(self, name: str) -> tuple[str, str]:
        """Of one object: status and message."""
        found: Object = next((one for one in self.status.get("resources", []) if one["name"] == name), {})
        health = found.get("health") or {}
        return health.get("status", ""), health.get("message", "")

    def wait_health(self, name: str, status: str, about: str = "") -> None:
        def check() -> bool:
            found = self.health(name)
            return found[0] == status and about in found[1]

        wait_until(f"{name} {status} {about}", check, TIMEOUT, 0.2)

    def syncs(self) -> int:
        """How many there were."""
        return len(self.status.get("history", []))

    def object(self, name: str, kind: str = "lc") -> Object | None:
        return self.cluster.get(self.name, name, kind)

    def spec(self, name: str) -> Object:
        found = self.object(name)
        assert found is not None
        return dict(found["spec"])

    def actions(self, name: str) -> dict[str, bool]:
        """Action to whether it may be run."""
        found = self.argocd.call("GET", f"applications/{self.name}/resource/actions", **self._resource(name))
        return {one["name"]: not one.get("disabled") for one in found.get("actions", [])}

    def act(self, name: str, action: str) -> None:
        """Raises httpx.HTTPStatusError."""
        body = {**self._resource(name), "action": action}
        self.argocd.call("POST", f"applications/{self.name}/resource/actions/v2", body=body)

    def _resource(self, name: str) -> dict[str, str]:
        return {"appNamespace": NAMESPACE, "namespace": self.name, "resourceName": name, **KIND}

    def delete(self) -> None:
        """Returns before it is gone."""
        self.argocd.kubectl("-n", NAMESPACE, "delete", "application", self.name, "--wait=false")
