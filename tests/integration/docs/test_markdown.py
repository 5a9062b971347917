"""That the pages' tests would notice: the parser of the pages, and the comparison of what commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.docs.commands import ELSEWHERE
from integration.docs.kinds import check_other, manifests
from integration.docs.markdown import PAGES, Block, blocks, commands
from integration.docs.stage import missing

PAGE = """# Title

<!-- given: a thing -->
<!-- expect: NotAdopted -->
```yaml
kind: A
```

1. in a list

   ```console
   $ one --two \\
       three   # said
   out 5s
   $ four '# five'
   ```
"""
ROOT_PAGE = PAGES[0]
LANGUAGES = {"yaml", "sh", "console", "mermaid", ""}


@pytest.fixture
def found(tmp_path: Path) -> list[Block]:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    return list(blocks(page))


def test_blocks_with_what_the_comments_say(found: list[Block]) -> None:
    assert [(block.language, block.section, block.line) for block in found] == [
        ("yaml", "Title", 5),
        ("console", "Title", 11),
    ]
    assert found[0].note("expect") == "NotAdopted"
    assert found[0].note("given") == "a thing"
    assert (found[0].note("file"), found[1].note("given")) == (None, None)


def test_commands_with_their_output(found: list[Block]) -> None:
    assert [(command.text, command.output) for command in commands(found[1])] == [
        ("one --two three", ["out 5s"]),
        ("four '# five'", []),
    ]


@pytest.mark.parametrize(
    ("wanted", "shown", "lacking"),
    [
        (["NAME  AGE", "a  5s"], "NAME   AGE\na      1m3s\n", []),
        (["3s  a"], "1s (x2 over 31s)  a\n", []),
        (["orders-set-mf2n9 applied"], "orders-set-9m47s applied\n", []),
        (["...", "b"], "a\nb\n", []),
        (["a  True"], "a  False\n", ["a  True"]),
        (["b", "a"], "a\nb\n", ["a"]),
        (["a"], "", ["a"]),
    ],
)
def test_what_a_page_shows_has_to_come(wanted: list[str], shown: str, lacking: list[str]) -> None:
    assert missing(wanted, shown) == lacking


def test_a_part_is_put_over_a_whole_connector(tmp_path: Path) -> None:
    part = Block(tmp_path, 7, "yaml", "spec: {config: {a: b}, tasksMax: 2}\n", ("part",))
    (whole,) = manifests(part)
    assert whole["metadata"]["name"] == "part-7"
    assert (whole["spec"]["tasksMax"], whole["spec"]["config"]["a"]) == (2, "b")
    assert whole["spec"]["config"]["topics"]


@pytest.mark.parametrize("text", ["spec: {a: b}\n", "rules: [{namespace: [a]}]\n"])
def test_yaml_that_is_nothing_is_found(text: str, tmp_path: Path) -> None:
    block = Block(ROOT_PAGE, 1, "yaml", text, ())
    (document,) = manifests(block)
    with pytest.raises((AssertionError, ValueError)):
        check_other(block, document, tmp_path)


def test_no_block_is_passed_over() -> None:
    """One in another language would be neither applied nor run."""
    for page in (page for page in PAGES if page.name not in ELSEWHERE):
        for block in blocks(page):
            assert block.language in LANGUAGES, block
