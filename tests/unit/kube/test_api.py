"""Pages, errors and conditional writes: what is sent, and what an answer means."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.exceptions import ApiException

from harness.waiting import HANG
from lenses_operator.kube.api import AT_ONCE, PAGE, KubeApi
from lenses_operator.kube.errors import KubeError
from lenses_operator.kube.rest import JSON_PATCH, TIMEOUT, Rest

ITEMS: list[dict[str, Any]] = [{"number": number} for number in range(4)]
OURS = "/apis/connect.lenses.io/v1alpha1"


class Response:
    """As the client's connection gives it."""

    def __init__(self, body: str, status: int = 200, content_type: str = "application/json") -> None:
        self.data, self.status, self.reason = body.encode(), status, "a reason"
        self.headers = {"content-type": content_type}

    async def read(self) -> bytes:
        return self.data


class Client(ApiClient):
    """The real client with no connection behind it: gives the answers one after the other, and keeps what is sent."""

    def __init__(self, *answers: Response | Exception | dict[str, Any]) -> None:
        super().__init__(Configuration(host="https://kube"))
        self.answers = list(answers)
        self.sent: list[tuple[str, str, dict[str, str], Any, float]] = []

    async def call_api(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        headers, body = arguments
        self.sent.append((method, url.removeprefix("https://kube"), headers, body, options["_request_timeout"]))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Response) else Response(json.dumps(answer))


def page(items: list[dict[str, Any]], more: str = "") -> dict[str, Any]:
    return {"items": items, "metadata": {"continue": more} if more else {}}


def api(client: ApiClient) -> KubeApi:
    return KubeApi(client)


async def listed(client: Client, namespaces: list[str], selector: str) -> list[dict[str, Any]]:
    return [item async for page in api(client).pages("p", namespaces, selector) for item in page.bodies]


async def test_every_page_of_the_whole_cluster() -> None:
    client = Client(page(ITEMS[:2], "a/1=="), page(ITEMS[2:3], "2"), page(ITEMS[3:]))
    assert await listed(client, [], "") == ITEMS
    first = f"{OURS}/p?limit={PAGE}"
    assert [url for _, url, *_ in client.sent] == [first, f"{first}&continue=a/1%3D%3D", f"{first}&continue=2"]


async def test_every_page_of_each_namespace_with_the_selector() -> None:
    client = Client(page(ITEMS[:1], "1"), page(ITEMS[1:3]), page(ITEMS[3:]))
    assert await listed(client, ["a", "b"], "team=x") == ITEMS
    query = f"limit={PAGE}&labelSelector=team%3Dx"
    assert [url for _, url, *_ in client.sent] == [
        f"{OURS}/namespaces/a/p?{query}",
        f"{OURS}/namespaces/a/p?{query}&continue=1",
        f"{OURS}/namespaces/b/p?{query}",
    ]


@pytest.mark.parametrize("status", [True, False])
async def test_a_patch_is_a_json_patch_with_a_time_limit(status: bool) -> None:
    client, operations = Client({"found": True}), [{"op": "add", "path": "/x", "value": None}]
    assert await api(client).patch("p", "ns", "n", operations, status=status) == {"found": True}
    [(method, url, headers, body, timeout)] = client.sent
    assert (method, url) == ("PATCH", f"{OURS}/namespaces/ns/p/n{'/status' if status else ''}")
    assert (headers["Content-Type"], body, timeout) == (JSON_PATCH, operations, TIMEOUT)


async def test_a_name_stays_one_part_of_the_path() -> None:
    client = Client({})
    await api(client).get("p", "ns", "../a?b#c")
    assert client.sent[0][1] == f"{OURS}/namespaces/ns/p/..%2Fa%3Fb%23c"


@pytest.mark.parametrize(
    ("kind", "path"), [("Secret", "/api/v1/namespaces/a/secrets/s"), ("ConfigMap", "/api/v1/namespaces/a/configmaps/s")]
)
async def test_a_reference_is_what_is_on_the_wire(kind: str, path: str) -> None:
    found = {"metadata": {"name": "s", "resourceVersion": "7"}, "data": {"key": "dmFsdWU="}}
    client = Client(found, Response("{}", 404))
    assert await api(client).get_reference(kind, "a", "s") == found | {"kind": kind}
    assert await api(client).get_reference(kind, "a", "s") is None
    assert client.sent[0][1] == path


