"""The composition root: builds every part, connects them, runs them, and ends them in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from lenses_operator import garbage, handlers
from lenses_operator.controllers.clocks import Clocks, WallClock
from lenses_operator.core import Core
from lenses_operator.ending import Ending, Signals
from lenses_operator.garbage import LongLived
from lenses_operator.kube.api import KubeApi
from lenses_operator.kube.connection import connect
from lenses_operator.kube.digest_key import DigestKey
from lenses_operator.kube.events import Events, EventType
from lenses_operator.kube.fencing import Fence
from lenses_operator.kube.kinds import Kinds
from lenses_operator.kube.leader import Leader
from lenses_operator.kube.lister import Lister
from lenses_operator.kube.references import ReferenceReader
from lenses_operator.kube.writer import Writer
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.proxies import ignored
from lenses_operator.lenses.tokens import TokenFile
from lenses_operator.lenses.transport import LensesTransport
from lenses_operator.observability.collectors import COUNTED, EnvironmentMetrics, QueueMetrics, ResourceMetrics
from lenses_operator.observability.conditions import CONDITIONS, ConditionLines
from lenses_operator.observability.health import HealthServer
from lenses_operator.observability.logging import request_id
from lenses_operator.observability.loop_holds import LoopHolds
from lenses_operator.observability.metrics import Metrics, Slow
from lenses_operator.observability.probes import Probes
from lenses_operator.policy_file import PolicyFile
from lenses_operator.resources.base import ObjectKey, Resource
from lenses_operator.settings import ANYWHERE, Settings, SettingsError
from lenses_operator.turns import slices
from lenses_operator.worker import Worker
from lenses_operator.workqueue.queue import run_workers

logger = logging.getLogger(__name__)
WORKERS = 64
"""Passes at a time in each environment; what they may ask of Lenses at a time is limited too."""
POLICY_CHECK = 2.0
"""Seconds between two looks at the policy file's time."""
POLICY_SLICE = 1000
"""Resources that are added to the queue between two turns of the event loop where the policy has changed."""
LAST_EVENTS = 5.0
"""Seconds the Events of the last passes get to be written."""
IN_CLUSTER_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


async def run(settings: Settings, holds: LoopHolds) -> None:
    """Until SIGTERM or SIGINT. Raises SettingsError or KubeError where it cannot start.

    `holds` are those of the running loop.
    """
    garbage.begin()
    async with AsyncExitStack() as stack:
        app = await _build(settings, stack, holds)
        await app.run()


async def _build(settings: Settings, stack: AsyncExitStack, holds: LoopHolds) -> App:
    metrics = Metrics()
    fence = Fence()
    gate = fence.check if settings.leader_election else _open
    if unread := ignored(os.environ):
        logger.warning("%s", unread)
    with _setting("lenses_ca_file" if settings.lenses_ca_file else "lenses_url"):
        transport = LensesTransport(
            settings.lenses_url,
            ca_file=settings.lenses_ca_file,
            proxy=settings.lenses_proxy,
            concurrency=settings.concurrency,
            request_id=request_id,
            gate=gate,
        )
    with _setting("lenses_token_file"):
        tokens = TokenFile(settings.lenses_token_file)
    with _setting("policy_file"):
        policy = PolicyFile(settings.policy_file)
    stack.push_async_callback(transport.aclose)
    kube = await connect()
    stack.push_async_callback(kube.close)
    api = KubeApi(kube, gate)
    leader = _leader(settings, api, fence) if settings.leader_election else None
    return App(settings, metrics, holds, transport, tokens, api, policy, leader)


