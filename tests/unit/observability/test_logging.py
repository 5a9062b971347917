"""Log lines for machines and for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from lenses_operator.observability.logging import configure

ours = logging.getLogger("lenses_operator.controllers.connector")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("lenses_operator")
    before = list(root.handlers), root.level, own.level
    yield
    root.handlers = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def test_json_is_one_object_a_line_with_our_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "INFO")
    ours.info("%s: made\nit", "Created", extra={"resource": "payments/orders", "connector": "orders"})
    [line] = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert record["level"] == "INFO"
    assert record["logger"] == ours.name
    assert record["message"] == "Created: made\nit"
    assert (record["resource"], record["connector"]) == ("payments/orders", "orders")
    assert record["time"]


def test_text_is_one_line_with_our_fields_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "INFO")
    ours.warning("gone", extra={"resource": "payments/orders", "environment": "prod", "unknown": "x"})
    ours.warning("plain")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(
        "WARNING lenses_operator.controllers.connector: gone [resource=payments/orders environment=prod]"
    )
    assert second.endswith(": plain")


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_failure_comes_with_its_traceback(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(form, "INFO")  # type: ignore[arg-type]
    try:
        int("boom")
    except ValueError:
        ours.exception("pass failed")
    assert "ValueError: invalid literal" in capsys.readouterr().err


def test_our_level_is_ours_and_libraries_only_warn(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "DEBUG")
    ours.debug("ours")
    for library in ("httpx", "httpcore", "kopf", "kubernetes"):
        logging.getLogger(library).info("planted")
        logging.getLogger(library).debug("planted")
        logging.getLogger(library).warning("warned")
    said = capsys.readouterr().err
    assert "ours" in said
    assert "planted" not in said
    assert said.count("warned") == 4


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "ERROR")
    ours.warning("quiet")
    ours.error("loud")
    assert "quiet" not in (said := capsys.readouterr().err)
    assert "loud" in said


def test_configuring_twice_does_not_double_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "INFO")
    configure("text", "INFO")
    ours.info("once")
    assert capsys.readouterr().err.count("once") == 1
