"""The key of the digests in status: made once, read ever after, and done without where it cannot be had."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from lenses_operator.kube import digest_key
from lenses_operator.kube.api import KubeError
from lenses_operator.kube.digest_key import DigestKey
from unit.kube.fakes import OUTDATED, SILENT, FakeApi

PLACE = ("ops", "digest-key")
FORBIDDEN = KubeError("secret", 403, "may not")
BROKEN = KubeError("secret", 500, "cannot decrypt")


async def loaded(api: FakeApi) -> bytes | None:
    key = DigestKey(api.as_api(), *PLACE, sleep=api.sleep)
    await key.load()
    return key.value


def stored(api: FakeApi) -> bytes:
    return base64.b64decode(api.secrets[PLACE]["data"]["key"])


def hold(api: FakeApi, **fields: Any) -> None:
    api.secrets[PLACE] = {"metadata": {"name": PLACE[1], "resourceVersion": "7"}, **fields}


async def test_it_is_made_at_the_first_start_and_read_at_the_next_ones(api: FakeApi) -> None:
    first = await loaded(api)
    assert first == stored(api)
    assert first is not None
    assert len(first) == 32
    assert await loaded(api) == first
    assert await loaded(FakeApi()) != first


@pytest.mark.parametrize(
    "fields", [{}, {"data": None}, {"data": {}}, {"data": {"other": "eA=="}}, {"data": {"key": ""}}]
)
async def test_an_empty_secret_is_filled(api: FakeApi, fields: dict[str, Any]) -> None:
    """As the chart makes it: for filling this one it takes no right to create any."""
    api.always("create secret", FORBIDDEN)
    hold(api, **fields)
    assert await loaded(api) == stored(api)
    assert "other" not in (fields.get("data") or {}) or api.secrets[PLACE]["data"]["other"] == "eA=="
    assert await loaded(api) == stored(api)


@pytest.mark.parametrize("there", [False, True], ids=["made", "filled"])
async def test_two_at_once_have_the_same(api: FakeApi, there: bool) -> None:
    if there:
        hold(api)
    assert set(await asyncio.gather(*(loaded(api) for _ in range(5)))) == {stored(api)}


async def test_an_answer_that_is_lost_makes_no_second_key(api: FakeApi) -> None:
    api.lose_answer("create secret")
    assert await loaded(api) == stored(api)


@pytest.mark.parametrize("fault", [SILENT, BROKEN, OUTDATED])
async def test_trouble_that_may_pass_is_waited_for(api: FakeApi, fault: KubeError) -> None:
    hold(api)
    api.fail("get secret", fault, fault)
    api.fail("patch secret", fault)
    assert await loaded(api) == stored(api)
    assert len(api.slept) == 3


@pytest.mark.parametrize("call", ["get secret", "create secret"])
async def test_without_the_right_there_is_none_and_that_is_said(
    api: FakeApi, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    api.always(call, FORBIDDEN)
    assert await loaded(api) is None
    assert "ops/digest-key" in caplog.text
    assert "may not" in caplog.text
    assert len(api.slept) < 10


@pytest.mark.parametrize("call", ["get secret", "create secret", "patch secret"])
async def test_a_right_that_was_given_a_moment_ago_is_waited_for(
    api: FakeApi, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Or is given a moment later."""
    if call == "patch secret":
        hold(api)
    api.fail(call, FORBIDDEN, FORBIDDEN)
    assert await loaded(api) == stored(api)
    assert caplog.text == ""


@pytest.mark.parametrize("fields", [{"data": {"key": "c2hvcnQ="}}, {"data": {"key": "no base64"}}, {"immutable": True}])
async def test_what_is_no_key_is_left_as_it_is(
    api: FakeApi, fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    hold(api, **fields)
    before = dict(api.secrets[PLACE])
    assert await loaded(api) is None
    assert api.secrets[PLACE] == before
    assert "no digest key" in caplog.text
    assert "c2hvcnQ" not in caplog.text


async def test_an_api_server_that_never_answers_is_not_waited_for_without_end(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(digest_key, "PATIENCE", 0.05)
    api.always("get secret", BROKEN)
    assert await loaded(api) is None
    assert "cannot decrypt" in caplog.text
