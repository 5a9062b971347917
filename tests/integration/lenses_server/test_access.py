"""Tokens: lists are filtered, everything else is refused."""

from __future__ import annotations

import pytest

from harness.lenses.access import glob_match
from harness.lenses.client import LensesApi
from harness.lenses.environment import LensesEnv

from .conftest import SINK
from .support import cross_check

pytest_plugins = ["harness.lenses.fixtures"]


@pytest.mark.parametrize(
    ("glob", "value", "matches"),
    [("*", "", True), ("a*", "abc", True), ("a*c", "abd", False), ("[ab]", "a", False), ("[ab]", "[ab]", True)],
)
def test_globs_know_the_star_alone(glob: str, value: str, matches: bool) -> None:
    assert glob_match(glob, value) is matches


def test_lists_are_filtered_by_permission(lenses_env: LensesEnv, api: LensesApi) -> None:
    control = lenses_env.control
    control.add_cluster(lenses_env.name, "other", {"backend": "memory"})
    for cluster in ("connect", "other"):
        for name in ("team-a", "team-b"):
            control.set_connector(lenses_env.name, cluster, name, config=SINK)
    assert sorted(api.names()) == ["team-a", "team-a", "team-b", "team-b"]
    assert sorted(api.names("other")) == ["team-a", "team-b"]
    control.add_token(f"{lenses_env.name}-a", clusters=["connect"], connectors=["team-a*"], write=False)
    with lenses_env.client(f"{lenses_env.name}-a") as limited:
        assert limited.names() == ["team-a"]
        assert {plugin["cluster"] for plugin in limited.call("ListPlugins").json()["data"]} == {"connect"}
        assert limited.get("connect", "team-a").status_code == 200
        for refused in (
            limited.get("connect", "team-b"),
            limited.get("other", "team-a"),
            limited.act("connect", "team-a", "stop"),
            limited.create("connect", "team-a2", SINK),
            limited.call("GetClusterInfo", cluster="other"),
        ):
            assert refused.status_code == 403
            cross_check(refused)
        assert limited.validate("connect", "team-a", SINK).status_code == 200
    control.add_token(f"{lenses_env.name}-a", environments=["elsewhere-*"])
    with lenses_env.client(f"{lenses_env.name}-a") as limited:
        assert limited.call("ListConnectors").status_code == 403
    control.remove_token(f"{lenses_env.name}-a")
    with lenses_env.client(f"{lenses_env.name}-a") as limited:
        assert limited.call("ListConnectors").status_code == 401


def test_lists_are_filtered_by_query(lenses_env: LensesEnv, api: LensesApi) -> None:
    lenses_env.control.set_connector(lenses_env.name, "connect", "sink", config=SINK)
    sink = "org.apache.kafka.connect.file.FileStreamSinkConnector"
    listed = api.call("ListConnectors", query={"className": sink}).json()["data"]
    assert [entry["name"] for entry in listed] == ["sink"]
    assert api.call("ListConnectors", query={"className": "other"}).json()["data"] == []
    assert api.call("ListConnectors", query={"cluster": ["connect", "nowhere"]}).json()["data"] == listed


def test_the_log_names_tokens_and_holds_none(lenses_env: LensesEnv, api: LensesApi) -> None:
    api.call("ListConnectors", query={"cluster": "connect"})
    (request,) = lenses_env.control.requests(lenses_env.name)
    assert request["token"] == "all"
    assert lenses_env.token not in str(request)
    assert (request["operation"], request["status"], request["outcome"]) == ("ListConnectors", 200, "answered")
    assert (request["query"], request["cluster"]) == ({"cluster": ["connect"]}, "connect")
