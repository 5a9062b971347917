"""`lenses-operator doctor` through what stands in front of Lenses, or a Lenses that has more or less than another."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harness.lenses.environment import LensesEnv
from integration.commands.support import CommandLine, create
from integration.lenses_client.wire import in_front_of, saying_of


def test_names_with_something_special_reach_the_agent(line: CommandLine, lenses_env: LensesEnv) -> None:
    found = line.looks(lenses_env.name)
    for what in ("a space", "'->'"):
        assert found.one(f"connector names with {what}")["verdict"] == "ok"


@pytest.mark.parametrize(
    ("status", "body"), [("400 Bad Request", "<html>Bad Request</html>"), ("404 Not Found", "no route")]
)
def test_a_proxy_that_refuses_an_encoded_space(
    line: CommandLine, lenses_env: LensesEnv, serve: Callable[..., str], status: str, body: str
) -> None:
    refusal = saying_of(status, "text/html", body)
    url = serve(in_front_of(lenses_env.url, lambda path: refusal if b"%20" in path else None))
    found = line.looks(lenses_env.name, url=url)
    assert found.code == 0
    result = found.one("connector names with a space")
    assert result["verdict"] == "warning"
    assert "cannot be reached" in result["message"]
    assert found.one("connector names with '->'")["verdict"] == "ok"


def test_environments_are_compared_with_what_was_asked_for(
    line: CommandLine, lenses_env: LensesEnv, serve: Callable[..., str]
) -> None:
    items = [{"name": "other", "display_name": lenses_env.name, "status": {"agent_connected": True}}]
    listed = saying_of("200 OK", "application/json", json.dumps({"items": items}))
    url = serve(in_front_of(lenses_env.url, lambda path: listed if path == b"/api/v1/environments" else None))
    done = line.run("doctor", "--environment", lenses_env.name, "--skip-kubernetes", url=url)
    assert done.code == 1
    assert "environments: the token sees other\n" in done.out
    assert f"the token does not see '{lenses_env.name}', which --environment names" in done.out
    assert "is the display name of environment other" in done.out


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented", "200 OK"])
def test_a_lenses_without_a_list_of_environments(
    line: CommandLine, lenses_env: LensesEnv, serve: Callable[..., str], status: str
) -> None:
    odd = saying_of(status, "text/html", "<html>")
    url = serve(in_front_of(lenses_env.url, lambda path: odd if path == b"/api/v1/environments" else None))
    found = line.looks(lenses_env.name, url=url)
    assert found.code == 0
    assert found.one("environments")["verdict"] == "not tried"


@pytest.mark.parametrize(
    ("status", "words"), [("200 OK", "InPlace can be used"), ("404 Not Found", "only updateStrategy Recreate works")]
)
def test_resource_as_code(
    line: CommandLine, lenses_env: LensesEnv, serve: Callable[..., str], status: str, words: str
) -> None:
    assert "there is no connector" in line.looks(lenses_env.name).one("resource as code")["message"]
    create(lenses_env, password="planted")
    document = saying_of(status, "application/yaml", "kind: KafkaConnector\nspec: {config: {password: planted}}\n")
    url = serve(in_front_of(lenses_env.url, lambda path: document if b"/v1/resource/" in path else None))
    done = line.run("doctor", "--environment", lenses_env.name, "--skip-kubernetes", url=url)
    assert words in done.out
    assert "planted" not in done.out + done.err
