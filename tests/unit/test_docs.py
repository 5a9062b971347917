"""The tables in docs/ hold every reason and every Event of the code, and no other; links lead somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness import reference
from harness.paths import ROOT
from lenses_operator.domain.reasons import Reason

TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
DOCS, CONTROLLERS = ROOT / "docs", ROOT / "operator" / "lenses_operator" / "controllers"


def table(name: str) -> list[list[str]]:
    lines = (DOCS / name).read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def documented(name: str) -> list[str]:
    return [row[0].strip("`") for row in table(name)]


def test_every_reason_once() -> None:
    assert sorted(documented("reasons.md")) == sorted(Reason)


def test_a_reason_that_asks_for_action_has_a_remedy() -> None:
    for reason, ready, beside, _, remedy in table("reasons.md"):
        assert ready in {"True", "False", "Unknown"}, reason
        assert (beside == "") == (ready == "True" or reason == "`Suspended`"), reason
        assert remedy or reason == "`Running`", reason


def calls() -> Iterator[ast.expr]:
    """The second argument of each `….event(work, reason, message)`."""
    for path in CONTROLLERS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event":
                yield node.args[1]


def emitted() -> set[str]:
    from lenses_operator.controllers.connector.replacement import Replacement
    from lenses_operator.controllers.connector.state import PAST

    found = set(PAST.values())
    for word in calls():
        match word:
            case ast.Constant(value=str(name)):
                found.add(name)
            case ast.Subscript(value=ast.Name(id="PAST")) | ast.Attribute(attr="reason"):
                pass  # above; and Ready's reasons, which the other table has
            case ast.Starred(value=ast.Attribute(attr="news")):
                found |= {
                    Replacement("", repair=repair, previous=None, begun=datetime.now(UTC)).news[0]
                    for repair in (True, False)
                }
            case ast.Name(id="name"):
                found |= {"Deleted", "NotFound", "Retained"}
            case _:
                pytest.fail(f"an Event of an unknown kind: {ast.unparse(word)}")
    return found


def test_every_event_once() -> None:
    assert sorted(documented("events.md")) == sorted(emitted())


def test_reference_is_what_the_definitions_say() -> None:
    assert reference.PAGE.read_text() == reference.page(), "run `make docs`"


def prose(page: Path) -> str:
    """Without code blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


def test_every_page_is_in_the_index() -> None:
    linked = set(LINK.findall((DOCS / "README.md").read_text()))
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert pages - {"README.md"} <= linked
