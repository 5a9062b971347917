"""Reads the resource, and traces from Lenses where there is access to it and every secret value is known."""

from __future__ import annotations

import click

from lenses_operator.commands.access import LensesAccess
from lenses_operator.commands.errors.report import NoSuchTaskError, report, withheld
from lenses_operator.commands.output import complain
from lenses_operator.domain.redaction import WORK_ASIDE, Budget, Redactor
from lenses_operator.domain.references import ReferenceNotFound, RefName, entries
from lenses_operator.domain.traces import ends
from lenses_operator.kube.access import Access
from lenses_operator.kube.references import ReferenceReader
from lenses_operator.kube.session import Session, session
from lenses_operator.lenses.errors import LensesError
from lenses_operator.resources.connector import PLURAL, LensesConnector, SecretVersion


async def show(access: Access, lenses: LensesAccess | None, name: str, task: int | None) -> int:
    """The exit code. Raises KubeError."""
    async with session(access) as cluster:
        body = await cluster.get(PLURAL, cluster.home, name)
        if body is None:
            complain(f"there is no LensesConnector {name} in namespace {cluster.home}")
            return 1
        resource = LensesConnector.read(body)
        traces = await _traces(cluster, lenses, resource) if lenses is not None else {}
    try:
        click.echo("\n\n".join(report(resource, traces, task)))
    except NoSuchTaskError as error:
        complain(str(error))
        return 1
    return 0


async def _traces(cluster: Session, lenses: LensesAccess, resource: LensesConnector) -> dict[int, str]:
    """By task; says why where there are none."""
    values, versions = await _secrets(cluster, resource)
    why = withheld(resource, versions)
    if why is not None:
        complain(f"Lenses is not asked for the traces: {why}")
        return {}
    redact = Redactor(values)
    try:
        async with lenses.client() as client:
            details = await client.get_connector(*resource.connector)
    except LensesError as error:
        complain(f"the traces could not be read from Lenses: {redact(str(error))}")
        return {}
    return {task.id: redact(ends(task.trace), Budget(WORK_ASIDE)) for task in details.tasks if task.trace}


async def _secrets(cluster: Session, resource: LensesConnector) -> tuple[set[str], set[SecretVersion]]:
    """Every value of the Secrets that the spec names, as far as they may be read, and which state of them that is."""
    reader, namespace = ReferenceReader(cluster.api), resource.metadata.namespace
    values: set[str] = set()
    versions: set[SecretVersion] = set()
    names: set[RefName] = {entry.ref for entry in entries(resource.spec) if entry.ref.kind == "Secret"}
    for ref in sorted(names):
        try:
            found = await reader.read(namespace, ref)
        except ReferenceNotFound:
            continue
        if found is not None:
            values.update(raw.decode(errors="ignore") for raw in found.data.values())
            versions |= {
                SecretVersion(name=ref.name, key=key, resource_version=found.resource_version) for key in found.data
            }
    return values, versions
