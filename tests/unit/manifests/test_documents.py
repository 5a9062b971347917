"""Which documents count, where they are, and which objects they are."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from lenses_operator.domain.references import RefName
from lenses_operator.manifests.documents import STDIN, ManifestError, Manifests, read
from lenses_operator.manifests.references import Located, references

HEAD = "apiVersion: connect.lenses.io/v1alpha1\nkind: LensesConnector\n"


def test_directories_streams_and_other_kinds(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("[")
    (tmp_path / "deep" / "b.yml").write_text(f"{HEAD}metadata: {{name: b, namespace: payments}}\n")
    (tmp_path / "a.yaml").write_text(f"{HEAD}metadata: {{name: a}}\n---\nkind: Deployment\n---\n- 1\n")
    (tmp_path / "notes.txt").write_text("[")
    found = read([tmp_path, tmp_path / "a.yaml"], "mine")
    assert [(one.namespace, one.name) for one in found.connectors] == [("mine", "a"), ("payments", "b")]
    assert (found.passed_over, len(found.others), found.unreadable) == (1, 1, [])


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"\ufeff{HEAD}metadata: {{name: a}}\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    (found,) = read([STDIN], "mine").connectors
    assert str(found.place(("metadata", "name"))) == "<stdin>:3"


def manifests(tmp_path: Path, text: str) -> Manifests:
    file = tmp_path / "m.yaml"
    file.write_text(dedent(text))
    return read([file], "mine")


def test_the_items_of_a_list_have_their_own_lines(tmp_path: Path) -> None:
    found = manifests(
        tmp_path,
        """\
        apiVersion: v1
        kind: List
        items:
          - apiVersion: connect.lenses.io/v1alpha1
            kind: LensesConnector
            metadata: {name: a}
            spec: {config: {x: 0644}}
          - apiVersion: connect.lenses.io/v1alpha1
            kind: LensesConnector
            metadata: {name: b}
            spec: {config: {x: 1, x: 2}}
        """,
    )
    first, second = found.connectors
    assert (first.line, second.line) == (4, 8)
    assert first.line_of(("spec", "config", "x")) == 7
    assert first.line_of(("spec", "nothing")) == 7
    assert [one.path for one in first.written] == [("spec", "config", "x")]
    assert (first.problems, [one.line for one in second.problems]) == ([], [11])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("apiVersion: connect.lenses.io/v1\nkind: LensesConnector\nmetadata: {name: a}\n", "knows no LensesConnector"),
        ("apiVersion: connect.lenses.io/v1alpha1\nkind: LenseConnector\nmetadata: {name: a}\n", "LenseConnector"),
        ("apiVersion: v1\nkind: LensesConnector\nmetadata: {name: a}\n", "must be connect.lenses.io/v1alpha1"),
        (f"{HEAD}metadata: {{generateName: a}}\n", "without metadata.name"),
        ("a: [", "not YAML"),
    ],
)
def test_what_is_nearly_one_of_ours_is_told(tmp_path: Path, text: str, said: str) -> None:
    found = manifests(tmp_path, text)
    assert found.connectors == []
    ((place, message),) = found.unreadable
    assert said in message
    assert place.file.endswith("m.yaml")


def test_the_same_object_twice(tmp_path: Path) -> None:
    first, second = manifests(
        tmp_path, f"{HEAD}metadata: {{name: a}}\n---\n{HEAD}metadata: {{name: a, namespace: mine}}\n"
    ).connectors
    assert first.problems == []
    assert "mine/a is given again, first in" in second.problems[0].message


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"no \.yaml"):
        read([tmp_path], "mine")
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ManifestError, match="UTF-8"):
        read([tmp_path], "mine")


def test_secrets_and_config_maps(tmp_path: Path) -> None:
    encoded = base64.b64encode(b"from data").decode()
    found, wrong = references(
        manifests(
            tmp_path,
            f"""\
            apiVersion: v1
            kind: Secret
            metadata: {{name: s}}
            data: {{a: {encoded}, b: {encoded}}}
            stringData: {{b: plain}}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {{name: c, namespace: other}}
            data: {{a: text, b: 7}}
            binaryData: {{d: "%%%"}}
            ---
            apiVersion: v1
            kind: Secret
            metadata: {{name: t}}
            data: [1]
            """,
        ).references
    )
    assert found[Located("mine", RefName("Secret", "s"))].data == {"a": b"from data", "b": b"plain"}
    assert found[Located("other", RefName("ConfigMap", "c"))].data == {"a": b"text"}
    assert [(place.line, message) for place, message in wrong] == [
        (10, "ConfigMap c: data.b is no text: quote it"),
        (11, "ConfigMap c: binaryData.d is no base64; plain text belongs into stringData"),
        (16, "Secret t: data must be a map"),
    ]
