"""The simulated Connect: asynchronous changes, exact offsets, thousands of connectors."""

from __future__ import annotations

from typing import Any

import pytest

from harness.lenses import conformance, exactjson
from harness.lenses.client import LensesApi
from harness.lenses.control import ControlError
from harness.lenses.environment import LensesEnv
from harness.lenses.memory_connector import Delays, MemoryConnector, Place
from harness.lenses.plugins import DEFAULT_PLUGINS, Plugin, find_plugin
from harness.waiting import wait_until

from .conftest import SINK, SOURCE
from .support import wait_for, wait_gone

pytest_plugins = ["harness.lenses.fixtures"]
PLACE = Place("env", "connect", "c")


def connector(**delays: float) -> MemoryConnector:
    """One with three tasks, driven by made-up times."""
    plugin = find_plugin(list(DEFAULT_PLUGINS), "FileStreamSink")
    config = {"connector.class": "FileStreamSink", "tasks.max": "3"}
    return MemoryConnector(config, plugin=plugin, delays=Delays(**{"state": 1.0, "task": 1.0, **delays}))


def seen(made: MemoryConnector, now: float) -> tuple[str | None, list[str]]:
    made.settle(now)
    entry = made.entry(PLACE)
    return entry.get("state"), [task["state"] for task in entry["tasks"]]


def test_a_created_connector_runs_at_once_and_has_tasks_later() -> None:
    made = connector()
    made.start(now=0.0)
    assert seen(made, 0.5) == ("RUNNING", [])
    assert seen(made, 1.0) == ("RUNNING", ["RUNNING"] * 3)


def test_stopped_shows_while_tasks_still_run() -> None:
    made = connector()
    made.start(now=0.0)
    seen(made, 5.0)
    made.act("stop", now=5.0)
    assert seen(made, 5.5) == ("RUNNING", ["RUNNING"] * 3)
    assert seen(made, 6.0) == ("STOPPED", ["RUNNING"] * 3)
    assert seen(made, 7.0) == ("STOPPED", [])
    made.act("resume", now=8.0)
    assert seen(made, 9.0) == ("RUNNING", [])
    assert seen(made, 10.0) == ("RUNNING", ["RUNNING"] * 3)


def test_pausing_leaves_failed_tasks_failed() -> None:
    made = connector()
    made.failing = {1: "boom"}
    made.start(now=0.0)
    assert seen(made, 1.0) == ("RUNNING", ["RUNNING", "FAILED", "RUNNING"])
    made.act("pause", now=2.0)
    assert seen(made, 3.0) == ("PAUSED", ["RUNNING", "FAILED", "RUNNING"])
    assert seen(made, 4.0) == ("PAUSED", ["PAUSED", "FAILED", "PAUSED"])


def test_the_last_action_wins() -> None:
    made = connector()
    made.start(now=0.0)
    seen(made, 1.0)
    made.act("stop", now=2.0)
    made.act("resume", now=2.5)
    assert seen(made, 10.0) == ("RUNNING", ["RUNNING"] * 3)


def test_restart_mends_the_connector_and_leaves_its_tasks() -> None:
    made = connector()
    made.start(now=0.0)
    seen(made, 1.0)
    made.state = "FAILED"
    made.tasks[0].state = "FAILED"
    made.act("restart", now=2.0)
    assert seen(made, 3.0) == ("RUNNING", ["FAILED", "RUNNING", "RUNNING"])
    made.fails = True
    made.act("restart", now=4.0)
    assert seen(made, 4.5)[0] == "RESTARTING"
    assert seen(made, 5.0)[0] == "FAILED"


def test_a_task_is_restarted_alone_and_may_fail_again() -> None:
    made = connector()
    made.failing = {0: "boom", 2: "bang"}
    made.start(now=0.0)
    assert seen(made, 1.0)[1] == ["FAILED", "RUNNING", "FAILED"]
    made.failing = {2: "bang"}
    for task in (made.tasks[0], made.tasks[2]):
        made.restart_task(task, now=2.0)
    assert seen(made, 2.5)[1] == ["RESTARTING", "RUNNING", "RESTARTING"]
    assert seen(made, 3.0)[1] == ["RUNNING", "RUNNING", "FAILED"]
    assert made.details(PLACE)["tasks"][2]["trace"] == "bang"


