"""What comes from Lenses, clusters and files steers no terminal and forges no line, wherever it is shown."""

from __future__ import annotations

import ast
import io
import json
import logging
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import yaml

from harness.paths import ROOT
from lenses_operator.commands.output import print_document, say
from lenses_operator.commands.terminal import console
from lenses_operator.domain.offsets_before import Before, before_of, text_of
from lenses_operator.domain.traces import excerpt
from lenses_operator.observability.logging import TextFormatter
from lenses_operator.resources.conditions import Verdict, shorten
from lenses_operator.resources.text import STAND_IN, escaped, one_row, plain

EVIL = "a\x1b[31mred\x1b]0;title\x07\x08\x9b2J\u202egnp.exe\r\nWARNING forged"
STEERS = frozenset("\x1b\x07\x08\x9b\r\u202e")


def test_every_control_and_format_character_that_could_steer_goes() -> None:
    for number in range(0x10000):
        one = chr(number)
        steers = unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} and one not in "\n\t"
        steers = steers or unicodedata.bidirectional(one) in {
            "LRE",
            "RLE",
            "PDF",
            "LRO",
            "RLO",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }
        if steers:
            assert plain(one) == STAND_IN, hex(number)
    assert plain("Ünïcode 漢字\n\t✓ é") == "Ünïcode 漢字\n\t✓ é"


def test_windows_line_ends_are_line_ends() -> None:
    assert plain("a\r\nb") == "a\nb"
    assert one_row("a\r\nb") == "a\\nb"


def test_conditions_events_and_task_errors() -> None:
    verdict = Verdict(ready="False", reason="TaskFailed", message=EVIL)
    [condition] = verdict.conditions(1, datetime.now(UTC), ())
    assert not STEERS & set(condition.message)
    assert not STEERS & set(shorten(EVIL, 1024))  # Events are shortened by this too
    assert not STEERS & set(excerpt(EVIL * 100))


@pytest.fixture
def lines() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(TextFormatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("lenses_operator.test_text")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, out
    logger.removeHandler(handler)


def test_a_log_line_is_one_line(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = lines
    logger.warning("said: %s", EVIL, extra={"environment": EVIL})
    assert out.getvalue().count("\n") == 1
    assert not STEERS & set(out.getvalue())


def test_a_traceback_keeps_its_lines(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = lines
    try:
        int(f"{EVIL}")
    except ValueError:
        logger.exception("failed")
    logger.exception("failed", exc_info=RuntimeError(EVIL))
    assert "\nTraceback" in out.getvalue()
    assert "RuntimeError: a" in out.getvalue()
    assert not STEERS & set(out.getvalue())


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_a_document_holds_the_text_and_no_steering(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_document({"message": EVIL, "name": "é"}, output)  # type: ignore[arg-type]
    printed = capsys.readouterr().out
    assert not STEERS & set(printed)
    assert yaml.safe_load(printed) == {"message": EVIL, "name": "é"}


def test_what_commands_print(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(EVIL)
    say(EVIL)
    captured = capsys.readouterr()
    assert not STEERS & set(captured.out + captured.err)
    assert captured.err.count("\n") == 1


def test_commands_say_everything_through_these() -> None:
    """A plain click.echo to standard error would print whatever it is given."""
    for path in (ROOT / "operator").rglob("*.py"):
        if path.name == "output.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"click.echo", "click.secho", "print"}:
                assert not any(keyword.arg == "err" for keyword in node.keywords), f"{path}:{node.lineno}: use say"


def test_escaped_json_is_the_same_json() -> None:
    text = json.dumps({"a": EVIL}, ensure_ascii=False)
    assert json.loads(escaped(text)) == {"a": EVIL}


def test_what_was_kept_is_unpacked_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = before_of("[" + ",".join(["1"] * 400_000) + "]")
    assert isinstance(kept, Before)
    assert kept.compressed
    assert text_of(None, kept.compressed) is not None
    monkeypatch.setattr("lenses_operator.domain.offsets_before.MAX_TEXT", 1000)
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        text_of(None, kept.compressed)
