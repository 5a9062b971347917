"""`lenses-operator doctor` before any Lenses answers: names, TLS, the clock, and what is no HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.lenses.environment import LensesEnv
from integration.commands.support import CommandLine
from integration.lenses_client.wire import EMPTY_LIST, Authority, saying, self_signed


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca"))


def tls(line: CommandLine, url: str, *words: str) -> dict[str, str]:
    return line.looks("prod", *words, url=url).one("TLS")


def test_nothing_listens(line: CommandLine) -> None:
    found = line.looks("prod", url="http://127.0.0.1:1")
    assert (found.code, found.verdicts("failed")) == (1, ["connection"])


def test_a_name_nobody_has(line: CommandLine) -> None:
    found = line.looks("prod", url="https://lenses.invalid")
    assert (found.code, found.verdicts("failed")) == (1, ["name"])


def test_a_certificate_of_an_unknown_ca(line: CommandLine, authority: Authority, serve: Callable[..., str]) -> None:
    result = tls(line, serve(saying(EMPTY_LIST), authority.server()))
    assert result["verdict"] == "failed"
    assert "CA unknown here" in result["message"]
    assert "--ca-file" in result["remedy"]


def test_with_that_ca(line: CommandLine, authority: Authority, serve: Callable[..., str]) -> None:
    result = tls(line, serve(saying(EMPTY_LIST), authority.server()), "--ca-file", str(authority.ca))
    assert result["verdict"] == "warning"
    assert "stops working that day" in result["remedy"]  # it is valid for two days


def test_a_certificate_for_another_name(line: CommandLine, authority: Authority, serve: Callable[..., str]) -> None:
    url = serve(saying(EMPTY_LIST), authority.server()).replace("127.0.0.1", "localhost")
    result = tls(line, url, "--ca-file", str(authority.ca))
    assert "for another name" in result["message"]


def test_a_self_signed_certificate(line: CommandLine, tmp_path: Path, serve: Callable[..., str]) -> None:
    assert "self-signed" in tls(line, serve(saying(EMPTY_LIST), self_signed(tmp_path)))["message"]


def test_an_expired_certificate(line: CommandLine, authority: Authority, serve: Callable[..., str]) -> None:
    result = tls(line, serve(saying(EMPTY_LIST), authority.expired()), "--ca-file", str(authority.ca))
    assert "has expired" in result["message"]
    assert "Renew" in result["remedy"]


def test_https_where_http_is_spoken(line: CommandLine, lenses_env: LensesEnv) -> None:
    result = tls(line, lenses_env.url.replace("http:", "https:"))
    assert "no TLS handshake" in result["message"]
    assert "plain HTTP" in result["remedy"]


def test_a_clock_that_is_off(line: CommandLine, serve: Callable[..., str]) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nDate: Tue, 01 Jan 2019 00:00:00 GMT\r\n"
    url = serve(saying(answer + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"))
    result = line.looks("prod", url=url).one("clock")
    assert result["verdict"] == "warning"
    assert "ahead of Lenses'" in result["message"]


def test_a_listener_that_says_nothing_of_http(line: CommandLine, serve: Callable[..., str]) -> None:
    found = line.looks("prod", url=serve(saying(b"SSH-2.0\r\n")))
    assert "no HTTP answer" in found.one("API")["message"]
