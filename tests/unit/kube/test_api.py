"""Pages, errors and conditional writes over the generated client."""

# ruff: noqa: ARG002 - the signatures are the generated client's

from __future__ import annotations

from typing import Any, cast

import aiohttp
import pytest
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException

from lenses_operator.kube.api import JSON_PATCH, PAGE, TIMEOUT, KubeApi, KubeError

ITEMS: list[dict[str, Any]] = [{"number": number} for number in range(4)]


class Custom:
    """CustomObjectsApi as far as it is used; `pages` by namespace, None for all."""

    def __init__(self, pages: dict[str | None, list[list[dict[str, Any]]]], failure: Exception | None = None) -> None:
        self.pages = pages
        self.failure = failure
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    async def list_cluster_custom_object(self, *_: object, **options: Any) -> dict[str, Any]:
        return self._page(None, options)

    async def list_namespaced_custom_object(
        self, group: str, version: str, namespace: str, plural: str, **options: Any
    ) -> dict[str, Any]:
        return self._page(namespace, options)

    def _page(self, namespace: str | None, options: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(((namespace,), options))
        if self.failure:
            raise self.failure
        at = int(options.get("_continue", 0))
        more = str(at + 1) if at + 1 < len(self.pages[namespace]) else None
        return {"items": self.pages[namespace][at], "metadata": {"continue": more} if more else {}}

    async def get_namespaced_custom_object(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        self.calls.append((arguments, options))
        if self.failure:
            raise self.failure
        return {"found": True}

    async def patch_namespaced_custom_object(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        return await self.get_namespaced_custom_object("object", *arguments, **options)

    async def patch_namespaced_custom_object_status(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        return await self.get_namespaced_custom_object("status", *arguments, **options)


def api(custom: Custom) -> KubeApi:
    made = KubeApi(cast("ApiClient", None))
    made._custom = custom
    return made


async def test_every_page_of_the_whole_cluster() -> None:
    custom = Custom({None: [ITEMS[:2], ITEMS[2:3], ITEMS[3:]]})
    assert await api(custom).list_all("p", [], "") == ITEMS
    assert [options.get("_continue") for _, options in custom.calls] == [None, "1", "2"]
    assert all(options["limit"] == PAGE for _, options in custom.calls)
    assert all("label_selector" not in options for _, options in custom.calls)


async def test_every_page_of_each_namespace_with_the_selector() -> None:
    custom = Custom({"a": [ITEMS[:1], ITEMS[1:3]], "b": [ITEMS[3:]]})
    assert await api(custom).list_all("p", ["a", "b"], "team=x") == ITEMS
    assert all(options["label_selector"] == "team=x" for _, options in custom.calls)


@pytest.mark.parametrize("status", [True, False])
async def test_a_patch_is_a_json_patch_with_a_time_limit(status: bool) -> None:
    custom = Custom({})
    await api(custom).patch("p", "ns", "n", [{"op": "add", "path": "/x", "value": None}], status=status)
    [(arguments, options)] = custom.calls
    assert arguments[0] == ("status" if status else "object")
    assert arguments[-1] == [{"op": "add", "path": "/x", "value": None}]
    assert options == {"_content_type": JSON_PATCH, "_request_timeout": TIMEOUT}


async def test_an_object_that_is_not_there_is_none() -> None:
    assert await api(Custom({}, ApiException(status=404))).get("p", "ns", "n") is None


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        (ApiException(status=403, reason="Forbidden"), 403, "get p ns/n: 403 Forbidden"),
        (aiohttp.ClientConnectionError("refused"), 0, "get p ns/n: no answer ClientConnectionError refused"),
        (TimeoutError(), 0, "get p ns/n: no answer TimeoutError"),
        (OSError("broken"), 0, "get p ns/n: no answer OSError broken"),
    ],
)
async def test_everything_that_goes_wrong_is_one_error(failure: Exception, status: int, words: str) -> None:
    with pytest.raises(KubeError) as raised:
        await api(Custom({}, failure)).get("p", "ns", "n")
    assert raised.value.status == status
    assert str(raised.value) == words


async def test_the_api_servers_own_words_are_kept() -> None:
    failure = ApiException(status=422, reason="Unprocessable")
    failure.body = '{"message": "the server rejected it"}'
    with pytest.raises(KubeError, match="422 the server rejected it"):
        await api(Custom({}, failure)).get("p", "ns", "n")


@pytest.mark.parametrize(
    ("status", "not_found", "outdated"),
    [(404, True, False), (409, False, True), (422, False, True), (403, False, False), (0, False, False)],
)
def test_what_an_error_means(status: int, not_found: bool, outdated: bool) -> None:
    error = KubeError("x", status, "")
    assert (error.not_found, error.outdated) == (not_found, outdated)
