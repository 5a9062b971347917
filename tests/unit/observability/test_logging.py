"""Log lines for machines and for people."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from lenses_operator.observability.logging import about, configure, key_fields, request_id
from lenses_operator.resources.base import ObjectKey

ORDERS = ObjectKey("LensesConnector", "payments", "orders")
ours = logging.getLogger("lenses_operator.controllers.connector.reconciler")


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
    ours.info("%s: made\nit", "Created", extra={"resource": ORDERS, "connector": "orders"})
    [line] = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert record["level"] == "INFO"
    assert record["time"].endswith("Z")
    assert abs(datetime.fromisoformat(record["time"]).timestamp() - time.time()) < 60
    assert record["logger"] == ours.name
    assert record["message"] == "Created: made\nit"
    assert (record["namespace"], record["name"], record["connector"]) == ("payments", "orders", "orders")
    assert set(record) == {"time", "level", "logger", "message", "kind", "namespace", "name", "connector"}


def test_text_is_one_line_with_our_fields_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    configure("text", "INFO")
    ours.warning("gone", extra={"resource": ORDERS, "environment": "prod", "unknown": "x"})
    ours.warning("plain")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(
        "WARNING lenses_operator.controllers.connector.reconciler: gone "
        "[kind=LensesConnector namespace=payments name=orders environment=prod]"
    )
    assert second.endswith(": plain")


def test_every_line_within_a_pass_says_what_the_pass_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "INFO")
    with about(request="1a2b3c4d", **key_fields(ORDERS), environment="prod", generation=3, connector=None):
        assert request_id() == "1a2b3c4d"
        ours.info("a")
        logging.getLogger("lenses_operator.lenses.transport").info("b", extra={"operation": "validate"})
        logging.getLogger("kopf").warning("c")
        ours.info("d", extra={"resource": ORDERS._replace(name="other")})
    ours.info("after")
    *within, after = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for line in within:
        assert (line["request"], line["namespace"], line["environment"]) == ("1a2b3c4d", "payments", "prod")
        assert line["generation"] == 3
        assert "connector" not in line
    assert [line["name"] for line in within] == ["orders", "orders", "orders", "other"]
    assert [line["logger"] for line in within][1:3] == ["lenses_operator.lenses.transport", "kopf"]
    assert within[1]["operation"] == "validate"
    assert set(after) == {"time", "level", "logger", "message"}
    assert request_id() == ""


async def test_passes_side_by_side_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "INFO")

    async def one(name: str) -> None:
        with about(request=name):
            for _ in range(3):
                await asyncio.sleep(0)
                ours.info(name)

    await asyncio.gather(one("a"), one("b"))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["a", "b"] * 3
    assert all(line["request"] == line["message"] for line in lines)


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
