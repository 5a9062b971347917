"""`lenses-operator doctor` against a Lenses that has something: each fault is named, with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from harness.lenses.environment import LensesEnv
from harness.lenses.operations import CHANGING
from harness.waiting import wait_until
from integration.commands.support import CommandLine, create


def _stopped(env: LensesEnv) -> bool:
    found = env.control.get_connector(env.name, "connect", "orders")
    return found is not None and (found["state"], found["tasks"]) == ("STOPPED", [])


def test_everything_as_it_should_be(line: CommandLine, lenses_env: LensesEnv) -> None:
    create(lenses_env)
    lenses_env.client().act("connect", "orders", "stop")
    wait_until("orders to stop", lambda: _stopped(lenses_env), 10)
    before = lenses_env.control.get_connector(lenses_env.name, "connect", "orders")
    lenses_env.control.reset(lenses_env.name)
    found = line.looks(lenses_env.name)
    assert (found.code, found.verdicts("failed")) == (0, [])
    assert found.verdicts("warning") == ["TLS"]
    assert found.one("connect: Kafka Connect")["message"] == "4.3.1"
    for check in ("get connector", "get topics", "get offsets", "validate"):
        assert found.one(f"connect: {check}")["verdict"] == "ok"
    tried = lenses_env.control.counts(lenses_env.name)
    assert {"ListConnectors", "GetConnector", "ListPlugins", "ValidateConnector", "GetConnectorTopics"} <= {*tried}
    assert {"GetClusterInfo", "GetConnectorOffsets", "GetEnvironment"} <= {*tried}
    assert not CHANGING & {*tried}
    assert lenses_env.control.get_connector(lenses_env.name, "connect", "orders") == before
    untried = {*found.verdicts("not tried")} - {"environments"}
    assert len(untried) == 6
    assert all("Forbidden" in found.one(check)["remedy"] for check in untried)


def test_what_is_printed_for_people_and_each_call(line: CommandLine, lenses_env: LensesEnv) -> None:
    done = line.run("doctor", "--environment", lenses_env.name, "--skip-kubernetes", "--verbose")
    assert done.code == 0
    assert f"Environment {lenses_env.name}\n" in done.out
    assert done.out.splitlines()[-1].endswith(" not tried")
    assert f"list connectors in {lenses_env.name}: 200, " in done.err


HTML = {"text": "<html><title>Sign in</title></html>", "content_type": "text/html"}
FAULTS = [
    ({"status": 401}, "token", "not accepted (401)", "expired, revoked"),
    ({"status": 402, "shape": "hq", "type": "licence_limitation"}, "token", "licence (402)", "licence"),
    (HTML, "API", "a page (HTML)", "ingress"),
    ({"status": 502, "shape": "html"}, "API", "answers 502 in Lenses' place", "does not reach Lenses"),
    ({"drop": "before"}, "API", "no HTTP answer comes", "scheme"),
    ({"status": 302, "headers": {"Location": "https://sso.example.com/login"}}, "API", "to a login page", "sign-on"),
    (
        {"status": 301, "headers": {"Location": "https://other.example.com/"}},
        "API",
        "another host",
        "https://other.exam",
    ),
    ({"status": 308, "headers": {"Location": "/lenses/api"}}, "API", "redirected to /lenses/api", "path in the URL"),
    ({"status": 403}, "list connectors", "may not do this", "role"),
    ({"agent_down": True}, "agent", "its agent is not connected", "agent's log"),
    ({"agent_down": True}, "list plugins", "agent of this environment is not connected", "agent's log"),
    (
        {"operation": "ListConnectors", "status": 501, "shape": "hq", "type": "missing_agent_capabilities"},
        "list connectors",
        "does not know the operation",
        "Upgrade the agent",
    ),
    (
        {"operation": "ListPlugins", "body": {"data": [{"name": "x"}]}},
        "list plugins",
        "data.0.class: missing",
        "report",
    ),
    ({"operation": "GetClusterInfo", "status": 403}, "connect: cluster info", "may not do this", "role"),
    ({"operation": "GetClusterInfo", "status": 500}, "connect: cluster info", "answered 500", "logs"),
    ({"operation": "ValidateConnector", "status": 403}, "connect: validate", "may not do this", "role"),
    ({"status": 500, "operation": "ListConnectors", "shape": "text"}, "list connectors", "answered 500", "logs"),
]


@pytest.mark.parametrize(("fault", "check", "message", "remedy"), FAULTS)
def test_what_fails_is_named(
    line: CommandLine, lenses_env: LensesEnv, fault: dict[str, Any], check: str, message: str, remedy: str
) -> None:
    lenses_env.control.add_fault(lenses_env.name, **fault)
    found = line.looks(lenses_env.name)
    assert found.code == 1
    result = found.one(check)
    assert result["verdict"] == "failed"
    assert message in result["message"]
    assert remedy in result["remedy"]


def test_an_answer_is_shown_as_it_came(line: CommandLine, lenses_env: LensesEnv) -> None:
    """The first one on a live Lenses sends us this."""
    lenses_env.control.add_fault(lenses_env.name, operation="ListConnectors", status=500, message="out of luck")
    seen = line.looks(lenses_env.name).one("list connectors")["seen"]
    assert seen == "status 500, agent's shape, InternalError: out of luck"


def test_a_token_that_is_quoted_back_is_not_shown(line: CommandLine, lenses_env: LensesEnv) -> None:
    lenses_env.control.add_fault(lenses_env.name, operation="ListPlugins", status=500, message=f"who is {line.token}?")
    assert "who is ***?" in line.looks(lenses_env.name).one("list plugins")["seen"]


def test_a_token_nobody_knows(line: CommandLine, lenses_env: LensesEnv) -> None:
    found = line.looks(lenses_env.name, token="no-such-token")
    assert found.verdicts("failed") == ["token"]
    assert not any(one["group"].startswith("Environment") for one in found.checks)


def test_an_environment_the_token_may_not_see(line: CommandLine, lenses_env: LensesEnv) -> None:
    lenses_env.control.add_token("of-others", environments=["other"])
    found = line.looks(lenses_env.name, token="of-others")
    assert found.one("token")["verdict"] == "warning"
    assert found.one("agent")["verdict"] == "failed"


def test_an_environment_that_is_none(line: CommandLine, lenses_env: LensesEnv) -> None:
    found = line.looks("nowhere")
    assert found.code == 1
    assert "no such environment" in found.one("agent")["message"]


@pytest.mark.parametrize(
    ("version", "words"),
    [("3.4.1", "state: stopped, offsets"), ("3.5.2", "Alter and Reset, do not work"), ("?", "a version that is none")],
)
def test_old_clusters(line: CommandLine, lenses_env: LensesEnv, version: str, words: str) -> None:
    lenses_env.control.add_cluster(lenses_env.name, "old", {"backend": "memory", "version": version})
    result = line.looks(lenses_env.name).one("old: Kafka Connect")
    assert result["verdict"] == "warning"
    assert words in result["message"]


def test_a_configuration_that_is_hidden(line: CommandLine, lenses_env: LensesEnv) -> None:
    create(lenses_env)
    lenses_env.control.add_fault(lenses_env.name, operation="GetConnector", omit_config=True)
    assert "is hidden from this token" in line.looks(lenses_env.name).one("connect: get connector")["message"]


@pytest.mark.parametrize(
    "words",
    [
        ["--skip-kubernetes"],
        ["--service-account", "no-slash"],
        ["--environment", "prod", "--skip-kubernetes", "--token-file", "/no/such/file"],
        ["--environment", "prod", "--skip-kubernetes", "--lenses-url", "lenses"],
    ],
)
def test_wrong_usage(line: CommandLine, words: list[str]) -> None:
    done = line.run("doctor", *words)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


def test_what_is_hidden_of_a_configuration_is_named(line: CommandLine, lenses_env: LensesEnv) -> None:
    create(lenses_env, password="planted")
    hidden = [{"field": "config.password"}]
    lenses_env.control.add_fault(lenses_env.name, operation="GetConnector", errors=hidden)
    result = line.looks(lenses_env.name).one("connect: get connector")
    assert result["message"] == "allowed, but password of orders is hidden from this token"
    assert "kafka-connect:GetConnectorConfiguration" in result["remedy"]


def test_names_that_lenses_may_not_take(line: CommandLine, lenses_env: LensesEnv) -> None:
    lenses_env.control.add_cluster(lenses_env.name, "connect_2", {"backend": "memory"})
    create(lenses_env, "a:b", password="planted")
    found = line.looks(lenses_env.name)
    assert found.code == 0
    assert {"connect_2: name", "connect: connector names"} <= {*found.verdicts("warning")}
    assert "connect: name" not in {one["check"] for one in found.checks}