@contextlib.contextmanager
def _setting(field: str) -> Iterator[None]:
    """Raises SettingsError for what cannot be made of this setting."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise SettingsError.about(field, error) from error


class App:
    """Everything that runs. Building it starts nothing."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        holds: LoopHolds,
        transport: LensesTransport,
        tokens: TokenFile,
        api: KubeApi,
        policy: PolicyFile,
        leader: Leader | None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._holds = holds
        loop = asyncio.get_running_loop()
        self._policy = policy
        writer = Writer(api)
        self._events = Events(api)
        key = self._digest_key = DigestKey(api, own_namespace(settings), settings.digest_key_secret)
        core = self._core = Core(
            LensesClient(transport, tokens, on_response=self._answered),
            writer=writer,
            offsets_writer=writer,
            references=ReferenceReader(api),
            emit=self._emit,
            policy=lambda: policy.current,
            clocks=Clocks(loop.time, WallClock()),
            poll_interval=settings.poll_interval,
            list_rate=settings.list_rate,
            drift_interval=settings.drift_interval,
            digest_key=lambda: key.value,
        )
        transport.parked = core.queue.parked
        self._lister = Lister(
            api, writer, core.feed, core.offsets_feed, settings.watch_namespaces, settings.label_selector
        )
        self._kinds = Kinds(api, settings.watch_namespaces)
        probes = self._probes = Probes(
            core.queue, core.cache, core.environments, lambda: self._lister.age, self._kinds.missing
        )
        self._health = HealthServer(
            settings.http_host,
            settings.http_port,
            ready=probes.missing,
            problems=probes.problems,
            metrics=metrics.exposition,
        )
        self._leader = leader
        self._working = False
        self._long_lived = LongLived()
        self._passes = Worker(
            core.reconcile, core.cache, core.operations, again=core.queue.add_after, ended=metrics.passed
        )
        resources = ResourceMetrics(core.cache, core.operations, lambda: self._working)
        metrics.watch(
            holds,
            QueueMetrics(core.queue.stats, WORKERS),
            EnvironmentMetrics(core.environments.poller_statuses, loop.time),
            resources,
            before=Slow(COUNTED, resources.count),
            lines=Slow(CONDITIONS, ConditionLines(core.cache, core.operations, core.cache.get, lambda: self._working)),
        )

    async def run(self) -> None:
        signals = Signals()
        signals.handle()
        with _setting("http_port" if self._settings.http_host == ANYWHERE else "http_host"):
            await self._health.start()
        self._holds.begin()
        logger.info("serving health and metrics on port %d", self._health.port)
        watching = asyncio.create_task(self._watch(), name="watch")
        beside = [
            asyncio.create_task(self._lister.run(), name="list"),
            asyncio.create_task(self._events.run(), name="events"),
            asyncio.create_task(self._watch_policy(), name="policy"),
        ]
        working = asyncio.create_task(self._work(), name="work")
        telling = asyncio.create_task(signals.wait(), name="told")
        try:
            await _first_to_end(telling, watching, working, *beside)
        finally:
            telling.cancel()
            ending = Ending(signals.told or "a part of the operator has ended", lambda: self._core.queue.running)
            await self._end(watching, working, beside, ending)
            ending.over()

    async def _watch(self) -> None:
        """After our own list, and from its version on: kopf is shown what has changed since."""
        await self._kinds.served()
        await self._lister.listed.wait()
        await handlers.watch(
            self._core.feed,
            self._core.offsets_feed,
            self._kinds,
            self._lister.versions,
            self._settings.watch_namespaces,
            self._settings.label_selector,
            watch_references=self._settings.watch_references,
        )

    async def _work(self) -> None:
        """Nothing runs before everything is listed and the lease, if there is one, is ours."""
        await self._lister.listed.wait()
        self._long_lived.listed(len(self._core.cache))
        if self._leader is not None:
            self._probes.stand_by()
            await self._leader.acquire()
            await self._lister.refresh()  # what the last leader did may not have reached our watches yet
        await self._digest_key.load()
        self._working = True
        self._probes.begin()
        self._metrics.leader.set(1)
        await run_workers(self._core.queue, WORKERS, self._pass)

    def _answered(self, operation: str, environment: str, outcome: int | str, seconds: float) -> None:
        self._metrics.answered(operation, environment, outcome, seconds)
        self._core.queue.progressed()

    async def _watch_policy(self) -> None:
        """A changed policy may concern everyone."""
        while True:
            await asyncio.sleep(POLICY_CHECK)
            if self._policy.reload():
                async for resources in slices(self._core.cache, POLICY_SLICE):
                    for resource in resources:
                        self._core.queue.add(resource.key)

    async def _pass(self, key: ObjectKey) -> None:
        await self._passes.run(key)
        self._probes.passed(key)
        self._long_lived.holds(len(self._core.cache))

    async def _end(
        self,
        watching: asyncio.Task[None],
        working: asyncio.Task[None],
        beside: list[asyncio.Task[None]],
        ending: Ending,
    ) -> None:
        """The queue first, then the passes that run, then what they need; nothing acts any more when the lease goes."""
        self._core.queue.close()
        if not self._lister.listed.is_set():
            watching.cancel()
        self._lister.listed.set()
        if self._working:
            await ending.wait(working)
        idle = not self._working or (working.done() and not working.cancelled() and working.exception() is None)
        working.cancel()
        await self._core.environments.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._events.drain(), LAST_EVENTS)
        for task in beside:
            task.cancel()
        await asyncio.gather(working, *beside, return_exceptions=True)
        if self._leader is not None:
            await self._leader.release(idle=idle)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await self._health.stop()

    def _emit(self, resource: Resource, reason: str, message: str, *, warning: bool = False) -> None:
        """One Event, one line and one count for each thing that is done or goes wrong."""
        kind: EventType = "Warning" if warning else "Normal"
        logger.log(
            logging.WARNING if warning else logging.INFO, "%s: %s", reason, message, extra={"resource": resource.key}
        )
        self._metrics.told(resource, kind, reason)
        self._events.emit(resource, kind, reason, message)


async def _first_to_end(*tasks: asyncio.Task[Any]) -> None:
    """The operator is all of its parts: when one ends, the whole does; an error of that part is raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


def _open() -> None:
    """The gate of an operator without leader election."""


def own_namespace(settings: Settings) -> str:
    """Where the Lease and the digest key are."""
    namespace = settings.leader_election_namespace
    if not namespace and IN_CLUSTER_NAMESPACE.exists():
        namespace = IN_CLUSTER_NAMESPACE.read_text().strip()
    return namespace or "default"


def _leader(settings: Settings, api: KubeApi, fence: Fence) -> Leader:
    identity = f"{os.environ.get('HOSTNAME') or socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    return Leader(api, own_namespace(settings), settings.leader_election_name, identity, fence)
