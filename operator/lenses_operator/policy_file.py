"""Reads the policy file; every complaint names the line."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import yaml

from lenses_operator.domain.policy import Policy, Rule

logger = logging.getLogger(__name__)
FIELDS = ("namespaces", "environments", "clusters", "connectors")
LIMIT = 1024 * 1024
"""Bytes; what a ConfigMap can hold. Parsing more would keep everything else waiting."""
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PolicyFileError(ValueError):
    """`FILE, line N: what is wrong`."""


def load_policy(path: Path) -> Policy:
    """Raises PolicyFileError. Scalars are taken as text, whatever YAML would make of them (`no`, `1.0`)."""
    try:
        with path.open("rb") as file:
            raw = file.read(LIMIT + 1)
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyFileError(f"{path}: cannot be read: {error}") from error
    if len(raw) > LIMIT:
        raise PolicyFileError(f"{path}: larger than {LIMIT} bytes")
    try:
        root = yaml.compose(text, Loader=_Loader)
    except RecursionError:
        raise PolicyFileError(f"{path}, line 1: nested too deeply") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PolicyFileError(f"{path}, line {line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    return _Reader(path).policy(root)


class PolicyFile:
    """The policy in force. Raises PolicyFileError at the start; later a bad file leaves the last good one in force."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen = self._stamp()
        self.current = Policy() if path is None else load_policy(path)

    def reload(self) -> bool:
        """Whether another policy is in force than before."""
        stamp = self._stamp()
        if self._path is None or stamp == self._seen:
            return False
        self._seen = stamp
        try:
            found = load_policy(self._path)
        except PolicyFileError as error:
            logger.error("the policy file is wrong, the one before stays in force: %s", error)  # noqa: TRY400
            return False
        changed, self.current = found != self.current, found
        return changed

    def _stamp(self) -> tuple[int, ...]:
        """Follows the symbolic links that a mounted ConfigMap changes with."""
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            found = None
        return (found.st_mtime_ns, found.st_ino, found.st_size) if found else ()


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def policy(self, root: yaml.Node | None) -> Policy:
        if root is None:
            raise PolicyFileError(
                f"{self._path}, line 1: empty; write `rules:` with a list, an empty one allows nothing"
            )
        entries = self._mapping(root, ("rules",))
        if "rules" not in entries:
            raise self._error(root, "`rules` is missing")
        rules = entries["rules"]
        if not isinstance(rules, yaml.SequenceNode):
            raise self._error(rules, "`rules` must be a list")
        return Policy(tuple(self._rule(node) for node in rules.value))

    def _rule(self, node: yaml.Node) -> Rule:
        entries = self._mapping(node, FIELDS)
        return Rule(**{name: self._globs(name, value) for name, value in entries.items()})

    def _globs(self, name: str, node: yaml.Node) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, f"`{name}` must be a list of patterns")
        for item in node.value:
            if not isinstance(item, yaml.ScalarNode) or not item.value:
                raise self._error(item, f"`{name}` must hold text, such as `team-*`")
        return tuple(item.value for item in node.value)

    def _mapping(self, node: yaml.Node, known: tuple[str, ...]) -> dict[str, yaml.Node]:
        expected = ", ".join(f"`{name}`" for name in known)
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"must be a map with {expected}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value not in known:
                raise self._error(key, f"`{getattr(key, 'value', key)}` is not known here; there may be {expected}")
            if key.value in found:
                raise self._error(key, f"`{key.value}` is given twice")
            found[key.value] = value
        return found

    def _error(self, node: yaml.Node, what: str) -> PolicyFileError:
        return PolicyFileError(f"{self._path}, line {node.start_mark.line + 1}: {what}")
