"""The picture of a session: whole without animation, on a grid, and with nothing from elsewhere."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from harness.picture import PICTURE, STORY
from harness.svg import COLUMNS, Shown, picture

SVG = "{http://www.w3.org/2000/svg}"
SESSION = [
    Shown("kubectl lenses status", "\x1b[1mprod / connect\x1b[0m\n\x1b[31m! a  <&>\x1b[0m\n"),
    Shown("one \\\n    two", "x" * 100),
]


def texts(document: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(document).iter(f"{SVG}text")]


def test_everything_that_was_typed_and_printed() -> None:
    found = texts(picture("t", SESSION))
    assert found == [
        *("$ ", "kubectl lenses status", "prod / connect", "! a  <&>"),
        *("$ ", "one \\", "> ", "    two", "x" * COLUMNS, "x" * 20),
    ]


def test_colours_are_kept_and_lines_come_one_after_the_other() -> None:
    document = picture("t", SESSION)
    [red] = [one for one in ElementTree.fromstring(document).iter(f"{SVG}text") if one.text == "! a  <&>"]
    assert red.get("fill") == "#e06c75"
    delays = [float(one) for one in re.findall(r"animation-delay:([0-9.]+)s", document)]
    assert delays == sorted(delays)
    assert delays[0] < delays[-1]


def test_the_one_in_the_documentation_tells_the_story() -> None:
    document = PICTURE.read_text()
    shown = "".join(texts(document))
    assert all(line in shown for scene in STORY for line in scene.command.splitlines())
    assert "ConfigInvalid" in shown
    assert not re.search(r"(href|url\(|@import|<script)", document)
