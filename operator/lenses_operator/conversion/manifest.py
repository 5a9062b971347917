"""A LensesConnector that is to be written down, and the Secret or ConfigMap that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lenses_operator.domain.naming import is_addressable
from lenses_operator.domain.references import RefData, RefKind, RefName
from lenses_operator.domain.render import render
from lenses_operator.resources.connector import ConnectorSpec

LONGEST = 32768
"""Characters of a value in `config`; a longer one has to come from elsewhere."""
MOST_REFERENCES = 64
LONGEST_KEY = 1000
MOST_TASKS = 2**31 - 1


class NotExpressible(ValueError):  # noqa: N818 - says what is the matter
    """No LensesConnector says just this; the message names the field, never a value of a configuration."""


@dataclass(frozen=True)
class Values:
    """The data of a Secret or ConfigMap. `unknown`: keys whose value is a placeholder."""

    kind: RefKind
    name: str
    data: Mapping[str, str] = field(repr=False)
    unknown: frozenset[str] = frozenset()
    namespace: str | None = None


@dataclass(frozen=True)
class Source:
    """One entry of `configFrom` with one key of `values`."""

    key: str
    kind: RefKind
    name: str
    data_key: str


@dataclass(frozen=True)
class Manifest:
    """`config` without the keys that have fields of their own. `config_from` in the order of its entries."""

    name: str
    environment: str
    cluster: str
    connector: str
    class_name: str
    tasks_max: int | None = None
    config: Mapping[str, str] = field(default_factory=dict, repr=False)
    config_from: tuple[Source, ...] = ()
    state: str | None = None
    suspend: bool = False
    auto_restart: Mapping[str, bool | int] | None = None
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def spec(self) -> ConnectorSpec:
        """As the operator reads it."""
        sources = [
            {"key": one.key, f"{one.kind[0].lower()}{one.kind[1:]}KeyRef": {"name": one.name, "key": one.data_key}}
            for one in self.config_from
        ]
        body = {
            "environment": self.environment,
            "cluster": self.cluster,
            "class": self.class_name,
            "tasksMax": self.tasks_max,
            "config": dict(self.config),
            "configFrom": sources,
        }
        return ConnectorSpec.model_validate(body)


def check(manifest: Manifest) -> None:
    """Whether the API server would take it. Raises NotExpressible."""
    for what, value, longest in (
        ("environment", manifest.environment, 253),
        ("cluster", manifest.cluster, 253),
        ("name", manifest.connector, 249),
    ):
        if not is_addressable(value, longest):
            raise NotExpressible(
                f"the {what} {value!r} cannot be used: it has one of / \\ % ? # {{ }}, a control character or outer "
                f"white space, or is longer than {longest} characters"
            )
    if not manifest.class_name or manifest.class_name.split() != [manifest.class_name]:
        raise NotExpressible("connector.class is missing or has white space in it")
    if manifest.tasks_max is not None and not 1 <= manifest.tasks_max <= MOST_TASKS:
        raise NotExpressible(f"tasks.max is not between 1 and {MOST_TASKS}")
    if len(manifest.config_from) > MOST_REFERENCES:
        raise NotExpressible(
            f"{len(manifest.config_from)} values would have to come from a Secret or ConfigMap, "
            f"which are more than configFrom takes ({MOST_REFERENCES})"
        )
    for key in (*manifest.config, *(source.key for source in manifest.config_from)):
        if not key or len(key) > LONGEST_KEY:
            raise NotExpressible(f"a key is empty or longer than {LONGEST_KEY} characters")
    for key, value in manifest.config.items():
        try:
            (key + value).encode()
        except UnicodeEncodeError:
            raise NotExpressible(f"{key!a} is not valid Unicode text") from None


def sent(manifest: Manifest, objects: tuple[Values, ...] = ()) -> Mapping[str, str]:
    """What the operator sends to Lenses for it, by the operator's own rules. Raises ConfigInvalid."""
    references = {
        RefName(one.kind, one.name): RefData("", {key: value.encode() for key, value in one.data.items()})
        for one in objects
    }
    return render(manifest.spec(), references).config
