"""What all migrations share: where they lead, their warnings, and the manifest at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lenses_operator.conversion.manifest import Manifest, NotExpressible, Values, check, sent
from lenses_operator.conversion.marks import owner_of
from lenses_operator.conversion.places import Identity, Place, Places, SameConnectorError
from lenses_operator.conversion.values import with_config
from lenses_operator.conversion.yaml_source import Lined, Unreadable, as_text
from lenses_operator.domain.naming import object_name
from lenses_operator.domain.render import ConfigInvalid
from lenses_operator.domain.sensitive import is_sensitive
from lenses_operator.manifests.comments import is_cut

SERVER_MADE = frozenset(
    {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "deletionTimestamp"}
)


@dataclass(frozen=True)
class Target:
    """What the options say. `cluster` and `namespace` go before what the source says."""

    environment: str
    cluster: str | None = None
    namespace: str | None = None


@dataclass(frozen=True)
class Note:
    """Something that has no equivalent, or that a person should know. Never a value of a configuration."""

    file: str
    line: int | None
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


@dataclass
class Notes:
    """Collected for one file."""

    file: str
    found: list[Note] = field(default_factory=list)

    def say(self, line: int | None, text: str) -> None:
        self.found.append(Note(self.file, line, text))


@dataclass(frozen=True)
class Migrated:
    """One connector. `objects`: ConfigMaps for values too long for a resource. `stem`: of the file it goes to.

    `file` and `lines` (of keys): where it comes from. `told`: keys that have been told to hold a secret.
    """

    manifest: Manifest
    objects: tuple[Values, ...]
    stem: str
    file: str
    lines: Mapping[str, int]
    told: frozenset[str]


@dataclass
class Origin:
    """What a source says about one connector, in Connect's terms. `lines`: of keys of `config`, where known."""

    connector: str
    config: dict[str, str]
    lines: Mapping[str, int] = field(default_factory=dict)
    line: int | None = None
    cluster: str | None = None
    class_name: str | None = None
    tasks_max: int | None = None
    state: str | None = None
    suspend: bool = False
    auto_restart: Mapping[str, bool | int] | None = None
    name: str | None = None
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def finished(origin: Origin, target: Target, notes: Notes, places: Places) -> Migrated:
    """The manifest, once every field has its place. Raises Unreadable."""
    cluster = target.cluster or origin.cluster
    if not cluster:
        raise Unreadable("it names no Kafka Connect cluster: say which with --cluster", origin.line)
    config = dict(origin.config)
    _without_name(origin, config, notes)
    draft = Manifest(
        name=object_name(origin.name or origin.connector),
        environment=target.environment,
        cluster=cluster,
        connector=origin.connector,
        class_name=_class_name(origin, config, notes),
        tasks_max=_tasks_max(origin, config, notes),
        state=None if origin.state == "running" else origin.state,
        suspend=origin.suspend,
        auto_restart=origin.auto_restart,
        namespace=target.namespace or origin.namespace,
        labels=origin.labels,
        annotations=origin.annotations,
    )
    secret = frozenset(key for key in config if is_sensitive(key, config[key]))
    for key in (key for key in config if key in secret):
        notes.say(origin.lines.get(key), f"{key} holds what looks like a secret: move it to a Secret (spec.configFrom)")
    manifest, objects = with_config(draft, config)
    try:
        check(manifest)
        sent(manifest, objects)
    except (NotExpressible, ConfigInvalid) as problem:
        raise Unreadable(str(problem), origin.line) from None
    place = _place(origin, draft, notes, places)
    manifest, objects = with_config(replace(draft, name=place.name), config)
    return Migrated(manifest, objects, place.stem, notes.file, origin.lines, secret)


def _place(origin: Origin, draft: Manifest, notes: Notes, places: Places) -> Place:
    """Raises Unreadable."""
    identity = Identity(draft.environment, draft.cluster, draft.connector)
    if origin.name and draft.name != origin.name:
        notes.say(origin.line, f"metadata.name is no name that Kubernetes takes: it becomes {draft.name}")
    if places.has_elsewhere(identity, draft.namespace):
        notes.say(origin.line, f"{identity} is described for another namespace too: only one of the two can have it")
    try:
        found = places.of(identity, draft.name, draft.namespace)
    except SameConnectorError:
        raise Unreadable(f"{identity} has been described before, in the same namespace", origin.line) from None
    if found.name != draft.name:
        notes.say(origin.line, f"the resource is called {found.name}: {draft.name} is that of another connector")
    return found


