"""YAML as values, with lines and with what would not arrive as written."""

from __future__ import annotations

from textwrap import dedent

import pytest

from lenses_operator.manifests.nodes import Tree, trees


def one(text: str) -> Tree:
    (tree,) = trees(dedent(text))
    return tree


def test_lines_of_fields_items_and_documents() -> None:
    first, second = trees("# a comment\n---\na:\n  b: 1\n  c:\n    - x\n    - y\n---\n---\nd: 2\n")
    assert (first.line, second.line) == (3, 10)
    assert first.lines[("a", "c", 1)] == 7
    assert first.lines[("a", "b")] == 4
    assert second.value == {"d": 2}


def test_a_key_twice_is_told_with_both_lines() -> None:
    tree = one("""\
        spec:
          config:
            topics: a
            x: 1
            topics: b
        """)
    (problem,) = tree.problems
    assert problem.line == 5
    assert "spec.config.topics is given twice, first in line 3" in problem.message


def test_two_spellings_of_one_key_are_the_same_key() -> None:
    assert any("twice" in problem.message for problem in one("{yes: 1, true: 2}").problems)


@pytest.mark.parametrize(("key", "becomes"), [("n", "false"), ("on", "true"), ("0x10", "16"), ("~", "null")])
def test_a_key_that_would_become_another(key: str, becomes: str) -> None:
    (problem,) = one(f"a:\n  {key}: 1\n").problems
    assert problem.line == 2
    assert repr(becomes) in problem.message


def test_anchors_and_merges() -> None:
    tree = one("""\
        base: &base {a: 1, b: 2}
        more: &more {b: 3, c: 4}
        one:
          <<: *base
          b: own
        two:
          <<: [*base, *more]
        """)
    assert tree.value["one"] == {"b": "own", "a": 1}
    assert tree.value["two"] == {"a": 1, "b": 2, "c": 4}
    assert tree.problems == []


def test_what_would_not_arrive_as_written() -> None:
    tree = one("a: 0644\nb: 10\nc: true\nd: yes\ne:\nf: text\n")
    assert [(found.line, found.written, found.value) for found in tree.written] == [
        (1, "0644", 420),
        (4, "yes", True),
        (5, "", None),
    ]


def test_a_syntax_error_names_its_line_and_what_was_read_before_is_kept() -> None:
    good, bad = trees("a: 1\n---\nb: [1\nc: 2\n")
    assert good.value == {"a": 1}
    assert bad.value is None
    assert bad.problems[0].line >= 3
    assert "not YAML" in bad.problems[0].message


def test_a_template_is_not_yaml_and_the_message_says_so() -> None:
    *_, bad = trees("a: {{ .Values.name }}: x\n")
    assert "render templates" in bad.problems[0].message


@pytest.mark.parametrize(
    "text",
    [
        "&a [*a]",
        "&a {b: *a}",
        "&a\n<<: *a\nb: 1",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{n}: &{n} [{','.join(['*' + p] * 10)}]\n" for p, n in ("ab", "bc", "cd", "de", "ef", "fg")),
    ],
    ids=["list-in-itself", "map-in-itself", "merge-of-itself", "billion-laughs"],
)
def test_aliases_without_end_are_refused(text: str) -> None:
    assert any("nested" in problem.message or "large" in problem.message for problem in one(text).problems)
