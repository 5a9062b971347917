"""`lenses-operator offsets restore`: what it prints leads back to the letter."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lenses_operator.domain.offsets_text import entry_texts, request_text
from lenses_operator.offsets_files.restore import NothingToRestoreError, restoring
from lenses_operator.offsets_files.writer import PIECE
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from unit.offsets.make import BEFORE, body, operation

# What YAML 1.1 takes for line breaks or refuses as they are, and what needs two escapes.
NASTY = "\x00 \x07 \x7f \x85 \x9f \u2028 \u2029 \ufeff \ufffe 😀 \\ \" ' \n \t # : - {{ }} é"


def kept(text: str | None, **changes: Any) -> LensesConnectorOffsets:
    status: dict[str, Any] = {"observedGeneration": 1, "beforeGeneration": 1}
    if text is not None:
        status["before"] = text
    return operation(status=status | changes.pop("status", {}), **changes)


def documents(printed: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(printed))


def test_leads_back_to_the_letter() -> None:
    [found] = documents(restoring(kept(BEFORE)))
    assert found["spec"] == {"connectorRef": {"name": "orders"}, "action": "Alter", "offsetsJson": BEFORE}
    assert found["metadata"] == {"generateName": "back-restore-", "namespace": "payments"}


@given(st.text() | st.just(NASTY), st.sampled_from([True, False]))
def test_whatever_the_text_is(value: str, ascii_only: bool) -> None:
    text = json.dumps([{"partition": {"filename": "/data/orders"}, "offset": {"o": value}}], ensure_ascii=ascii_only)
    [found] = documents(restoring(kept(text)))
    assert found["spec"]["offsetsJson"] == text


def test_from_the_compressed_form() -> None:
    packed = base64.b64encode(gzip.compress(BEFORE.encode())).decode()
    [found] = documents(restoring(kept(None, status={"beforeCompressed": packed})))
    assert found["spec"]["offsetsJson"] == BEFORE


def test_what_is_too_big_for_one_comes_in_pieces() -> None:
    """Kubernetes keeps no object beyond 1.5 MiB."""
    entries = [{"partition": {"p": number}, "offset": {"o": "x" * 50}} for number in range(20_000)]
    text = json.dumps(entries)
    found = documents(restoring(kept(text, offsetsJson=json.dumps(entries[:1]))))
    pieces = [document["spec"]["offsetsJson"] for document in found]
    assert len(pieces) > 1
    assert all(len(piece) <= PIECE + 2 for piece in pieces)
    assert [one for piece in pieces for one in entry_texts(piece)] == entry_texts(text)


def test_a_partition_that_was_added_is_forgotten_again() -> None:
    other = [{"partition": {"filename": "/data/new"}, "offset": {"position": 5}}]
    [found] = documents(restoring(kept(BEFORE, offsets=other)))
    assert json.loads(found["spec"]["offsetsJson"]) == [
        *json.loads(BEFORE),
        {"partition": {"filename": "/data/new"}, "offset": None},
    ]


def test_of_an_earlier_generation_only_what_was_kept() -> None:
    """The spec that the kept offsets belong to is not known any more."""
    other = [{"partition": {"filename": "/data/new"}, "offset": {"position": 5}}]
    [found] = documents(restoring(kept(BEFORE, offsets=other, generation=2)))
    assert found["spec"]["offsetsJson"] == BEFORE


@pytest.mark.parametrize("text", ["[]", " [ ] "])
def test_where_there_was_nothing_everything_is_forgotten(text: str) -> None:
    [found] = documents(restoring(kept(text)))
    assert found["spec"] == {"connectorRef": {"name": "orders"}, "action": "Reset"}


def test_labels_go_along_but_not_those_of_gitops_tools() -> None:
    labels = {"team": "payments", "app.kubernetes.io/instance": "x", "kustomize.toolkit.fluxcd.io/name": "y"}
    [found] = documents(restoring(kept(BEFORE, labels=labels)))
    assert found["metadata"]["labels"] == {"team": "payments"}


def test_what_is_printed_is_usable() -> None:
    [found] = documents(restoring(kept(BEFORE)))
    again = LensesConnectorOffsets.parse(body(**found["spec"]))
    assert request_text(again.spec) == BEFORE


@pytest.mark.parametrize("name", ["a" * 253, "a." * 100 + "bcd"])
def test_long_names(name: str) -> None:
    [found] = documents(restoring(kept(BEFORE, name=name)))
    prefix = found["metadata"]["generateName"]
    assert len(prefix) < 248
    assert ".-" not in prefix


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "no such LensesConnectorOffsets"),
        (operation(), "keeps no earlier offsets"),
        (operation(status={"beforeCompressed": "AAAA"}), "cannot be read"),
        (operation(status={"beforeCompressed": "not base64"}), "cannot be read"),
    ],
)
def test_nothing_to_go_back_to(found: LensesConnectorOffsets | None, words: str) -> None:
    with pytest.raises(NothingToRestoreError, match=words):
        restoring(found)