def _without_name(origin: Origin, config: dict[str, str], notes: Notes) -> None:
    name = config.pop("name", origin.connector)
    if name != origin.connector:
        notes.say(
            origin.lines.get("name"), f"the configuration's name is left out: the connector is {origin.connector}"
        )


def _class_name(origin: Origin, config: dict[str, str], notes: Notes) -> str:
    given = config.pop("connector.class", None)
    if origin.class_name is not None and given not in (None, origin.class_name):
        notes.say(
            origin.lines.get("connector.class"), "connector.class in the configuration is left out: spec.class counts"
        )
    return origin.class_name or given or ""


def _tasks_max(origin: Origin, config: dict[str, str], notes: Notes) -> int | None:
    given = config.pop("tasks.max", None)
    line = origin.lines.get("tasks.max")
    if given is None or origin.tasks_max is not None:
        if given not in (None, str(origin.tasks_max)):
            notes.say(line, "tasks.max in the configuration is left out: the field beside it counts")
        return origin.tasks_max
    if not re.fullmatch(r"\s*0*[1-9][0-9]{0,9}\s*", given, re.ASCII):
        raise Unreadable("tasks.max is not a positive integer, which is all that spec.tasksMax can say", line)
    if str(int(given)) != given:
        notes.say(line, f"tasks.max is written as {int(given)}")
    return int(given)


def texts(values: Lined, field_name: str, notes: Notes) -> dict[str, str]:
    """A configuration as Connect got it. Raises Unreadable for what is no text, number or boolean."""
    found = {}
    for key, value in values.items():
        line, where = values.line_of(key), f"{field_name}.{key}"
        if is_cut(key, value, values.comments.get(key, "")):
            notes.say(
                line, f"{where} ends where ` #` begins a comment: quote the value if what follows is a part of it"
            )
        if value is None:
            notes.say(line, f"{where} has no value: left out, as Kubernetes leaves it out")
            continue
        text = as_text(value)
        if text is None:
            raise Unreadable(f"{where} is neither a text nor a number nor a boolean, so Connect cannot take it", line)
        if values.written.get(key, text) != text:
            notes.say(line, f"{where} is not quoted, so Kubernetes reads it otherwise than it is written: check it")
        found[key] = text
    return found


def integer(values: Lined, key: str, where: str) -> int | None:
    """Raises Unreadable."""
    found = values.get(key)
    if found is not None and (isinstance(found, bool) or not isinstance(found, int) or found < 1):
        raise Unreadable(f"{where} is not a positive integer", values.line_of(key))
    return found


def boolean(values: Lined, key: str, where: str, default: bool) -> bool:
    """Raises Unreadable."""
    found = values.get(key)
    if found is not None and not isinstance(found, bool):
        raise Unreadable(f"{where} is neither true nor false", values.line_of(key))
    return default if found is None else found


def word(values: Lined, key: str, where: str) -> str | None:
    """A text. Raises Unreadable."""
    found = values.get(key)
    if found is not None and not isinstance(found, str):
        raise Unreadable(f"{where} is not a text", values.line_of(key))
    return found or None


def kept_texts(values: Lined, where: str, foreign: tuple[str, ...], notes: Notes) -> dict[str, str]:
    """Labels or annotations without those of the other operator, which the caller tells of, and without the marks by
    which tools know what is theirs."""
    found = {}
    for key, value in values.items():
        owner = owner_of(key)
        if owner is not None:
            _tell_mark(values.line_of(key), f"{where}.{key}", owner, notes)
        elif not key.startswith(foreign):
            if not isinstance(value, str):
                raise Unreadable(f"{where}.{key} is not a text", values.line_of(key))
            found[key] = value
    return found


def _tell_mark(line: int, where: str, owner: str, notes: Notes) -> None:
    """kubectl's own bookkeeping needs no word."""
    if owner != "kubectl":
        notes.say(line, f"{where} is left out: {owner} marks what is its own with it, and would remove a copy")


def left_out(values: Lined, where: str, known: frozenset[str] | set[str], notes: Notes) -> None:
    """Tells of every field that nothing was made of."""
    for key in values:
        if key not in known:
            notes.say(values.line_of(key), f"{where}.{key} has no equivalent and is left out")
