"""What of the chart is made from other files: its copies of the CRDs, and the table of values in its README.

`helm package` takes what is in the chart's directory, and a symbolic link out of it is not followed by everybody who
reads charts from Git; so the CRDs are copied, and a test keeps the copies the same.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness import paths

BEGIN, END = "<!-- values: made by `make chart` from values.yaml -->", "<!-- end of values -->"


@dataclass(frozen=True)
class Value:
    """One value a user may set: its dotted name, its default as JSON, and what values.yaml says above it."""

    name: str
    default: str
    text: str


def values(text: str) -> list[Value]:
    """Every value of a values.yaml, in its order; a map whose own fields are not explained is one value."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    return list(_values(root, "", text.splitlines()))


def _values(node: yaml.MappingNode, prefix: str, lines: list[str]) -> Iterator[Value]:
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        if _explained(value, lines):
            yield from _values(value, f"{name}.", lines)
        else:
            default = yaml.SafeLoader("").construct_document(value)
            yield Value(name, json.dumps(default), _above(lines, key))


def _explained(node: yaml.Node, lines: list[str]) -> bool:
    """Whether something is said of what is in it."""
    return isinstance(node, yaml.MappingNode) and any(
        _above(lines, key) or _explained(value, lines) for key, value in node.value
    )


def _above(lines: list[str], key: yaml.Node) -> str:
    """The comment that ends on the line above a key, at the key's indentation."""
    found: list[str] = []
    sign = " " * key.start_mark.column + "# "
    for line in reversed(lines[: key.start_mark.line]):
        if not line.startswith(sign):
            break
        found.insert(0, line.removeprefix(sign).strip())
    return " ".join(found)


def readme(present: str, found: list[Value]) -> str:
    """The README with this table of values in the place of the one it has."""
    head, _, rest = present.partition(BEGIN)
    rows = [f"| `{one.name}` | `{one.default}` | {_cell(one.text)} |" for one in found]
    table = "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])
    return f"{head}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def made() -> dict[Path, str]:
    """The files that are made, with what belongs in them."""
    present = paths.CHART / "README.md"
    found = {paths.CHART / "files" / "crds" / crd.name: crd.read_text() for crd in sorted(paths.CRDS.glob("*.yaml"))}
    return {**found, present: readme(present.read_text(), values((paths.CHART / "values.yaml").read_text()))}


def make() -> None:
    """Write what has changed."""
    for path, text in made().items():
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"chart: {path.relative_to(paths.ROOT)}")
