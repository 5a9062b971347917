"""Which environments the token sees, against those that are asked for, and names that Lenses may not take."""

from __future__ import annotations

import pytest

from lenses_operator.diagnosis.environment_findings import Wanted
from lenses_operator.diagnosis.results import Result, Verdict
from lenses_operator.diagnosis.visible import not_listed, odd_names, visible
from lenses_operator.lenses import errors
from lenses_operator.lenses.models import ConnectorName, EnvironmentInfo

PROD = EnvironmentInfo.model_validate({"name": "prod", "display_name": "Production", "status": {}})
AWAY = EnvironmentInfo.model_validate({"name": "test", "status": {"agent_connected": False}})


def conditions(results: list[Result]) -> list[Verdict]:
    return [result.verdict for result in results]


def test_all_that_are_asked_for_are_seen() -> None:
    [result] = visible([PROD, AWAY], {"prod": ["payments/orders"]})
    assert result.verdict is Verdict.OK
    assert result.message == "the token sees prod, test (its agent is not connected)"


def test_one_that_a_resource_names_and_the_token_does_not_see() -> None:
    _, result = visible([AWAY], {"prod": ["payments/orders", "payments/refunds"], "test": ["web/clicks"]})
    assert result.verdict is Verdict.FAILED
    assert result.message == "the token does not see 'prod', which payments/orders, payments/refunds name"
    assert "environments:AccessEnvironment" in result.remedy


def test_a_display_name_where_the_name_belongs() -> None:
    _, result = visible([PROD], {"Production": ["payments/orders"]})
    assert result.verdict is Verdict.FAILED
    assert "resources have to name prod" in result.remedy


def test_no_environment_at_all() -> None:
    assert conditions(visible([], {})) == [Verdict.WARNING]
    assert conditions(visible([], {"prod": ["--environment"]})) == [Verdict.FAILED]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (errors.MissingAgentCapability("list_environments", status=404), Verdict.SKIPPED),
        (errors.UnusableAnswer("list_environments", "items: missing", status=200), Verdict.SKIPPED),
        (errors.Forbidden("list_environments"), Verdict.SKIPPED),
        (errors.ServerError("list_environments"), Verdict.WARNING),
        (errors.LensesUnreachable("list_environments"), Verdict.WARNING),
        (errors.Unauthorized("list_environments"), Verdict.FAILED),
    ],
)
def test_a_list_that_does_not_come_is_no_failure(error: errors.LensesError, verdict: Verdict) -> None:
    assert not_listed(error).verdict is verdict


def test_names_as_lenses_takes_them_are_not_mentioned() -> None:
    one = ConnectorName(name="a -> b", cluster="Connect-1")
    assert odd_names("prod-eu-1", ["Connect-1"], [one], {"Connect-1": Wanted({}, 1)}) == []


def test_odd_names_are_warned_of() -> None:
    listed = [ConnectorName(name="a:b", cluster="eu_1"), ConnectorName(name="c", cluster="eu_1")]
    found = odd_names("Prod", ["eu_1", "us"], listed, {"eu_1": Wanted({}, 2, ["a:b", "c:d"])})
    assert {*conditions(found)} == {Verdict.WARNING}
    assert [result.check for result in found] == ["name", "eu_1: name", "eu_1: connector names"]
    assert "'Prod' cannot be" in found[0].message
    assert "'eu_1' cannot be" in found[1].message
    assert "connector 'a:b'" in found[2].message
    assert found[2].message.endswith("(and 1 more)")