def test_an_identical_config_bounces_a_running_connector() -> None:
    made = connector()
    made.start(now=0.0)
    seen(made, 1.0)
    made.replace(dict(made.config), made.plugin, now=2.0)
    assert seen(made, 2.5) == ("RUNNING", [])
    assert seen(made, 3.0) == ("RUNNING", ["RUNNING"] * 3)


@pytest.mark.parametrize(("tasks_max", "count"), [("10", 2), ("1", 1), (" 2 ", 2), ("x", 1), (None, 1)])
def test_task_count(tasks_max: str | None, count: int) -> None:
    plugin = Plugin.parse({"class": "a.BSinkConnector", "max_tasks": 2})
    assert plugin.task_count({"tasks.max": tasks_max} if tasks_max else {}) == count
    assert (plugin.type, plugin.called("BSink"), plugin.called("BSinkConnector"), plugin.called("B")) == (
        "sink",
        True,
        True,
        False,
    )


def test_a_created_connector_can_be_hidden_for_a_while(lenses_env: LensesEnv, api: LensesApi) -> None:
    """Details and list do not show it yet, and a second create says that it exists."""
    lenses_env.control.set_delays(lenses_env.name, "connect", create_delay=3600)
    assert api.create("connect", "late", SINK).status_code == 201
    assert api.get("connect", "late").status_code == 404
    assert api.names() == []
    assert api.create("connect", "late", SINK).status_code == 409
    lenses_env.control.end_delays(lenses_env.name, "connect")
    wait_for(api, "connect", "late", "RUNNING", tasks=1)


def test_a_deleted_connector_is_seen_for_a_while(lenses_env: LensesEnv, api: LensesApi) -> None:
    lenses_env.control.set_delays(lenses_env.name, "connect", delete_delay=3600)
    api.create("connect", "old", SINK)
    assert api.delete("connect", "old").status_code == 200
    assert api.get("connect", "old").status_code == 200
    assert api.create("connect", "old", SINK).status_code == 409
    lenses_env.control.end_delays(lenses_env.name, "connect")
    wait_gone(api, "connect", "old")
    assert api.create("connect", "old", SINK).status_code == 201


def test_sink_tasks_that_linger_refuse_offsets_with_500(lenses_env: LensesEnv, api: LensesApi) -> None:
    lenses_env.control.set_delays(lenses_env.name, "connect", task_delay=3600)
    lenses_env.control.set_connector(lenses_env.name, "connect", "s", config=SINK)
    api.act("connect", "s", "stop")
    details = wait_for_state(api, "s", "STOPPED")
    assert [task["state"] for task in details["tasks"]] == ["RUNNING"]
    early = api.call("ResetConnectorOffsets", cluster="connect", connector="s")
    assert early.status_code == 500
    assert "haven't stopped completely yet" in early.json()["error"]
    lenses_env.control.end_delays(lenses_env.name, "connect")
    wait_for(api, "connect", "s", "STOPPED", tasks=0)
    assert api.call("ResetConnectorOffsets", cluster="connect", connector="s").status_code == 200


