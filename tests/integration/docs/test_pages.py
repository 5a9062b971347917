"""Each page is gone through from top to bottom: its YAML is applied, its commands are run, what they show is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.kafka import ConnectWorker
from harness.kube import Object
from harness.paths import ROOT
from integration.docs.commands import ELSEWHERE, NOT_RUN, is_run
from integration.docs.given import GIVEN
from integration.docs.kinds import (
    check_other,
    check_values,
    documents,
    is_ours,
    is_served,
    is_values,
    manifests,
)
from integration.docs.markdown import PAGES, Block, Command, blocks, commands
from integration.docs.stage import Stage

READY = {"Observe": "Observed", "Alter": "Applied", "Reset": "Applied"}
TOLD = [page for page in PAGES if page.name not in ELSEWHERE]
WITH_KAFKA = "first-connector.md"
"""The page whose records flow: it is gone through with a real Kafka Connect."""


def reason_of(manifest: Object, block: Block) -> str:
    """What the object is to say in the end, unless a comment says otherwise."""
    if expected := block.note("expect"):
        return expected
    if manifest["kind"] == "LensesConnectorOffsets":
        return READY[manifest["spec"].get("action", "Observe")]
    return str(manifest["spec"].get("state", "running")).title()


class Telling:
    """Of one page."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._files: dict[str, Block] = {}

    def tell(self, block: Block) -> None:
        for word in filter(None, (block.note("given") or "").split(", ")):
            GIVEN[word](self._stage)
        if block.language == "yaml":
            self._yaml(block)
        elif block.language in ("sh", "console") and is_run(block):
            for command in commands(block):
                if command.text not in NOT_RUN:
                    self._stage.run(command)
                    self._settle(command.text)

    def _yaml(self, block: Block) -> None:
        if file := block.note("file"):
            path = self._stage.directory / file
            path.write_text(self._stage.localised(block.text))
            self._files[file] = block
            return
        for manifest in manifests(block):
            if is_served(manifest):
                self._stage.apply(manifest)
            else:
                check_other(block, manifest, self._stage.directory)
        self._wait(block)

    def _settle(self, command: str) -> None:
        """A file that was applied is not only taken: its objects come to what they are to be."""
        if command.startswith("kubectl apply"):
            for file, block in self._files.items():
                if file in command.split():
                    self._wait(block)

    def _wait(self, block: Block) -> None:
        for manifest in manifests(block):
            if is_ours(manifest):
                self._stage.wait_reason(manifest, reason_of(manifest, block))


@pytest.mark.parametrize("page", [page for page in TOLD if page.name != WITH_KAFKA], ids=lambda page: page.stem)
def test_page(page: Path, stages: Callable[..., Stage]) -> None:
    telling = Telling(stages())
    for block in blocks(page):
        telling.tell(block)


def test_page_with_kafka(connect: ConnectWorker, stages: Callable[..., Stage]) -> None:
    telling = Telling(stages(demo={"backend": "connect", "url": connect.url}))
    for block in blocks(ROOT / "docs" / WITH_KAFKA):
        telling.tell(block)


def test_a_command_that_fails_or_shows_something_else_is_found(stages: Callable[..., Stage]) -> None:
    stage = stages()
    block = Block(PAGES[0], 1, "console", "", ())
    stage.run(Command(block, "echo yes", ["yes"]))
    for text, output in (("false", []), ("echo no", ["yes"])):
        with pytest.raises(AssertionError, match="lines that did not come"):
            stage.run(Command(block, text, output))


def test_pages_of_others_hold_yaml_that_is_right(stages: Callable[..., Stage]) -> None:
    """Their commands are run where their subject is tested."""
    stage = stages()
    for page in (page for page in PAGES if page.name in ELSEWHERE):
        for block in (block for block in blocks(page) if block.language == "yaml"):
            for document in documents(block.text):
                if isinstance(document, dict) and is_served(document):
                    stage.dry_run(document)
                elif is_values(document):
                    check_values(document)


@pytest.mark.parametrize("file", sorted((ROOT / "examples").rglob("*.yaml")), ids=lambda file: file.stem)
def test_example(file: Path, stages: Callable[..., Stage]) -> None:
    stage = stages()
    block = Block(file, 1, "yaml", stage.localised(file.read_text()), ())
    found = manifests(block)
    referred = {manifest["spec"].get("connectorRef", {}).get("name") for manifest in found}
    for word in referred & GIVEN.keys():
        GIVEN[word](stage)
    for manifest in found:
        stage.apply(manifest)
    for manifest in found:
        wanted = "ConfigInvalid" if file.stem == "mistake" else reason_of(manifest, block)
        stage.wait_reason(manifest, wanted)


def test_what_is_not_run_is_in_the_documentation() -> None:
    there = {command.text for page in TOLD for block in blocks(page) if is_run(block) for command in commands(block)}
    assert set(NOT_RUN) <= there
