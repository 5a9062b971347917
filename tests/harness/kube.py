"""A small client of the Kubernetes API for tests: plain objects in and out, and waiting that says what it saw last."""

import json
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import yaml

from harness.ended import Ended
from harness.http import SHARED
from harness.kinds import kind_named, kind_of
from harness.metrics import Metrics
from harness.waiting import INTERVAL, wait_until

Object: TypeAlias = dict[str, Any]
Objects: TypeAlias = list[Object]

FIELD_MANAGER = "tests"
TIMEOUT = 60.0
READY_TIMEOUT = 120.0


class KubeError(Exception):
    """The API server refused; the message is its own."""

    def __init__(self, request: str, response: httpx.Response) -> None:
        self.status = response.status_code
        try:
            self.body: Object = response.json()
        except ValueError:
            self.body = {"message": response.text}
        self.reason = str(self.body.get("reason", ""))
        self.message = str(self.body.get("message", ""))
        super().__init__(f"{request}: {self.status} {self.reason}: {self.message}")


class Kube(Ended):
    """The API server as one user sees it.

    `kind` is the name of a kind or `lc`, `lco`; `namespace` is None for kinds that have none.
    """

    def __init__(self, url: str, token: str, ca: Path | None = None) -> None:
        self.url, self.token, self._ca = url, token, ca
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=ca) if ca else False,
            trust_env=False,
            timeout=TIMEOUT,
            limits=SHARED,
        )

    def with_token(self, token: str) -> "Kube":
        """The same API server as another user sees it."""
        return Kube(self.url, token, self._ca)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    _end = close

    def raw(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Any request, with the answer as it came; a body of text is sent as it is."""
        content = body if isinstance(body, str | bytes | None) else json.dumps(body)
        headers = {"Content-Type": content_type} if body is not None else {}
        return self._client.request(method, path, content=content, headers=headers, params=params)

    def _call(self, method: str, path: str, body: object = None, **options: Any) -> Object:
        response = self.raw(method, path, body, **options)
        if response.is_error:
            raise KubeError(f"{method} {path}", response)
        found: Object = response.json()
        return found

    def apply(
        self, manifest: str | Mapping[str, Any], namespace: str | None = None, *, field_manager: str = FIELD_MANAGER
    ) -> Object:
        """Server-side apply of one object, given as YAML or as it is; `namespace` is for one that names none."""
        wanted = _one(manifest)
        namespace = wanted["metadata"].get("namespace") or namespace
        path = kind_of(wanted).path(namespace, wanted["metadata"]["name"])
        params = {"fieldManager": field_manager, "force": "true"}
        return self._call("PATCH", path, wanted, content_type="application/apply-patch+yaml", params=params)

    def apply_all(self, manifests: str, namespace: str | None = None) -> Objects:
        """Server-side apply of every document of a YAML text."""
        return [self.apply(document, namespace) for document in yaml.safe_load_all(manifests) if document]

    def create(self, manifest: str | Mapping[str, Any], namespace: str | None = None) -> Object:
        """Create one object."""
        wanted = _one(manifest)
        namespace = wanted["metadata"].get("namespace") or namespace
        return self._call("POST", kind_of(wanted).path(namespace), wanted, params={"fieldManager": FIELD_MANAGER})

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """One object, None if there is none."""
        path = kind_named(kind).path(namespace, name)
        response = self.raw("GET", path)
        if response.status_code == 404:
            return None
        if response.is_error:
            raise KubeError(f"GET {path}", response)
        found: Object = response.json()
        return found

    def list(self, kind: str, namespace: str | None = None, *, labels: str | None = None) -> Objects:
        """All objects of a kind, of every namespace if none is given."""
        params = {"labelSelector": labels} if labels else None
        wanted = kind_named(kind)
        found = self._call("GET", wanted.path(namespace), params=params)["items"]
        # Which the items of a list leave out.
        return [{"apiVersion": wanted.api_version, "kind": wanted.name, **item} for item in found]

    def patch(
        self, kind: str, namespace: str | None, name: str, patch: Mapping[str, Any], *, subresource: str | None = None
    ) -> Object:
        """Merge patch of one object or of its `status`."""
        path = kind_named(kind).path(namespace, name, subresource)
        return self._call("PATCH", path, dict(patch), content_type="application/merge-patch+json")

    def delete(self, kind: str, namespace: str | None, name: str, *, propagation: str = "Background") -> None:
        """Ask for the deletion of one object; nothing happens if there is none."""
        path = kind_named(kind).path(namespace, name)
        response = self.raw("DELETE", path, {"propagationPolicy": propagation})
        if response.is_error and response.status_code != 404:
            raise KubeError(f"DELETE {path}", response)

    def create_namespace(self, prefix: str = "test") -> str:
        """A fresh namespace, once it has the service account every namespace gets."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.wait_for("ServiceAccount", name, "default", lambda _: True)
        return name

    def install_crds(self, path: Path) -> None:
        """Apply the definitions in a file or directory and wait until their kinds are served."""
        files = sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
        applied = [definition for file in files for definition in self.apply_all(file.read_text())]
        for definition in applied:
            name = definition["metadata"]["name"]
            self.wait_for("CustomResourceDefinition", None, name, is_condition("Established"))
            for served in _served_paths(definition["spec"]):
                self._wait_served(served)

    def _wait_served(self, path: str) -> None:
        # Established comes a moment before the first request is answered.
        wait_until(f"{path} to be served", lambda: self.raw("GET", path).is_success, READY_TIMEOUT)

    def wait_for(
        self,
        kind: str,
        namespace: str | None,
        name: str,
        predicate: Callable[[Object], object],
        timeout: float = READY_TIMEOUT,
    ) -> Object:
        """The object once the predicate holds; the error shows the object as it was last."""
        last: Object | None = None

        def check() -> Object | None:
            nonlocal last
            last = self.get(kind, namespace, name)
            return last if last is not None and predicate(last) else None

        try:
            return wait_until(f"{kind} {namespace or ''}/{name}", check, timeout, INTERVAL)
        except TimeoutError as error:
            seen = "there was none" if last is None else f"it was:\n{shown(last)}"
            raise AssertionError(f"{error}; {seen}") from None

    def wait_gone(self, kind: str, namespace: str | None, name: str, timeout: float = READY_TIMEOUT) -> None:
        """Wait until the object is gone; the error shows what is left of it."""
        last: Object | None = None

        def check() -> bool:
            nonlocal last
            last = self.get(kind, namespace, name)
            return last is None

        try:
            wait_until(f"end of {kind} {namespace or ''}/{name}", check, timeout, INTERVAL)
        except TimeoutError as error:
            raise AssertionError(f"{error}; it was:\n{shown(last or {})}") from None

    def events(self, namespace: str, name: str) -> Objects:
        """The events about the object of that name, the oldest first."""
        selector = {"fieldSelector": f"involvedObject.name={name}"}
        path = kind_named("Event").path(namespace)
        found: Objects = self._call("GET", path, params=selector)["items"]
        return sorted(found, key=lambda event: str(event["metadata"]["creationTimestamp"]))

    def metrics(self) -> Metrics:
        """The API server's own figures, to count requests."""
        response = self.raw("GET", "/metrics")
        if response.is_error:
            raise KubeError("GET /metrics", response)
        return Metrics.parse(response.text)


def is_condition(kind: str, status: str = "True") -> Callable[[Object], bool]:
    """A predicate: the object has this condition in this state."""

    def check(found: Object) -> bool:
        return any(c["type"] == kind and c["status"] == status for c in _conditions(found))

    return check


def shown(found: Mapping[str, Any]) -> str:
    """An object as YAML, without the bookkeeping nobody reads."""
    metadata = {key: value for key, value in found.get("metadata", {}).items() if key != "managedFields"}
    return yaml.safe_dump({**found, "metadata": metadata}, sort_keys=False)


def _conditions(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (found.get("status") or {}).get("conditions") or []


def _served_paths(spec: Mapping[str, Any]) -> Iterator[str]:
    for version in spec["versions"]:
        if version["served"]:
            yield f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}"


def _one(manifest: str | Mapping[str, Any]) -> Object:
    return dict(yaml.safe_load(manifest) if isinstance(manifest, str) else manifest)