def wait_for_state(api: LensesApi, name: str, state: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        details: dict[str, Any] = api.get("connect", name).json()
        return details if details["state"] == state else None

    return wait_until(f"{name} to be {state}", found, 60)


EXACT = '[{"partition": {"server": "s"}, "offset": {"transaction_id": null, "pos": 4, "x": 1.0, "t": 1.7412e12}}]'


def test_offsets_keep_their_numbers(lenses_env: LensesEnv, api: LensesApi) -> None:
    """1.0 is not 1, an exponent stays one, and integers beyond 64 bits survive."""
    debezium = {"connector.class": "PostgresConnector"}
    lenses_env.control.set_connector(lenses_env.name, "connect", "pg", config=debezium, state="STOPPED")
    lenses_env.control.set_offsets(lenses_env.name, "connect", "pg", EXACT)
    read = api.call("GetConnectorOffsets", cluster="connect", connector="pg").text
    assert read == f'{{"offsets": {EXACT}}}'
    big = '{"offsets": [{"partition": {"server": "s"}, "offset": {"lsn": 123456789012345678901234567890, "d": 0.10}}]}'
    written = api.call("AlterConnectorOffsets", cluster="connect", connector="pg", body=big.encode())
    assert written.status_code == 200
    assert api.call("GetConnectorOffsets", cluster="connect", connector="pg").text == big
    drop = {"offsets": [{"partition": {"server": "s"}, "offset": None}]}
    api.call("AlterConnectorOffsets", cluster="connect", connector="pg", body=drop)
    assert lenses_env.control.get_offsets(lenses_env.name, "connect", "pg") == []


def test_changes_behind_the_operators_back(lenses_env: LensesEnv, api: LensesApi) -> None:
    name, control = lenses_env.name, lenses_env.control
    control.set_connector(name, "connect", "c", config=SINK)
    control.set_connector(name, "connect", "c", tasks=[{"id": 0, "state": "FAILED", "trace": "java.lang.Error: x"}])
    assert api.get("connect", "c").json()["tasks"][0]["trace"] == "java.lang.Error: x"
    control.set_connector(name, "connect", "c", config_changes={"transforms": "x", "file": None})
    config = api.get("connect", "c").json()["config"]
    assert config["transforms"] == "x"
    assert "file" not in config
    control.set_connector(name, "connect", "c", state="FAILED")
    assert api.get("connect", "c").json()["state"] == "FAILED"
    found = control.get_connector(name, "connect", "c")
    assert found is not None
    assert (found["state"], found["config"]["transforms"]) == ("FAILED", "x")
    assert [c["name"] for c in control.connectors(name)] == ["c"]
    assert control.remove_connector(name, "connect", "c")
    assert api.get("connect", "c").status_code == 404
    assert control.get_connector(name, "connect", "c") is None


def test_state_words_connect_does_not_have_are_refused(lenses_env: LensesEnv) -> None:
    for changes in ({"state": "DESTROYED"}, {"tasks": [{"id": 0, "state": "DESTROYED"}]}):
        with pytest.raises(ControlError, match="no state DESTROYED"):
            lenses_env.control._call(
                "set_connector", environment=lenses_env.name, cluster="connect", name="c", **changes
            )


def test_installed_classes_and_their_rules(lenses_env: LensesEnv, api: LensesApi) -> None:
    plugins: list[str | dict[str, Any]] = [
        "org.example.PlainSinkConnector",
        {"class": "org.example.PickySource", "required": ["url"], "ints": ["n"], "errors": {"url": ["Cannot connect"]}},
    ]
    lenses_env.control.set_plugins(lenses_env.name, "connect", plugins)
    listed = api.call("ListPlugins").json()["data"]
    assert [(p["class"], p["type"]) for p in listed] == [
        ("org.example.PlainSinkConnector", "sink"),
        ("org.example.PickySource", "source"),
    ]
    picky = {"connector.class": "PickySource", "url": "u", "n": "many"}
    fields = {f["name"]: f["errors"] for f in api.validate("connect", "n", picky).json()["configuration"]}
    assert fields["url"] == ["Cannot connect"]
    assert fields["n"] == ["Invalid value many for configuration n: Not a number of type INT"]
    assert api.create("connect", "n", SOURCE).status_code == 400


def test_the_name_in_a_config_must_be_the_connectors(api: LensesApi) -> None:
    assert api.create("connect", "a", {**SINK, "name": "a"}).status_code == 201
    refused = api.create("connect", "b", {**SINK, "name": "other"})
    assert refused.status_code == 400


def test_the_entries_of_a_list_are_checked_once(
    lenses_env: LensesEnv, api: LensesApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operators list thousands of connectors each few seconds."""
    checked: list[str] = []
    check = conformance.check_list_item

    def counted(entry: dict[str, Any]) -> list[str]:
        checked.append(entry["name"])
        return check(entry)

    monkeypatch.setattr(conformance, "check_list_item", counted)
    names = sorted(f"c{number}" for number in range(500))
    lenses_env.control.add_connectors(lenses_env.name, "connect", names, config=SINK)

    def looks() -> list[str]:
        checked.clear()
        listed = api.raw("GET", f"{lenses_env.api}/connectors")
        assert sorted(entry["name"] for entry in exactjson.loads(listed.content)["data"]) == names
        return sorted(checked)

    assert looks() == names
    wait_until("a list of what was checked as it is", lambda: looks() == [], 30)
