"""A plan over manifests given as text, with Lenses and the Kubernetes cluster in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any, cast

from lenses_operator.domain.references import RefData
from lenses_operator.domain.render import render
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.models import ValidationField, ValidationResult
from lenses_operator.manifests.documents import read
from lenses_operator.manifests.references import Located
from lenses_operator.planning.cluster import Bodies, MayNotReadError
from lenses_operator.planning.lenses_view import LensesView
from lenses_operator.planning.others import read_others
from lenses_operator.planning.planner import Options, Planner
from lenses_operator.planning.result import Item, Result
from unit.controllers.fakes import Connector, FakeLenses
from unit.resources.make import CLASS, SENT, body, resource

HEAD = "apiVersion: connect.lenses.io/v1alpha1\nkind: LensesConnector\n"


def manifest(name: str = "orders", /, *, config: str = "", **spec: Any) -> str:
    """What `SENT` comes from, in namespace payments; `config`: further lines of it; `class_` is the field `class`."""
    fields = {"environment": "prod", "cluster": "connect-eu", "class": CLASS}
    fields |= {key.rstrip("_"): value for key, value in spec.items()}
    lines = [f"  {key}: {value}" for key, value in fields.items()]
    inner = ["    topic: orders", "    file: /data/orders", *(f"    {line}" for line in dedent(config).splitlines())]
    head = f"{HEAD}metadata: {{name: {name}, namespace: payments}}\nspec:\n"
    return head + "\n".join([*lines, "  config:", *inner]) + "\n"


def applied(name: str = "orders", **changes: object) -> dict[str, Any]:
    """As the cluster has it after the operator wrote it."""
    found = {"hash": render(resource(name).spec).hash, "time": "2026-01-01T00:00:00Z", **changes}
    return body(name, status={"ownership": {"state": "Owned"}, "appliedConfig": found})


def problem(item: Item) -> tuple[int | None, str]:
    """The line of the only one, and its words."""
    ((place, message),) = item.problems
    return place.line if place else None, message


@dataclass
class FakeCluster:
    """`refs`: None for what may not be read."""

    objects: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    refs: dict[Located, RefData | None] = field(default_factory=dict)

    async def bodies(self, namespaces: list[str]) -> Bodies:
        return {key: body for key, body in self.objects.items() if key[1] in namespaces}

    async def read(self, located: Located) -> RefData | None:
        if located in self.refs and self.refs[located] is None:
            raise MayNotReadError
        return self.refs.get(located)

    def add(self, body: dict[str, Any], kind: str = "LensesConnector") -> None:
        self.objects[kind, body["metadata"]["namespace"], body["metadata"]["name"]] = body


class Lenses(FakeLenses):
    """With offsets to read, and keys of Connect's type PASSWORD, whose values come back as `mask`."""

    passwords: frozenset[str] = frozenset()
    mask = "[hidden]"

    def __init__(self) -> None:
        super().__init__()
        self.offsets = '[{"partition": {"p": 0}, "offset": {"at": 7}}]'

    def _validated(self, config: dict[str, str]) -> ValidationResult:
        found = super()._validated(config)
        typed = [
            ValidationField(name=key, value=self.mask if key in self.passwords else value)
            for key, value in config.items()
        ]
        return found.model_copy(update={"fields": (*found.fields, *typed)})


@dataclass
class Rig:
    tmp_path: Path
    lenses: Lenses = field(default_factory=Lenses)
    cluster: FakeCluster | None = None

    def exists(self, name: str = "orders", state: str = "RUNNING", **changes: str | None) -> None:
        """A connector as `manifest` makes it, with these keys changed or, None, taken out."""
        config = {key: value for key, value in {**SENT, **changes}.items() if value is not None}
        self.lenses.connectors[name] = Connector(config, state)

    def holds(self, *bodies: dict[str, Any], kind: str = "LensesConnector") -> FakeCluster:
        """The Kubernetes cluster is asked, too, and has these."""
        self.cluster = self.cluster or FakeCluster()
        for one in bodies:
            self.cluster.add(one, kind)
        return self.cluster

    async def plan(self, *manifests: str, options: Options | None = None) -> Result:
        file = self.tmp_path / "m.yaml"
        file.write_text("---\n".join(manifests))
        planner_options = options or Options()
        planner = Planner(LensesView(cast("LensesClient", self.lenses)), self.cluster, planner_options)
        found = read([file], "payments")
        told = read_others(found, planner_options.environments, "payments")
        result = await planner.plan(found, told)
        assert self.lenses.asked() == self.lenses.asked("validate", "get_offsets")  # nothing that changes anything
        return result

    async def one(self, *manifests: str, options: Options | None = None) -> Item:
        """The plan's only item."""
        (item,) = (await self.plan(*manifests, options=options)).items
        return item
