"""Whatever the environment says: settings that make sense, or a line that names the variable and repeats no token."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from lenses_operator import app
from lenses_operator.kube.api import KubeError
from lenses_operator.lenses.tokens import TokenFile
from lenses_operator.observability.health import HealthServer
from lenses_operator.observability.loop_holds import LoopHolds
from lenses_operator.observability.metrics import Metrics
from lenses_operator.policy_file import PolicyFile
from lenses_operator.settings import Settings, SettingsError
from lenses_operator.variables import PREFIX

NAMES = sorted(name.upper() for name in Settings.model_fields)
GARBAGE = (
    *(
        "",
        " ",
        "\t\n",
        ",",
        " , ,",
        "-1",
        "0",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "9" * 5000,
        "1.5.2",
        "10s",
        "5m",
        "１５",
        "0x10",
    ),
    *(
        "None",
        "null",
        "yes",
        "TRUE",
        "[]",
        "{}",
        "é",
        "\U0001f600" * 100,
        "x" * 100_000,
        "a\r\nX-Evil: b",
        "a\nb",
        "\x1b[31m",
    ),
    *("\udcff\udcfe", "a b", "a,a", "A_b", "*", "../..", "/dev/null", "/", "/proc/self/mem", "~", "${HOME}"),
    *(
        "https://",
        "https://a,https://b",
        "https:///x",
        "https://a b",
        "https://le\nnses",
        "https://a:99999",
        "//a",
        "a:b",
    ),
    *(
        "https://[::1",
        "https://a?token=planted",
        "https://u:planted@a",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "((",
        "a=b=c",
    ),
    *("=", "!", "a in (", "a in ()", "a notin b", "-", "a-", "x" * 64, "0.0.0.0,::1", "256.256.256.256", "é" * 300),
)
PLANTED = "planted-token"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a good token and URL, and no Kubernetes."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    (tmp_path / "token").write_text(PLANTED)
    monkeypatch.setenv(f"{PREFIX}LENSES_URL", "https://lenses.example")
    monkeypatch.setenv(f"{PREFIX}LENSES_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


async def build() -> Settings:
    """As far as it goes without Kubernetes. Raises SettingsError."""
    settings = Settings.load()
    async with AsyncExitStack() as stack:
        with suppress(KubeError):
            await app._build(settings, stack, LoopHolds())
    return settings


class NoTransport:
    """In the place of one that reads all certificates of the system, where the setting is another's."""

    def __init__(self, *_: object, **__: object) -> None: ...

    async def aclose(self) -> None: ...


@pytest.mark.parametrize("name", NAMES)
async def test_a_setting_is_taken_or_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name not in ("LENSES_URL", "LENSES_CA_FILE"):
        monkeypatch.setattr(app, "LensesTransport", NoTransport)
    for value in GARBAGE:
        monkeypatch.setenv(PREFIX + name, value)
        said = await outcome()
        for line in said.splitlines():
            assert line.startswith(f"{PREFIX}{name}: "), value[:50]
            assert len(line) < 600
        assert "planted" not in said or name in ("LENSES_CA_FILE", "POLICY_FILE"), "these two may be quoted"


async def outcome() -> str:
    """What is said against them; nothing where they are taken."""
    try:
        settings = await build()
    except SettingsError as error:
        return str(error)
    meaningful(settings)
    return ""


def meaningful(settings: Settings) -> None:
    assert 0.1 <= settings.poll_interval <= 3600
    assert 1 <= settings.drift_interval <= 86400
    assert len(set(settings.watch_namespaces)) == len(settings.watch_namespaces)
    words = (*settings.watch_namespaces, settings.leader_election_name, settings.lenses_url, settings.http_host)
    assert not any(character.isspace() for word in words for character in word)
    assert settings.leader_election_name
    assert settings.http_host


@pytest.mark.parametrize("value", [" ", ",", " , ,"])
async def test_no_namespace_is_not_all_of_them(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}WATCH_NAMESPACES", value)
    with pytest.raises(SettingsError, match="names no namespace"):
        await build()


@pytest.mark.parametrize(
    "selector",
    [
        "team=a",
        "a==b",
        "a!=b",
        "a",
        "!a",
        "a in (b, c)",
        "a notin (b)",
        "x.io/a=b,!c, d in (e)",
        "a=",
        " a = b ",
        "a in ()",
    ],
)
async def test_selectors_that_kubernetes_takes_are_taken(selector: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}LABEL_SELECTOR", selector)
    assert (await build()).label_selector == selector.strip()


async def test_a_token_in_the_place_of_its_file_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    for token in (PLANTED, f"lt_{PLANTED}/+=", PLANTED * 1000):
        monkeypatch.setenv(f"{PREFIX}LENSES_TOKEN_FILE", token)
        said = await outcome()
        assert said.startswith(f"{PREFIX}LENSES_TOKEN_FILE: ")
        assert "planted" not in said


TOKENS = {
    "empty": b"",
    "white space": b" \n\r\n",
    "two lines": b"planted\r\nX-Evil: planted",
    "two words": b"planted planted",
    "not ASCII": "planted-é".encode(),
    "not UTF-8": b"planted-\xff\xfe",
    "NUL": b"planted\0",
    "escape": b"\x1b[31mplanted",
    "huge": b"planted" * 20_000,
    "a megabyte in many lines": b"planted\n" * 150_000,
}


@pytest.mark.parametrize("what", TOKENS)
async def test_a_token_file_that_holds_none(what: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(TOKENS[what])
    with pytest.raises(SettingsError) as caught:
        await build()
    assert str(caught.value).startswith(f"{PREFIX}LENSES_TOKEN_FILE: token file ")
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \n\n"])
async def test_white_space_around_a_token_is_none_of_it(end: bytes, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(PLANTED.encode() + end)
    settings = await build()
    assert TokenFile(settings.lenses_token_file).current() == PLANTED


BROKEN = (
    "",
    "rules",
    "rules: {}",
    "rules: [a]",
    "rules: [{namespaces: a}]",
    "[]",
    "\0",
    "a: [",
    "rules: &a [*a]",
    "x" * 2_000_000,
)


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: repr(text[:20]))
async def test_a_broken_policy_opens_nothing(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start it ends the operator; later the last good one stays in force, until a good one comes."""
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    monkeypatch.setenv(f"{PREFIX}POLICY_FILE", str(path))
    with pytest.raises(SettingsError, match=f"^{PREFIX}POLICY_FILE: {path}"):
        await build()
    path.write_text("rules: [{namespaces: [a]}]")
    policy = PolicyFile(path)
    good = policy.current
    path.write_text(text)
    assert not policy.reload()
    assert policy.current == good
    path.unlink()
    assert not policy.reload()
    assert policy.current == good
    path.write_text("rules: []  # nothing")
    assert policy.reload()
    assert policy.current != good


@pytest.mark.parametrize("host", ["256.256.256.256", "no.such.host.invalid", "x" * 200])
async def test_a_place_that_cannot_be_served_is_named(host: str) -> None:
    server = HealthServer(host, 0, ready=list, problems=list, metrics=Metrics().exposition)
    with pytest.raises(SettingsError, match=f"^{PREFIX}HTTP_HOST: "), app._setting("http_host"):
        await server.start()
    await server.stop()
