"""What the doctor asks beside the rights: environments, names with something special, resource as code."""

from __future__ import annotations

import httpx
import pytest

from lenses_operator.commands.doctor import offers
from lenses_operator.commands.doctor.each_environment import sees
from lenses_operator.diagnosis.results import Result, Verdict
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.models import ConnectorName
from unit.lenses.fakes import AGENT, PAGE, answer, problem, rig

ABSENT = answer(404, AGENT)
ORDERS = ConnectorName(name="orders", cluster="eu")
YAML = "apiVersion: lenses.io/v0beta\nkind: KafkaConnector\nspec:\n  config:\n    password: planted\n"


def lenses(odd: httpx.Response, *special: str, plain: httpx.Response = ABSENT) -> LensesClient:
    """`odd`: the answer to paths that hold one of these; `plain` the one to others."""

    def answered(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        found = odd if any(one in path for one in special) else plain
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    return rig(answered).client


def conditions(results: list[Result]) -> list[Verdict]:
    return [result.verdict for result in results]


async def test_names_that_get_through() -> None:
    found = await offers.names(lenses(ABSENT), "prod", ["eu"])
    assert conditions(found) == [Verdict.OK, Verdict.OK]
    assert [result.check for result in found] == ["connector names with a space", "connector names with '->'"]


@pytest.mark.parametrize("odd", [answer(400, PAGE), answer(404, PAGE), answer(404, "not found"), answer(400, AGENT)])
@pytest.mark.parametrize(("part", "broken"), [("%20", [True, False]), ("%3E", [False, True])])
async def test_a_proxy_that_does_not_pass_on_what_is_encoded(
    odd: httpx.Response, part: str, broken: list[bool]
) -> None:
    found = await offers.names(lenses(odd, part), "prod", ["eu"])
    assert conditions(found) == [Verdict.WARNING if one else Verdict.OK for one in broken]
    warned = found[broken.index(True)]
    assert "cannot be reached" in warned.message
    assert "percent-encoded path" in warned.remedy
    assert warned.seen.startswith(f"status {odd.status_code}")


async def test_hqs_own_404_for_the_name_alone_is_a_warning_too() -> None:
    found = await offers.names(lenses(answer(404, problem("not_found", 404)), "%20"), "prod", ["eu"])
    assert conditions(found) == [Verdict.WARNING, Verdict.OK]


@pytest.mark.parametrize("odd", [answer(503, AGENT), answer(429), answer(503, problem("agent_not_connected", 503))])
async def test_a_lenses_in_trouble_tells_nothing_of_the_way(odd: httpx.Response) -> None:
    assert conditions(await offers.names(lenses(odd, "%20", "%3E"), "prod", ["eu"])) == [Verdict.SKIPPED] * 2


@pytest.mark.parametrize("plain", [answer(404, PAGE), answer(403, AGENT), answer(200, {"name": "a", "cluster": "eu"})])
async def test_without_the_agents_404_for_a_plain_name_nothing_is_concluded(plain: httpx.Response) -> None:
    [result] = await offers.names(lenses(ABSENT, plain=plain), "prod", ["eu", "us"])
    assert result.verdict is Verdict.SKIPPED


async def test_another_cluster_serves_as_well() -> None:
    client = lenses(answer(404, PAGE), "/clusters/starting/")
    assert conditions(await offers.names(client, "prod", ["starting", "eu"])) == [Verdict.OK, Verdict.OK]
    assert await offers.names(client, "prod", []) == []


@pytest.mark.parametrize(
    ("given", "users", "verdict", "words"),
    [
        (answer(200, YAML), [], Verdict.OK, "InPlace can be used"),
        (answer(404, AGENT), [], Verdict.OK, "only updateStrategy Recreate works"),
        (answer(405, PAGE), ["a/b"], Verdict.FAILED, "a/b ask for updateStrategy InPlace"),
        (answer(415, AGENT), ["a/b"], Verdict.FAILED, "not offered"),
        (answer(501, problem("x", 501)), ["a/b"], Verdict.FAILED, "not offered"),
        (answer(403, AGENT), ["a/b"], Verdict.SKIPPED, "cannot be told"),
        (answer(200, PAGE), [], Verdict.SKIPPED, "cannot be told"),
        (answer(200, {"a": 1}), [], Verdict.SKIPPED, "cannot be told"),
        (answer(500, AGENT), [], Verdict.SKIPPED, "cannot be told"),
    ],
)
async def test_resource_as_code(given: httpx.Response, users: list[str], verdict: Verdict, words: str) -> None:
    result = await offers.resource(lenses(ABSENT, plain=given), "prod", [ORDERS], users)
    assert result.verdict is verdict
    assert words in result.message
    assert "planted" not in str(result)


async def test_without_a_connector_it_cannot_be_told() -> None:
    assert (await offers.resource(lenses(answer(200, YAML)), "prod", [], ["a/b"])).verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(200, {"items": [{"name": "prod"}]}), [Verdict.OK]),
        (answer(200, {"items": [{"name": "other"}]}), [Verdict.OK, Verdict.FAILED]),
        (answer(200, {"items": []}), [Verdict.FAILED]),
        (answer(200, {"environments": []}), [Verdict.SKIPPED]),
        (answer(404, problem("not_found", 404)), [Verdict.SKIPPED]),
        (answer(405, PAGE), [Verdict.SKIPPED]),
        (answer(415, AGENT), [Verdict.SKIPPED]),
        (answer(501, ""), [Verdict.SKIPPED]),
        (answer(500, AGENT), [Verdict.WARNING]),
    ],
)
async def test_what_the_token_sees(given: httpx.Response, expected: list[Verdict]) -> None:
    assert conditions(await sees(rig(given).client, {"prod": ["payments/orders"]})) == expected
