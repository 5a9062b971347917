"""From manifests to a plan. Everything is asked at once, as far as Lenses' limits let it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lenses_operator.cache.parsing import parse
from lenses_operator.domain.policy import Policy
from lenses_operator.domain.reasons import Reason
from lenses_operator.domain.secret_digest import ENTRY, SHORTEST
from lenses_operator.manifests.documents import Document, Manifests
from lenses_operator.manifests.references import Located, references
from lenses_operator.manifests.schema import refusals
from lenses_operator.planning.claims import Claims
from lenses_operator.planning.cluster import Bodies, Cluster, MayNotReadError
from lenses_operator.planning.connectors import ConnectorPlanner, tell_refusal
from lenses_operator.planning.deletions import deletions
from lenses_operator.planning.inputs import Sources, resource_of
from lenses_operator.planning.lenses_view import LensesView
from lenses_operator.planning.offsets_operations import OffsetsPlanner
from lenses_operator.planning.result import Item, Result
from lenses_operator.planning.warnings import (
    SUBSTITUTE,
    has_references,
    substitutes,
    warnings_of,
    warnings_of_offsets,
)
from lenses_operator.resources.connector import ConnectorKey, LensesConnector

INVALID = "Invalid"
"""What the API server would not take."""


@dataclass(frozen=True)
class Options:
    """`owned`: without a cluster, connectors that exist are taken for those of the files. `prune`: also deletions.
    `digest_key`: the Secret with the key of the digests in status."""

    environments: frozenset[str] = frozenset()
    owned: bool = True
    prune: bool = False
    policy: Policy = field(default_factory=Policy)
    digest_key: Located | None = None

    def includes(self, environment: object) -> bool:
        return not self.environments or (isinstance(environment, str) and environment in self.environments)


@dataclass
class _Candidate:
    """A connector's manifest that the API server would take."""

    document: Document
    resource: LensesConnector
    item: Item


