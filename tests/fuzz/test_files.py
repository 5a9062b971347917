"""Files that people hand over: policies, manifests, other operators' resources. Each is read, or refused in words."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fuzz.support import examples, mangled
from harness.waiting import in_linear_time
from lenses_operator.cli import main
from lenses_operator.domain.policy import Policy, Rule
from lenses_operator.manifests.documents import ManifestError, read
from lenses_operator.manifests.schema import refusals
from lenses_operator.offsets_files.restore import NothingToRestoreError, restoring
from lenses_operator.policy_file import PolicyFileError, load_policy
from lenses_operator.resources.connector_offsets import LensesConnectorOffsets
from unit.commands.migrated import CONFLUENT, STRIMZI, migrate
from unit.commands.planned import manifest

POLICY = """\
rules:
  - namespaces: ["team-*"]
    environments: [prod, &e "dev*"]
    clusters: [*e]
  - {namespaces: [ops], connectors: ["*a*b*"]}
"""
OFFSETS = """\
apiVersion: connect.lenses.io/v1alpha1
kind: LensesConnectorOffsets
metadata: {name: back, namespace: payments}
spec:
  connectorRef: {name: orders}
  action: Alter
  offsets:
    - {partition: {kafka_topic: orders, kafka_partition: 0}, offset: {kafka_offset: 1000}}
