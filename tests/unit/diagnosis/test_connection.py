"""What is made of each step on the way to Lenses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lenses_operator.diagnosis import connection
from lenses_operator.diagnosis.connection import FirstAnswer
from lenses_operator.diagnosis.results import Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://lenses.example.com/api/v1/environments/prod"


def answer(status: int = 200, **changes: Any) -> FirstAnswer:
    return FirstAnswer(URL, status, **{"content_type": "application/json", **changes})


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://lenses.example.com", "lenses.example.com", 443),
        ("http://lenses/base", "lenses", 80),
        ("http://[::1]:9991", "::1", 9991),
    ],
)
def test_where_to_connect(url: str, host: str, port: int) -> None:
    assert connection.host_of(url) == (host, port)


@pytest.mark.parametrize(
    ("location", "words", "remedy"),
    [
        ("https://sso.example.com/oauth2/start", "to a login page", "single sign-on"),
        ("/login", "to a login page", "single sign-on"),
        ("https://other.example.com/api", "to another host, other.example.com", "https://other.example.com"),
        ("http://lenses.example.com/api", "to http", "http://"),
        ("/lenses/api", "to /lenses/api", "path in the URL"),
    ],
)
def test_redirects(location: str, words: str, remedy: str) -> None:
    result = connection.first_answer(answer(302, location=location))
    assert result.verdict is Verdict.FAILED
    assert words in result.message
    assert remedy in result.remedy
    assert "Location" in result.seen


def test_a_redirect_shows_no_query() -> None:
    """It may hold a session."""
    assert "hunter2" not in repr(connection.first_answer(answer(302, location="https://sso.example.com/?s=hunter2")))


def test_a_lenses_that_is_down_behind_its_ingress() -> None:
    result = connection.first_answer(answer(503, page=True, content_type="text/html"))
    assert result.verdict is Verdict.FAILED
    assert "answers 503 in Lenses' place" in result.message


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.OK),
        ({"status": 404, "content_type": "application/problem+json"}, Verdict.OK),
        ({"page": True, "content_type": "text/html"}, Verdict.FAILED),
        ({"content_type": "text/plain"}, Verdict.WARNING),
        ({"status": 401, "content_type": ""}, Verdict.OK),
    ],
)
def test_is_it_lenses(changes: dict[str, Any], verdict: Verdict) -> None:
    assert connection.first_answer(answer(**changes)).verdict is verdict


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.OK),
        (404, Verdict.OK),
        (401, Verdict.FAILED),
        (402, Verdict.FAILED),
        (403, Verdict.WARNING),
        (429, Verdict.SKIPPED),
        (503, Verdict.SKIPPED),
    ],
)
def test_the_token(status: int, verdict: Verdict) -> None:
    assert connection.token(answer(status)).verdict is verdict


@pytest.mark.parametrize(
    ("seconds", "verdict", "words"),
    [(-29, Verdict.OK, ""), (31, Verdict.WARNING, "31 s ahead"), (-3600, Verdict.WARNING, "3600 s behind")],
)
def test_the_clock(seconds: int, verdict: Verdict, words: str) -> None:
    result = connection.clock(answer(date=NOW - timedelta(seconds=seconds)), NOW)
    assert result.verdict is verdict
    assert words in result.message


def test_no_clock() -> None:
    assert connection.clock(answer(), NOW).verdict is Verdict.SKIPPED


@pytest.mark.parametrize(("days", "verdict"), [(300, Verdict.OK), (20, Verdict.WARNING)])
def test_a_certificate_that_expires(days: int, verdict: Verdict) -> None:
    assert connection.secure("TLSv1.3", NOW + timedelta(days=days), NOW).verdict is verdict


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (9, "not valid yet"),
        (10, "expired"),
        (18, "self-signed"),
        (20, "CA unknown"),
        (62, "another name"),
        (99, "refused"),
    ],
)
def test_certificates(code: int, words: str) -> None:
    result = connection.bad_certificate(code, "openssl's words")
    assert words in result.message
    assert "openssl's words" in result.message
    assert result.remedy


def test_a_client_certificate_is_asked_for() -> None:
    assert "client certificate" in connection.bad_handshake("TLSV13_ALERT_CERTIFICATE_REQUIRED").remedy