class Planner:
    """`step` is called after each LensesConnector."""

    def __init__(
        self,
        lenses_view: LensesView,
        cluster: Cluster | None,
        options: Options,
        step: Callable[[], None] = lambda: None,
    ) -> None:
        self._sight = lenses_view
        self._cluster = cluster
        self._options = options
        self._step = step

    async def plan(self, manifests: Manifests, told: Result | None = None) -> Result:
        """`told`: what there is to say about the files already. Raises ClusterError."""
        result = told or Result()
        given, wrong = references(manifests.references)
        result.errors += [*manifests.unreadable, *wrong]
        connectors = self._chosen(manifests.connectors, result)
        bodies: Bodies = {}
        if self._cluster is not None:
            bodies = await self._cluster.bodies(
                sorted({one.namespace for one in (*manifests.connectors, *manifests.offsets)})
            )
        substituted = substitutes(manifests.others)
        for document in connectors:
            result.warnings += warnings_of(document, substituted=substituted)
        for document in manifests.offsets:
            result.warnings += warnings_of_offsets(document)
        candidates = self._candidates(connectors, bodies, result)
        claims = self._claims(candidates, bodies, connectors)
        eligible = [one for one in candidates if self._eligible(one, candidates, claims)]
        await self._sight.open(one.resource.spec.environment for one in eligible)
        planner = ConnectorPlanner(
            self._sight,
            Sources(given, self._cluster),
            assume_owned=self._options.owned and self._cluster is None,
            digest_key=await self._digest_key(result),
        )

        async def fill(candidate: _Candidate) -> None:
            await planner.fill(candidate.item, candidate.document, claims.situation(candidate.resource))
            self._step()

        await asyncio.gather(*map(fill, eligible))
        concerned = [one for one in manifests.offsets if self._concerns(one, manifests.connectors)]
        known = _connectors(candidates, bodies)
        offsets = OffsetsPlanner(self._sight, bodies, known, clustered=self._cluster is not None)
        result.items += await asyncio.gather(*map(offsets.item, concerned))
        if self._options.prune:
            result.items += deletions(bodies, manifests.connectors, self._options.includes, claims)
        self._notes(manifests, connectors, result)
        return result

    async def _digest_key(self, result: Result) -> bytes | None:
        """None, with a note, where it cannot be read."""
        secret = self._options.digest_key
        if secret is None or self._cluster is None:
            return None
        where = f"The digest key (Secret {secret.namespace}/{secret.ref.name})"
        try:
            found = await self._cluster.read(secret)
        except MayNotReadError:
            result.notes.append(f"{where} may not be read.")
            return None
        key = found.data.get(ENTRY) if found is not None else None
        if key is None or len(key) < SHORTEST:
            result.notes.append(f"{where} is not there, or is no such key.")
            return None
        return key

    def _concerns(self, offsets: Document, connectors: list[Document]) -> bool:
        """Unless its connector is in the files, and in an environment that is left out."""
        ref = _spec(offsets).get("connectorRef")
        name = ref.get("name") if isinstance(ref, Mapping) else None
        about = [one for one in connectors if (one.namespace, one.name) == (offsets.namespace, name)]
        return all(self._options.includes(_spec(one).get("environment")) for one in about)

    def _chosen(self, documents: list[Document], result: Result) -> list[Document]:
        chosen = [one for one in documents if self._options.includes(_spec(one).get("environment"))]
        if len(chosen) < len(documents):
            result.notes.append(f"{len(documents) - len(chosen)} LensesConnectors of other environments are left out.")
        return chosen

    def _candidates(self, documents: Iterable[Document], bodies: Bodies, result: Result) -> list[_Candidate]:
        found = []
        for order, document in enumerate(documents):
            item = Item(document.kind, document.namespace, document.name, place=document.place())
            result.items.append(item)
            before = bodies.get((document.kind, document.namespace, document.name))
            wrong = refusals(document, before)
            if wrong:
                item.refuse(INVALID, *wrong)
                self._step()
                continue
            resource = resource_of(document, before, order)
            item.connector = resource.connector
            if resource.metadata.deleting:
                message = "the resource is being deleted, and applying it does not keep it; apply it again afterwards"
                item.refuse(Reason.DELETING, (document.place(), message))
                self._step()
                continue
            found.append(_Candidate(document, resource, item))
        return found

    def _claims(self, candidates: list[_Candidate], bodies: Bodies, documents: list[Document]) -> Claims:
        """Of the files, and of what the cluster has beside them."""
        named = {(one.kind, one.namespace, one.name) for one in documents}
        unnamed = [body for key, body in bodies.items() if key not in named and key[0] == LensesConnector.kind_name]
        others = [other for body in unnamed if (other := parse(LensesConnector, body)) is not None]
        return Claims([*others, *(one.resource for one in candidates)], self._options.policy)

    def _eligible(self, candidate: _Candidate, candidates: list[_Candidate], claims: Claims) -> bool:
        """Whether the operator would ask Lenses about it; else it is refused."""
        situation = claims.situation(candidate.resource)
        uid = situation.rival.metadata.uid if situation.rival is not None else None
        place = next((one.document.place() for one in candidates if one.resource.metadata.uid == uid), None)
        beside = f" The other one is in {place}." if place is not None else ""
        if not tell_refusal(candidate.item, candidate.document, situation, beside):
            return True
        self._step()
        return False

    def _notes(self, manifests: Manifests, connectors: list[Document], result: Result) -> None:
        if self._cluster is None and connectors:
            taken = (
                "connectors that exist are taken for owned by these resources (--assume-new says otherwise)"
                if self._options.owned
                else "connectors that exist are taken for strangers, which are adopted or refused"
            )
            result.notes.append(f"The Kubernetes cluster was not asked (--cluster-refs): {taken}.")
        if not self._options.prune:
            result.notes.append("Deletions are not looked at (--prune-against-cluster).")
        if not substitutes(manifests.others) and any(map(has_references, connectors)):
            result.notes.append(
                "Values with ${…} go to Connect as they are; Flux's postBuild would replace them on the way, unless "
                f"the resource is annotated with {SUBSTITUTE}: disabled."
            )
        passed_over = manifests.passed_over + len(manifests.others)
        if passed_over:
            result.notes.append(f"{passed_over} documents of other kinds were passed over.")


def _connectors(candidates: list[_Candidate], bodies: Bodies) -> dict[tuple[str, str], ConnectorKey]:
    """By namespace and name; what the files say comes before what the cluster has."""
    resources = [parse(LensesConnector, body) for key, body in bodies.items() if key[0] == LensesConnector.kind_name]
    resources += [one.resource for one in candidates]
    return {(one.metadata.namespace, one.metadata.name): one.connector for one in resources if one is not None}


def _spec(document: Document) -> Mapping[str, Any]:
    found = document.body.get("spec")
    return found if isinstance(found, Mapping) else {}