async def test_the_lease_is_what_is_on_the_wire() -> None:
    lease = {"metadata": {"name": "l", "resourceVersion": "7"}, "spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}
    client = Client(Response("{}", 404), lease, lease)
    assert await api(client).get_lease("ops", "l", 1.5) is None
    assert await api(client).create_lease("ops", lease, 1.5) == lease
    assert await api(client).replace_lease("ops", "l", lease, 1.5) == lease
    path = "/apis/coordination.k8s.io/v1/namespaces/ops/leases"
    assert [(method, url, body, timeout) for method, url, _, body, timeout in client.sent] == [
        ("GET", f"{path}/l", None, 1.5),
        ("POST", path, lease, 1.5),
        ("PUT", f"{path}/l", lease, 1.5),
    ]


async def test_an_event_is_named_by_who_keeps_it() -> None:
    client = Client({"metadata": {"name": "e.1"}}, {})
    assert await api(client).create_event("a", {"metadata": {}}) == "e.1"
    await api(client).patch_event("a", "e.1", [{"op": "add", "path": "/count", "value": 2}])
    assert [(method, url) for method, url, *_ in client.sent] == [
        ("POST", "/api/v1/namespaces/a/events"),
        ("PATCH", "/api/v1/namespaces/a/events/e.1"),
    ]


async def test_an_object_that_is_not_there_is_none() -> None:
    assert await api(Client(Response("{}", 404))).get("p", "ns", "n") is None


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Response("", 403), 403, "get p ns/n: 403 a reason"),
        (Response('{"message": "the server rejected it"}', 422), 422, "get p ns/n: 422 the server rejected it"),
        (Response("<html>", 502, "text/html"), 502, "get p ns/n: 502 a reason"),
        (aiohttp.ClientConnectionError("refused"), 0, "get p ns/n: no answer ClientConnectionError refused"),
        (TimeoutError(), 0, "get p ns/n: no answer TimeoutError"),
        (OSError("broken"), 0, "get p ns/n: no answer OSError broken"),
        (ApiException(status=0, reason="odd"), 0, "get p ns/n: no answer odd"),
        (Response("{", 200), 0, "get p ns/n: no answer the answer is not JSON"),
        (Response("[]", 200), 0, "get p ns/n: no answer the answer is not a Kubernetes object"),
        (Response("login", 200, "text/html"), 0, "get p ns/n: no answer the answer is not a Kubernetes object"),
    ],
)
async def test_everything_that_goes_wrong_is_one_error(answer: Response | Exception, status: int, words: str) -> None:
    with pytest.raises(KubeError) as raised:
        await api(Client(answer)).get("p", "ns", "n")
    assert raised.value.status == status
    assert str(raised.value) == words


@pytest.mark.parametrize(
    ("status", "not_found", "outdated"),
    [(404, True, False), (409, False, True), (422, False, True), (403, False, False), (0, False, False)],
)
def test_what_an_error_means(status: int, not_found: bool, outdated: bool) -> None:
    error = KubeError("x", status, "")
    assert (error.not_found, error.outdated) == (not_found, outdated)


class Held(Client):
    """Answers nobody until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()

    async def call_api(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        self.answers.append({"metadata": {"name": "n"}})
        found = await super().call_api(method, url, *arguments, **options)
        await self.let.wait()
        return found


async def test_so_many_requests_at_a_time_and_those_for_the_lease_wait_for_none_of_them() -> None:
    client = Held()
    kube = api(client)
    async with asyncio.TaskGroup() as group:
        for number in range(3 * AT_ONCE):
            group.create_task(kube.patch("p", "ns", f"n-{number}", []))
        await settled()
        assert len(client.sent) == AT_ONCE
        lease = group.create_task(kube.get_lease("ops", "l", 1.5))
        await settled()
        assert len(client.sent) == AT_ONCE + 1
        client.let.set()
    assert lease.result() is not None
    assert len(client.sent) == 3 * AT_ONCE + 1


async def test_who_gives_up_waiting_takes_nobodys_place() -> None:
    client = Held()
    kube = api(client)
    waiting = [asyncio.create_task(kube.patch("p", "ns", "n", [])) for _ in range(2 * AT_ONCE)]
    await settled()
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    client.let.set()
    assert await asyncio.gather(*(kube.patch("p", "ns", "n", []) for _ in range(2 * AT_ONCE)))


async def test_waiting_for_a_place_is_part_of_the_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait for an API server that hangs, each gives up as if it had been asked."""
    monkeypatch.setattr(Rest.request, "__kwdefaults__", {**(Rest.request.__kwdefaults__ or {}), "timeout": 0.2})
    client = Held()
    kube = api(client)
    asked = [asyncio.create_task(kube.patch("p", "ns", "n", [])) for _ in range(2 * AT_ONCE)]
    async with asyncio.timeout(HANG):
        failed = await asyncio.gather(*asked, return_exceptions=True)
    assert {str(error) for error in failed} == {"patch p ns/n: no answer TimeoutError"}
    client.let.set()
    assert await kube.patch("p", "ns", "n", [])


async def settled() -> None:
    """Everything has gone as far as it goes by itself."""
    for _ in range(50):
        await asyncio.sleep(0)
