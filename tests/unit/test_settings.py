"""Settings from the environment; what is wrong is named, and no value is repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lenses_operator.settings import Settings, SettingsError
from lenses_operator.variables import PREFIX

BASE = {"LENSES_URL": "https://lenses.example", "LENSES_TOKEN_FILE": "/etc/token"}


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for name, value in (BASE | changes).items():
        if value is not None:
            monkeypatch.setenv(PREFIX + name, value)
    return Settings.load()


def test_url_and_token_file_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)
    assert settings.lenses_url == "https://lenses.example"
    assert settings.lenses_token_file == Path("/etc/token")
    assert settings.watch_namespaces == ()
    assert (settings.poll_interval, settings.list_rate, settings.drift_interval) == (15, 10, 300)
    assert settings.leader_election
    assert (settings.log_format, settings.log_level) == ("json", "INFO")


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("LENSES_URL", "https://lenses.example/base/", "lenses_url", "https://lenses.example/base"),
        ("LENSES_URL", "http://127.0.0.1:9991", "lenses_url", "http://127.0.0.1:9991"),
        ("WATCH_NAMESPACES", "a, b,,c ", "watch_namespaces", ("a", "b", "c")),
        ("WATCH_NAMESPACES", "", "watch_namespaces", ()),
        ("POLL_INTERVAL", "0.5", "poll_interval", 0.5),
        ("LIST_RATE", "0.5", "list_rate", 0.5),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("LEADER_ELECTION", "false", "leader_election", False),
        ("LABEL_SELECTOR", "team=a,env!=dev", "label_selector", "team=a,env!=dev"),
        ("HTTP_PORT", "0", "http_port", 0),
    ],
)
def test_values(monkeypatch: pytest.MonkeyPatch, name: str, value: str, field: str, expected: object) -> None:
    assert getattr(load(monkeypatch, **{name: value}), field) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LENSES_URL", "not a url"),
        ("LENSES_URL", "ftp://lenses.example"),
        ("LENSES_URL", ""),
        ("POLL_INTERVAL", "0"),
        ("POLL_INTERVAL", "soon"),
        ("POLL_INTERVAL", "nan"),
        ("LIST_RATE", "0"),
        ("DRIFT_INTERVAL", "inf"),
        ("DRIFT_INTERVAL", "0.5"),
        ("CONCURRENCY", "1"),
        ("CONCURRENCY", "2.5"),
        ("HTTP_PORT", "70000"),
        ("HTTP_PORT", "-1"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("LEADER_ELECTION", "perhaps"),
    ],
)
def test_a_bad_value_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(monkeypatch, **{name: value})
    [line] = str(raised.value).splitlines()
    assert line.startswith(f"{PREFIX}{name}: ")
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("name", BASE)
def test_what_must_be_set_and_is_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(monkeypatch, **{name: None})
    assert str(raised.value) == f"{PREFIX}{name}: is not set"


def test_everything_wrong_is_told_at_once_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as raised:
        load(monkeypatch, LENSES_URL=None, POLL_INTERVAL="x", HTTP_PORT="x")
    names = [line.split(":")[0].removeprefix(PREFIX) for line in str(raised.value).splitlines()]
    assert sorted(names) == ["HTTP_PORT", "LENSES_URL", "POLL_INTERVAL"]


@pytest.mark.parametrize("url", ["https://planted:planted@lenses.example", "https://planted@lenses.example"])
def test_a_url_with_a_user_or_password_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(SettingsError, match="token file") as raised:
        load(monkeypatch, LENSES_URL=url)
    assert "planted" not in str(raised.value)


def test_variables_of_others_and_of_later_versions_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLL_INTERVAL", "x")
    load(monkeypatch, SOMETHING_NEW="x")
