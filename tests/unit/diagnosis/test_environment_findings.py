"""What is made of the answers of an environment and its clusters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lenses_operator.diagnosis import environment_findings as environments
from lenses_operator.diagnosis.environment_findings import Wanted, release
from lenses_operator.diagnosis.failures import failure, seen
from lenses_operator.diagnosis.results import Verdict
from lenses_operator.lenses import answers, errors
from lenses_operator.lenses.models import ClusterInfo, ConnectorDetails, ConnectorName, EnvironmentInfo, Plugin

CLASS = "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector"


def refused(status: int, body: object = None, operation: str = "list_connectors") -> errors.LensesError:
    content = body if isinstance(body, bytes) else json.dumps(body or {"error": "no"}).encode()
    return answers.from_answer(operation, status, content)


def hq(kind: str, status: int) -> errors.LensesError:
    return refused(status, {"type": f"https://lenses.io/{kind}", "title": kind, "status": status})


@pytest.mark.parametrize(
    ("error", "words", "remedy"),
    [
        (refused(401), "the token is not accepted", "expired, revoked"),
        (refused(402), "licence", "licence"),
        (refused(403), "may not do this", "role"),
        (refused(404), "does not know this cluster or connector", "spec.cluster"),
        (hq("not_found", 404), "no such environment", "spec.environment"),
        (hq("agent_not_connected", 503), "not connected", "agent's log"),
        (hq("missing_agent_capabilities", 501), "does not know the operation", "Upgrade"),
        (refused(500), "answered 500", "logs"),
        (refused(502, b"<html><title>Bad Gateway</title></html>"), "answered 502", "logs"),
        (refused(404, b"<html>"), "not an answer of the Lenses API", "Something else than Lenses"),
        (refused(302, b""), "redirected", "Something else than Lenses"),
        (
            answers.unusable("list_connectors", 200, b"{}", "data: list_type"),
            "data: list_type",
            "report status and shape",
        ),
        (errors.LensesUnreachable("list_connectors", "no complete answer"), "no complete answer", "connection"),
        (refused(400), "answered 400", "report"),
        (refused(418), "answered 418", "report"),
    ],
)
def test_each_failure_says_what_to_do(error: errors.LensesError, words: str, remedy: str) -> None:
    result = failure("g", "c", error)
    assert result.verdict is Verdict.FAILED
    assert words in result.message
    assert remedy in result.remedy


@pytest.mark.parametrize("status", [409, 429])
def test_what_passes_is_a_warning(status: int) -> None:
    assert failure("g", "c", refused(status)).verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            refused(500, {"error": "out of luck", "fields": [], "errorType": "InternalError"}),
            "status 500, agent's shape, InternalError: out of luck",
        ),
        (hq("forbidden", 403), "status 403, HQ's shape, forbidden: forbidden"),
        (refused(403, b"<title>Denied</title>"), "status 403, neither the agent's nor HQ's shape: Denied"),
        (refused(404, b"nope"), "status 404, neither the agent's nor HQ's shape: nope"),
        (errors.LensesUnreachable("list_connectors"), ""),
    ],
)
def test_the_answer_as_it_came(error: errors.LensesError, words: str) -> None:
    assert seen(error) == words


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4.3.1", (4, 3)),
        ("3.4", (3, 4)),
        ("7.6.0-ccs", (3, 6)),
        ("8.0.0-ce", (4, 0)),
        ("v3.5.1", (3, 5)),
        ("unknown", None),
    ],
)
def test_versions(text: str, number: tuple[int, int] | None) -> None:
    assert release(text) == number


@pytest.mark.parametrize(
    ("version", "verdict", "words"),
    [
        ("3.6.0", Verdict.OK, "3.6.0"),
        ("3.5.1", Verdict.WARNING, "of LensesConnectorOffsets Alter and Reset"),
        ("3.4.0", Verdict.WARNING, "state: stopped, offsets"),
        ("?", Verdict.WARNING, "a version that is none"),
    ],
)
def test_what_a_version_can_do(version: str, verdict: Verdict, words: str) -> None:
    [result] = environments.version("prod", "eu", ClusterInfo(name="eu", version=version))
    assert result.verdict is verdict
    assert words in result.message


def test_old_offsets_are_no_matter_of_rights() -> None:
    assert environments.not_allowed("prod", "get offsets", refused(404), "eu", "3.4.1").verdict is Verdict.SKIPPED
    assert environments.not_allowed("prod", "get offsets", refused(403), "eu", "3.5.0").verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("status", "verdict"),
    [({"agent_connected": True}, Verdict.OK), ({"agent_connected": False}, Verdict.FAILED), (None, Verdict.OK)],
)
def test_the_agent(status: dict[str, Any] | None, verdict: Verdict) -> None:
    info = EnvironmentInfo.model_validate({"name": "prod", "status": status})
    assert environments.environment("prod", info).verdict is verdict


def test_an_empty_list_may_be_a_missing_right() -> None:
    """Lenses leaves out what a token may not see."""
    item = ConnectorName(name="orders", cluster="eu")
    wanted = {"eu": Wanted({CLASS: ["a/b"]}, 2)}
    assert environments.listed("prod", [item], wanted).verdict is Verdict.OK
    assert environments.listed("prod", [], {}).verdict is Verdict.OK
    result = environments.listed("prod", [], wanted)
    assert result.verdict is Verdict.WARNING
    assert "resources name 2 here" in result.message
    assert "kafka-connect:ListConnectors" in result.remedy


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("list connectors", "kafka-connect:ListConnectors"),
        ("get connector", "kafka-connect:GetConnectorDetails"),
        ("cluster info", "kafka-connect:GetClusterDetails"),
        ("get topics", ""),
    ],
)
def test_what_lenses_calls_a_right_that_is_missing(operation: str, permission: str) -> None:
    remedy = environments.not_allowed("prod", operation, refused(403), "eu").remedy
    assert permission in remedy
    assert ("By its name" in remedy) is (permission != "")
    assert "By its name" not in environments.not_allowed("prod", operation, refused(500), "eu").remedy


def test_an_environments_endpoint_that_is_none() -> None:
    """It is outside the API's description: a Lenses without it works all the same."""
    page = refused(404, b"<html>", "get_environment")
    assert environments.environment_failed("prod", page).verdict is Verdict.WARNING
    assert environments.environment_failed("prod", refused(401)).verdict is Verdict.FAILED


