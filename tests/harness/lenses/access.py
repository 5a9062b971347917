"""Who may see and do what: bearer tokens with globs over environments, clusters and connectors."""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from harness.lenses.rights import ACCESS, PERMISSIONS, checked


@functools.lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in glob.split("*")), re.DOTALL)


def glob_match(glob: str, value: str) -> bool:
    """`*` stands for any characters, everything else for itself (names may hold brackets)."""
    return _pattern(glob).fullmatch(value) is not None


def _any(globs: tuple[str, ...], value: str) -> bool:
    return any(glob == "*" or glob_match(glob, value) for glob in globs)


@dataclass(frozen=True, slots=True)
class Token:
    """A token's rights; `label` stands for it in the log, so that the log holds no credential. `permissions` are those
    of Lenses' own names that it has."""

    label: str
    environments: tuple[str, ...] = ("*",)
    clusters: tuple[str, ...] = ("*",)
    connectors: tuple[str, ...] = ("*",)
    write: bool = True
    permissions: tuple[str, ...] = PERMISSIONS

    @classmethod
    def parse(cls, token: str, rights: dict[str, Any]) -> Token:
        unknown = set(rights) - {"name", "environments", "clusters", "connectors", "write", "permissions"}
        if unknown:
            raise ValueError(f"unknown token rights: {', '.join(sorted(unknown))}")
        return cls(
            label=rights.get("name") or hashlib.sha256(token.encode()).hexdigest()[:12],
            environments=tuple(rights.get("environments", ("*",))),
            clusters=tuple(rights.get("clusters", ("*",))),
            connectors=tuple(rights.get("connectors", ("*",))),
            write=bool(rights.get("write", True)),
            permissions=checked(rights.get("permissions", PERMISSIONS)),
        )

    def environment(self, name: str) -> bool:
        return ACCESS in self.permissions and _any(self.environments, name)

    def cluster(self, name: str) -> bool:
        return _any(self.clusters, name)

    def connector(self, name: str) -> bool:
        return _any(self.connectors, name)

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    @property
    def sees_all_connectors(self) -> bool:
        return "*" in self.connectors
