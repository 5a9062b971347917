"""From a spec and what it refers to, to the exact string map that reaches Lenses, or the reason why there is none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lenses_operator.domain.references import Entry, RefData, ReferenceNotFound, References, entries
from lenses_operator.resources.connector import ConnectorSpec, SecretVersion

RESERVED = {"name": "metadata.name or spec.name", "connector.class": "spec.class", "tasks.max": "spec.tasksMax"}
INT64 = range(-(2**63), 2**63)


class ConfigInvalid(ValueError):  # noqa: N818 - the name is the condition's reason
    """The spec cannot become a configuration; the message names the field and what to do."""


@dataclass(frozen=True)
class SecretValue:
    """Where a configuration value comes from."""

    name: str
    key: str
    resource_version: str


@dataclass(frozen=True)
class Rendered:
    """The configuration as it is sent, `connector.class` and `tasks.max` included. `secrets`: by configuration key.

    `given`: every value from a Secret, also one that a later source replaces: a connector not yet updated may quote it;
    `given_versions`: where from. `shown`: as Lenses showed it, so that it is unknown what of it comes from a Secret.
    """

    config: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, SecretValue] = field(default_factory=dict)
    given: frozenset[str] = field(default=frozenset(), repr=False)
    given_versions: frozenset[SecretVersion] = frozenset()
    shown: bool = False
    digest: str = ""
    """Over the values from Secrets, under a key of the operator's own; empty without one."""

    @cached_property
    def hash(self) -> str:
        """Over every key and value, order apart; of a Secret's value only where it comes from."""
        shown: dict[str, object] = dict(self.config)
        shown |= {key: {"secret": [origin.name, origin.key]} for key, origin in self.secrets.items()}
        text = json.dumps(shown, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    @property
    def hash_with_versions(self) -> str:
        """Another one also when a Secret was written again."""
        text = json.dumps([self.hash, [[one.name, one.key, one.resource_version] for one in self.secret_versions]])
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    @property
    def hash_with_digest(self) -> str | None:
        """Another one also when a Secret's data has changed; None where that cannot be told."""
        if not self.digest:
            return None
        return "sha256:" + hashlib.sha256(f"{self.hash} {self.digest}".encode()).hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """Over every value, Secrets' too: for comparing in memory, and never to be shown or stored."""
        text = json.dumps(dict(self.config), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def secret_versions(self) -> tuple[SecretVersion, ...]:
        """As status keeps them."""
        found = {(origin.name, origin.key): origin.resource_version for origin in self.secrets.values()}
        return tuple(
            SecretVersion(name=name, key=key, resource_version=version)
            for (name, key), version in sorted(found.items())
        )

    @property
    def private(self) -> frozenset[str]:
        """Keys about whose values no server text may be quoted: from a Secret, or resolved by the worker."""
        return frozenset(self.secrets) | {key for key, value in self.config.items() if "${" in value}

    @property
    def secret_values(self) -> frozenset[str]:
        return self.given | {self.config[key] for key in self.secrets}

    @property
    def with_newline(self) -> list[str]:
        """Keys whose Secret value ends in a newline, which is rarely intended (`echo` adds it)."""
        return sorted(key for key in self.secrets if self.config[key].endswith("\n"))


def render(spec: ConnectorSpec, references: References | None = None) -> Rendered:
    """`configFrom` in order, then `config`, then class and tasksMax. Strings to the letter, integers in plain decimal.

    Raises ConfigInvalid or ReferenceNotFound.
    """
    config: dict[str, str] = {}
    secrets: dict[str, SecretValue] = {}
    given: set[str] = set()
    versions: set[SecretVersion] = set()
    for entry in entries(spec):
        for key, value, origin in _values(entry, (references or {}).get(entry.ref)):
            config[key] = value
            secrets.pop(key, None)
            if origin is not None:
                secrets[key] = origin
                given.add(value)
                versions.add(SecretVersion(name=origin.name, key=origin.key, resource_version=origin.resource_version))
    for key in RESERVED:
        if key in spec.config:
            raise ConfigInvalid(_reserved("spec.config has", key))
    for key, value in spec.config.items():
        if value is not None:
            config[key] = _text(key, value)
            secrets.pop(key, None)
    config["connector.class"] = spec.class_name
    if spec.tasks_max is not None:
        config["tasks.max"] = str(spec.tasks_max)
    return Rendered(config, secrets, frozenset(given), frozenset(versions))


def _values(entry: Entry, found: RefData | None) -> list[tuple[str, str, SecretValue | None]]:
    """(configuration key, value, its Secret) for one entry."""
    kind, name = entry.ref
    if found is None:
        if entry.optional:
            return []
        raise ReferenceNotFound(
            f"{entry.where} refers to {kind} {name}, which does not exist in this namespace. "
            "Create it, or set optional: true on the reference."
        )
    if entry.key is None:
        values = {key: (key, value) for key, value in sorted(found.data.items())}
    else:
        if entry.key not in found.data:
            if entry.optional:
                return []
            raise ReferenceNotFound(
                f"{entry.where} refers to key {entry.key!r} of {kind} {name}, which has no such key. "
                "Add the key, or set optional: true on the reference."
            )
        values = {entry.target or entry.key: (entry.key, found.data[entry.key])}
    taken = [key for key in RESERVED if key in values]
    if taken:
        raise ConfigInvalid(_reserved(f"{entry.where} ({kind} {name}) brings", *taken))
    rows = []
    for target, (key, raw) in values.items():
        text = _decoded(raw, entry, key)
        if entry.key is None:
            _reject_file(text, entry, key)
        rows.append((target, text, SecretValue(name, key, found.resource_version) if kind == "Secret" else None))
    return rows


def _decoded(raw: bytes, entry: Entry, key: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ConfigInvalid(
            f"Key {key!r} of {entry.ref.kind} {entry.ref.name} ({entry.where}) is not UTF-8 text: "
            "a connector's configuration is text; store the value as such, for example base64 of it."
        ) from None


def _reject_file(text: str, entry: Entry, key: str) -> None:
    """A whole map must hold configuration keys; a file with a whole connector in it is a mistake, not a value."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    properties = len(lines) > 1 and any(line.split("=", 1)[0].strip() == "connector.class" for line in lines)
    if properties or _is_connector_json(text):
        raise ConfigInvalid(
            f"Key {key!r} of {entry.ref.kind} {entry.ref.name} ({entry.where}) holds the file of a whole connector. "
            "A map that is taken whole must have one entry for each configuration key."
        )


def _is_connector_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and ("connector.class" in found or isinstance(found.get("config"), dict))


def _reserved(what: str, *keys: str) -> str:
    """`spec.config has the reserved key 'tasks.max': …`."""
    names = " and ".join(repr(key) for key in keys)
    owners = " and ".join(RESERVED[key] for key in keys)
    them = "it" if len(keys) == 1 else "them"
    keys_named = f"the reserved {'key' if len(keys) == 1 else 'keys'} {names}"
    message = f"{what} {keys_named}: remove {them} there and use {owners} instead."
    return message + (" Another name takes a new resource." if "name" in keys else "")


def _text(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value in INT64:
        return str(value)
    raise ConfigInvalid(
        f"spec.config[{key!r}] is neither a string, nor a 64-bit integer, nor true or false: "
        "write it as a string, in quotes."
    )