def test_clusters_are_those_that_anybody_names() -> None:
    names, [result] = environments.clusters("prod", {"b"}, {"a"}, {"c"})
    assert names == ["a", "b", "c"]
    assert result.message == "a, b"
    assert environments.clusters("prod", (), (), ())[1][0].verdict is Verdict.WARNING
    assert environments.clusters("prod", (), (), ["c"]) == (["c"], [])


def plugin(cluster: str = "eu", class_name: str = CLASS, kind: str = "sink") -> Plugin:
    return Plugin.model_validate({"class": class_name, "cluster": cluster, "type": kind})


def test_plugins() -> None:
    wanted = Wanted({CLASS: ["payments/orders"], "org.example.S3SinkConector": ["a/b", "c/d"]})
    [result] = environments.installed("prod", "eu", [plugin()], wanted)
    assert result.verdict is Verdict.FAILED
    assert "org.example.S3SinkConector, which a/b, c/d ask for" in result.message
    assert CLASS in result.remedy
    assert environments.installed("prod", "eu", [plugin()], Wanted({}))[0].verdict is Verdict.OK


@pytest.mark.parametrize("there", [[], [plugin("us")], [plugin(kind="converter")]])
def test_no_plugins(there: list[Plugin]) -> None:
    assert environments.installed("prod", "eu", there, Wanted({}))[0].verdict is Verdict.WARNING


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({"config": {"a": "b"}}, Verdict.OK),
        ({}, Verdict.WARNING),
        ({"config": {}, "__errors": [{"field": "config", "reason": "permission"}]}, Verdict.WARNING),
        ({"config": {"a": "b"}, "__errors": [{"field": "config.c"}]}, Verdict.WARNING),
        ({"config": {"a": "b"}, "__errors": [{"field": "icon"}]}, Verdict.OK),
    ],
)
def test_whether_the_configuration_is_shown(more: dict[str, Any], verdict: Verdict) -> None:
    details = ConnectorDetails.model_validate({"name": "orders", "cluster": "eu", **more})
    assert environments.shown("prod", "eu", details).verdict is verdict


@pytest.mark.parametrize(("status", "verdict"), [(400, Verdict.WARNING), (500, Verdict.WARNING), (403, Verdict.FAILED)])
def test_validate_that_gives_no_verdict(status: int, verdict: Verdict) -> None:
    assert environments.validation_failed("prod", "eu", CLASS, refused(status)).verdict is verdict


def test_an_ingress_that_fails_is_no_let_through() -> None:
    page = refused(502, b"<html>Bad Gateway</html>")
    assert environments.validation_failed("prod", "eu", CLASS, page).verdict is Verdict.FAILED