"""
PROPERTIES = "name=orders\nconnector.class=X\ntasks.max=3\nfile=\\u00e9\\\n  more\n# said\n"
JSON = '{"name": "orders", "config": {"connector.class": "X", "tasks.max": 3, "on": true}, "initial_state": "PAUSED"}'
TOKENS = (
    *(
        "\0",
        "\t",
        "\n",
        "\n---\n",
        "---",
        "...",
        ": ",
        "- ",
        "? ",
        "#",
        "&a ",
        "*a",
        "<<: *a",
        "<<",
        "|",
        ">",
        "[",
        "]",
        "{",
        "}",
    ),
    *("!!python/object:os.system ", "!!binary ", "!!int ", "!!float ", "!!timestamp ", "!!set ", "%YAML 9.9\n"),
    *(
        ",",
        '"',
        "'",
        "\\",
        "null",
        "~",
        ".nan",
        "-.inf",
        "1e400",
        "0x" + "f" * 80,
        "9" * 5000,
        "0o9",
        "1:30",
        "2001-99-99",
    ),
    *(
        "NaN",
        "Infinity",
        "-",
        "\\ud800",
        "\\u12",
        '"\\ud800"',
        "[" * 2000,
        "{a: " * 300,
        "- " * 2000,
        "\ufeff",
        "\u2028",
    ),
    *("\U0010ffff", "é" * 300, "x" * 40_000, "{{ .Values.x }}"),
)
BOMB = "a: &a {x: 1}\n" + "".join(
    f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 9)}]}}\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
LAUGHS = "a: &a [x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
HUGE = {
    "aliases": LAUGHS,
    "merges": BOMB,
    "deep": "rules: " + "[" * 100_000,
    "deep blocks": "- " * 100_000,
    "self": "rules: &a [*a]",
    "10 MB": "rules:\n" + "- {namespaces: [a]}\n" * 500_000,
    "long number": "rules: " + "9" * 10_000,
    "tag": "!!python/object/apply:os.system ['true']",
}


def readable(words: str) -> None:
    """One line, not a screen of what was given."""
    assert words.strip()
    assert len(words) < 2000
    assert "Traceback" not in words


@examples(150)
@given(raw=mangled([POLICY], TOKENS))
def test_policy_files(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "policy.yaml"
    path.write_bytes(raw)
    try:
        policy = load_policy(path)
    except PolicyFileError as error:
        words = str(error)
    else:
        assert policy.rules is not None  # a file never means that everything is allowed
        return
    readable(words)
    assert words.startswith(str(path))


@pytest.mark.parametrize("name", HUGE)
def test_huge_policy_files_are_refused_in_the_time_of_their_length(tmp_path: Path, name: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(HUGE[name])
    with in_linear_time(), pytest.raises(PolicyFileError) as caught:
        load_policy(path)
    readable(str(caught.value))


@pytest.mark.parametrize("glob", ["*a" * 40 + "*b", "*" * 200 + "b", "a*" * 60 + "c", "*aa*ab*" * 20])
def test_matching_takes_the_time_of_its_length(glob: str) -> None:
    with in_linear_time():
        assert not Rule(connectors=(glob,)).allows("n", "e", "c", "a" * 249)


def simple_match(glob: str, text: str) -> bool:
    """By the definition, one character at a time."""
    reached = {0}
    for sign in glob:
        if sign == "*":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if text[at : at + 1] == sign}
    return len(text) in reached


@examples(500)
@given(glob=st.text("ab*", max_size=8), text=st.text("ab", max_size=8))
def test_globs_match_what_they_say(glob: str, text: str) -> None:
    assert Rule(connectors=(glob,)).allows("n", "e", "c", text) is simple_match(glob, text)


def test_a_rule_allows_and_no_rule_does_not() -> None:
    assert Policy(()).rules == ()
    assert Rule(connectors=("a*b*c",)).allows("n", "e", "c", "a\nbbc")


@examples(200)
@given(raw=mangled([manifest(config="batch: 1.10\non: yes"), OFFSETS, manifest() + "---\n" + OFFSETS], TOKENS))
def test_manifests(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "manifest.yaml"
    path.write_bytes(raw)
    try:
        found = read([path], "payments")
    except ManifestError as error:
        readable(str(error))
        return
    for _, words in found.unreadable:
        readable(words[:1999])  # quotes the file's own words
    for document in (*found.connectors, *found.offsets):
        for _, words in refusals(document):
            readable(words[:1999])


@pytest.mark.parametrize("name", [name for name in HUGE if name not in {"10 MB", "tag", "long number"}])
def test_huge_manifests_are_refused_in_the_time_of_their_length(tmp_path: Path, name: str) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text(HUGE[name])
    with in_linear_time():
        assert read([path], "payments").unreadable


def test_a_number_of_thousands_of_digits(tmp_path: Path) -> None:
    """As kubectl takes it: text where it is beyond any number, else a number that admission refuses."""
    path = tmp_path / "manifest.yaml"
    path.write_text(manifest(config="batch: " + "9" * 5000))
    (document,) = read([path], "payments").connectors
    assert document.body["spec"]["config"]["batch"] == "9" * 5000
    path.write_text(manifest(config="batch: " + "9" * 25))
    (document,) = read([path], "payments").connectors
    assert "batch" in refusals(document)[0][1]


@pytest.mark.parametrize(
    ("kind", "text"), [("strimzi", STRIMZI), ("confluent", CONFLUENT), ("properties", PROPERTIES), ("json", JSON)]
)
@examples(80)
@given(data=st.data())
def test_migrations(kind: str, text: str, data: st.DataObject) -> None:
    done = migrate(kind, data.draw(mangled([text], TOKENS)), "--cluster", "connect-eu")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in (0, 1)
    if done.exit_code:
        assert done.stderr.strip()


BIG = {
    "properties": "a=\\\n" + "x\\\n" * 1_000_000,
    "json": json.dumps({f"key.{number}": "x" for number in range(100_000)}),
    "strimzi": BOMB,
    "confluent": LAUGHS,
}


@pytest.mark.parametrize("kind", BIG)
def test_big_files_take_the_time_of_their_length(kind: str) -> None:
    with in_linear_time():
        done = migrate(kind, BIG[kind], "--cluster", "connect-eu")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception


def test_json_that_names_a_key_twice() -> None:
    done = migrate("json", '{"a": 1, "b": 2, "a": 3}', "--cluster", "connect-eu")
    assert (done.exit_code, "a is given twice" in done.stderr) == (1, True)


def kept(before: str | None = None, compressed: str | None = None) -> LensesConnectorOffsets:
    """An operation with this in its status, whoever wrote it."""
    status = {"before": before, "beforeCompressed": compressed, "beforeGeneration": 1}
    metadata = {
        "name": "back",
        "namespace": "p",
        "uid": "1",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    spec = {"connectorRef": {"name": "orders"}, "action": "Reset"}
    return LensesConnectorOffsets.parse({"metadata": metadata, "spec": spec, "status": status})


def packed(raw: bytes) -> str:
    return base64.b64encode(gzip.compress(raw, mtime=0)).decode()


@examples(150)
@given(raw=mangled(['[{"partition": {"a": 1}, "offset": {"b": 2}}]', "[]"], TOKENS), pack=st.booleans())
def test_restoring(raw: bytes, pack: bool) -> None:
    try:
        text = restoring(kept(None, packed(raw)) if pack else kept(raw.decode(errors="replace")))
    except NothingToRestoreError as error:
        readable(str(error))
    else:
        assert "kind: LensesConnectorOffsets" in text


@pytest.mark.parametrize("raw", [b" " * 70_000_000, b"\xff", b"{}", b"["], ids=["bomb", "bytes", "object", "cut"])
def test_what_was_packed_cannot_be_restored(raw: bytes) -> None:
    with pytest.raises(NothingToRestoreError) as caught:
        restoring(kept(None, packed(raw)))
    readable(str(caught.value))


@pytest.mark.parametrize("compressed", ["", "%%%", "AAAA"])
def test_what_cannot_be_restored(compressed: str) -> None:
    with pytest.raises(NothingToRestoreError) as caught:
        restoring(kept(None, compressed))
    readable(str(caught.value))


def test_plan_tells_of_files_that_are_none(tmp_path: Path) -> None:
    """The command itself, once: no traceback, and a code that fails a pipeline."""
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    done = CliRunner().invoke(main, ["plan", "-f", str(tmp_path / "bad.yaml")])
    assert done.exit_code not in (0, None)
    assert done.exception is None or isinstance(done.exception, SystemExit)
