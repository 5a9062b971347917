"""A plain client of the 13 operations for tests: every request and response is held against the OpenAPI file."""

from __future__ import annotations

from typing import Any, Self

import httpx

from harness.http import PLAIN, SHARED
from harness.lenses import exactjson
from harness.lenses.conformance import check_request, check_response
from harness.lenses.operations import method_of, path_of


class LensesApi:
    """Calls operations by name: `api.call("GetConnector", cluster="connect", connector="x")`."""

    def __init__(self, url: str, token: str, environment: str, *, check: bool = True) -> None:
        self.environment = environment
        self._check = check
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            verify=PLAIN,
            timeout=100,
            trust_env=False,
            limits=SHARED,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, operation: str, *, body: Any = None, check: bool | None = None, **where: Any) -> httpx.Response:
        """`where` holds path names (environment, cluster, connector, action, p1) and `query`. `check=False` lets
        requests and responses through that do not conform, as faults and personas make them."""
        check = self._check if check is None else check
        query = where.pop("query", None)
        path = path_of(operation, **{"environment": self.environment, **where})
        content = exactjson.dumps(body).encode() if body is not None and not isinstance(body, bytes) else body
        headers = {"Content-Type": "application/json"}
        method = method_of(operation)
        if check:
            wrong = check_request(method, path, content)
            assert wrong == [], f"request of {operation}: {wrong}"
        response = self._http.request(method, path, params=query, content=content, headers=headers)
        if check:
            wrong = check_response(operation, response.status_code, response.headers["Content-Type"], response.content)
            assert wrong == [], f"response of {operation}: {wrong}\n{response.text[:500]}"
        return response

    def create(self, cluster: str, name: str, config: dict[str, str]) -> httpx.Response:
        return self.call("CreateConnector", body={"name": name, "cluster": cluster, "configuration": config})

    def validate(self, cluster: str, name: str, config: dict[str, str]) -> httpx.Response:
        return self.call("ValidateConnector", body={"name": name, "cluster": cluster, "configuration": config})

    def get(self, cluster: str, name: str) -> httpx.Response:
        return self.call("GetConnector", cluster=cluster, connector=name)

    def delete(self, cluster: str, name: str) -> httpx.Response:
        return self.call("DeleteConnector", cluster=cluster, connector=name)

    def act(self, cluster: str, name: str, action: str) -> httpx.Response:
        return self.call("ConnectorState", cluster=cluster, connector=name, action=action)

    def names(self, cluster: str | None = None) -> list[str]:
        listed = self.call("ListConnectors", query={"cluster": cluster} if cluster else None)
        return [entry["name"] for entry in listed.json()["data"]]

    def put_resource(self, document: str, **headers: str) -> httpx.Response:
        """The resource-as-code PUT with a YAML document."""
        path = path_of("PutResource", environment=self.environment)
        return self._http.put(path, content=document.encode(), headers={"Content-Type": "application/yaml", **headers})

    def get_resource(self, cluster: str, name: str, accept: str = "application/yaml") -> httpx.Response:
        """The resource-as-code GET."""
        path = path_of("GetResource", environment=self.environment, cluster=cluster, name=name)
        return self._http.get(path, headers={"Content-Type": "application/json", "Accept": accept})

    def raw(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Any request, unchecked."""
        return self._http.request(method, path, **kwargs)
