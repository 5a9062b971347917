"""`lenses-operator offsets export`: what it prints sets the same offsets, to the letter."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from lenses_operator.domain.offsets_text import entry_texts
from lenses_operator.offsets_files.export import NothingToExportError, exporting, moves_on
from lenses_operator.offsets_files.writer import PIECE
from lenses_operator.resources.connector import LensesConnector
from unit.offsets.make import BEFORE
from unit.resources.make import body


def connector(state: str | None = None, **metadata: Any) -> LensesConnector:
    made = body()
    made["metadata"] |= metadata
    if state:
        made["status"] = {"state": state}
    return LensesConnector.parse(made)


def test_for_another_connector() -> None:
    source = connector(labels={"team": "payments", "argocd.argoproj.io/instance": "x"})
    [found] = yaml.safe_load_all(exporting(source, BEFORE, "other"))
    assert found["spec"] == {"connectorRef": {"name": "other"}, "action": "Alter", "offsetsJson": BEFORE}
    assert found["metadata"] == {
        "generateName": f"{source.metadata.name}-export-",
        "namespace": source.metadata.namespace,
        "labels": {"team": "payments"},
    }


def test_what_is_too_big_for_one_comes_in_pieces() -> None:
    text = json.dumps([{"partition": {"p": number}, "offset": {"o": "x" * 50}} for number in range(20_000)])
    pieces = [one["spec"]["offsetsJson"] for one in yaml.safe_load_all(exporting(connector(), text, "other"))]
    assert len(pieces) > 1
    assert all(len(piece) <= PIECE + 2 for piece in pieces)
    assert [one for piece in pieces for one in entry_texts(piece)] == entry_texts(text)


@pytest.mark.parametrize("text", ["[]", " [ ] "])
def test_no_offsets(text: str) -> None:
    with pytest.raises(NothingToExportError, match="has no offsets"):
        exporting(connector(), text, "other")


@pytest.mark.parametrize(("state", "moving"), [("STOPPED", False), ("PAUSED", False), ("RUNNING", True), (None, True)])
def test_whether_the_copy_is_old_already(state: str | None, moving: bool) -> None:
    for verb in ("export", "copy"):
        said = moves_on(connector(state), verb)
        assert (f"and {verb} again for a copy that is complete" in said, bool(said)) == (moving, moving)
