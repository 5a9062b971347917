"""A storm from its beginning to its end: four threads do what was drawn, the invariants are looked at meanwhile."""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import httpx

from chaos.real.blows import Blows
from chaos.real.cast import CLUSTER, Key, Role
from chaos.real.faults import LIES, TABLE, Lie
from chaos.real.people import KIND, OPERATION, People
from chaos.real.plan import Plan
from chaos.real.stage import DRIFT_INTERVAL, Stage
from harness.controlplane import OPERATOR
from harness.kube import KubeError
from harness.lenses.control import HostileSwitches
from harness.lenses.operations import CHANGING
from harness.waiting import crowding, wait_until
from invariants.history import Span
from invariants.recorded import CHECKS, disclosures, foreign_writes
from invariants.settled import unsettled

CHECK_EVERY = 5.0
SETTLING = 390.0
"""Seconds from the last fault until all is as it should be: what a person has to mend is looked at again after five
minutes at most, spread by a fifth, and then needs a moment."""
LONG_ENOUGH = 20.0
"""Seconds after which a person helps: in a short storm, since a test run has no five minutes, wherever it is needed."""
ROLLED_BACK = "Ready says ConfigInvalid"
"""In every storm: what create has refused for a plugin that was away, and was rolled back, waits for a changed spec."""
QUIET = 2 * DRIFT_INTERVAL
FOLLOWS = 6.0
"""Seconds: a pass that has changed something looks again after five."""
TAIL = 60
OVERLAP = 30.0
"""Seconds that are checked once more: the API server's record comes a moment after the Lenses server's."""
UNMET_EVERY = 1.0
"""Seconds between two looks at whether a fault has met a request."""
LATEST_LINE = 10.0
"""Seconds within which an API server that has answered a write has it in its record."""


class StormError(AssertionError):
    """An invariant does not hold."""


@dataclass
class Storm:
    """`hits` counts the requests that each fault met."""

    stage: Stage
    plan: Plan
    connectors: int
    replay: str
    hits: Counter[str] = field(default_factory=Counter)
    settled_after: float = 0.0
    _checked: float = 0.0
    _failed: threading.Event = field(default_factory=threading.Event)

    # the beginning
    def prepare(self) -> None:
        """Connectors that were there before, the resources, and an operator that sees them all for the first time."""
        stage = self.stage
        roles = [Role(index) for index in range(self.connectors)]
        for role in roles:
            if role.found is not None:
                config = {**role.found, "connector.class": role.class_name, "tasks.max": str(1 + role.index % 2)}
                stage.control.add_connectors(role.key[0], CLUSTER, [role.connector], config=config)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda role: stage.kube.create(role.manifest(stage.namespaces)), roles))
        stage.replace_operator().wait_ready()

    # the middle
    def rage(self) -> None:
        """Until everything that was drawn has happened; raises at the first invariant that does not hold."""
        self.stage.began = time.time()
        people = People(self.stage)
        with ThreadPoolExecutor(4) as pool:
            running = [
                pool.submit(self._guarded, self._edit, people),
                pool.submit(self._guarded, self._disturb),
                pool.submit(self._guarded, self._mislead),
                pool.submit(self._guarded, self._strike),
            ]
            try:
                self._watch(running)
            finally:
                self._failed.set()
        for each in running:
            each.result()
        self._heal(people)

    def _guarded(self, call: Callable[..., None], *args: Any) -> None:
        try:
            call(*args)
        except BaseException:
            self._failed.set()
            raise

    def _watch(self, running: list[Future[None]]) -> None:
        checked = time.monotonic()
        while not all(each.done() for each in running):
            if self._failed.wait(0.2):
                return
            if time.monotonic() - checked > CHECK_EVERY:
                self.check()
                checked = time.monotonic()

    def _until(self, at: float) -> bool:
        """False where the storm is over before its time."""
        return not self._failed.wait(max(0.0, self.stage.began + at - time.time()))

    def _edit(self, people: People) -> None:
        for action in self.plan.edits:
            if not self._until(action.at):
                return
            people.create_awaited()
            people.do(action)

    def _disturb(self) -> None:
        """Faults overlap; each ends by itself.

        Its seconds are those of a machine that has nothing else to do: the less time others leave the operator, the
        longer a fault that has met no request yet, and so has done nothing, waits for one.
        """
        rows = {row.name: row for row in TABLE}
        ends: list[tuple[float, int, str, Span | None]] = []
        latest: dict[int, float] = {}
        for action in [*self.plan.faults, None]:
            limit = action.at if action else inf
            while ends and ends[0][0] <= limit:
                end = heapq.heappop(ends)
                if not self._until(end[0]):
                    return
                at, number, *_ = end
                if at < latest[number] and not self.stage.control.fault_hits(number):
                    heapq.heappush(ends, (min(at + UNMET_EVERY, latest[number]), *end[1:]))
                else:
                    self._lift(*end[1:])
            if action is None or not self._until(action.at):
                return
            row, about = rows[action.args["row"]], action.args.get("connectors")
            self.stage.say(str(action))
            span = None
            if row.lies:
                span = Span(time.time(), inf, row.name, about or "*")
                self.stage.history.lies.append(span)
            fault = {**row.fault, **({"connector": about} if about else {})}
            number = self.stage.control.add_fault(action.args["environment"], **fault)
            latest[number] = action.at + action.args["seconds"] * crowding()
            heapq.heappush(ends, (action.at + action.args["seconds"], number, row.name, span))

    def _lift(self, number: int, name: str, span: Span | None) -> None:
        self.hits[name] += self.stage.control.fault_hits(number)
        self.stage.control.remove_fault(number)
        if span is not None:
            span.end = time.time()

    def _mislead(self) -> None:
        lies = {lie.name: lie for lie in LIES}
        for action in self.plan.lies:
            if not self._until(action.at):
                return
            self.stage.say(str(action))
            told = [lies[name] for name in action.args["names"]]
            with ExitStack() as stack:
                for lie in told:
                    for spans in self._misled(lie):
                        stack.enter_context(self.stage.span(spans, lie.name))
                self._pretend(told, action.args["environments"])
                self._until(action.at + action.args["seconds"])
                for environment in action.args["environments"]:
                    self.stage.control.set_persona(environment, None)

    def _misled(self, lie: Lie) -> list[list[Span]]:
        history = self.stage.history
        return [spans for spans, does in ((history.blind, lie.blinds), (history.lies, lie.lies)) if does]

    def _pretend(self, lies: list[Lie], environments: list[str]) -> None:
        switches: HostileSwitches = {}
        for lie in lies:
            switches.update(lie.switches)
        for environment in environments:
            self.stage.control.set_persona(environment, "hostile", **switches)

    def _strike(self) -> None:
        blows = Blows(self.stage)
        for action in self.plan.blows:
            if not self._until(action.at):
                return
            blows.strike(action)

    def _heal(self, people: People) -> None:
        """Nothing goes wrong from here on, and what failed for good is put right by hand."""
        self.stage.say("the storm is over")
        for fault in list(self.stage.history.lies):
            fault.end = min(fault.end, time.time())
        self.stage.control.clear_faults()
        self.stage.control.clear_breakpoints()
        self._await_creation(people)
        self._mend()

    def _await_creation(self, people: People) -> None:
        begin = time.monotonic()
        while not people.create_awaited():
            if time.monotonic() - begin > SETTLING * crowding():
                self.fail(["resources that were deleted do not go away"])
            time.sleep(0.5)

    def _mend(self) -> None:
        for cluster in self.stage.ledger.clusters.values():
            for found in self.stage.control.connectors(cluster.environment):
                tasks = [{"id": task["id"], "state": "RUNNING"} for task in found["tasks"] if task["state"] == "FAILED"]
                change: dict[str, Any] = {"failing": {}, "fails": False}
                if found["state"] == "FAILED":
                    change["state"] = "RUNNING"
                if tasks and found["target"] == "running":
                    change["tasks"] = [{"id": task["id"], "state": "RUNNING"} for task in found["tasks"]]
                self.stage.control.set_connector(cluster.environment, CLUSTER, found["name"], **change)

    # the end
    def settle(self) -> None:
        """All as it should be within the bound, and then nobody writes anything any more."""
        begin, next_check = time.monotonic(), 0.0
        helped = False
        while True:
            left = self._left()
            if not left:
                break
            if time.monotonic() - begin > SETTLING * crowding():
                self.fail([f"not settled within {SETTLING:.0f} s: {line}" for line in left])
            if not helped and time.monotonic() - begin > LONG_ENOUGH:
                helped = True
                self._help([line for line in left if self.plan.short or ROLLED_BACK in line])
            if time.monotonic() > next_check:
                self.stage.say(f"{len(left)} not settled, such as {left[0]}")
                self.check()
                next_check = time.monotonic() + CHECK_EVERY
            time.sleep(0.5)
        self.stage.say(f"faults met requests: {dict(self.hits)}")
        late = sum(span.end - span.begin for span in self.stage.history.late if span.end < inf)
        self.stage.say(f"the machine was {late:.1f} s late in all")
        self.settled_after = time.monotonic() - begin
        self.stage.say(f"settled after {self.settled_after:.1f} s")
        self._stay_quiet()
        self.check(whole=True)
        self._tell_of_two()
        self._search()

    def _help(self, left: list[str]) -> None:
        """A changed spec is tried at once, whatever was said of the one before."""
        unsettled = {line.split(":")[0] for line in left}
        for found in self.stage.kube.list(KIND):
            namespace, name = found["metadata"]["namespace"], found["metadata"]["name"]
            if f"{namespace}/{name}" in unsettled:
                self.stage.say(f"helped {name}")
                self.stage.kube.patch(
                    KIND, namespace, name, {"spec": {"autoRestart": {"enabled": True, "maxRestarts": 4}}}
                )

    def _left(self) -> list[str]:
        kube = self.stage.kube
        try:
            resources, operations = kube.list(KIND), kube.list(OPERATION)
        except (httpx.TransportError, KubeError) as error:
            return [f"the API server is away: {error}"]
        lenses: dict[Key, Any] = {}
        for cluster in self.stage.ledger.clusters.values():
            for found in self.stage.control.connectors(cluster.environment):
                lenses[cluster.environment, CLUSTER, found["name"]] = found
        return list(unsettled(resources, operations, lenses, self.stage.planted))

    def _stay_quiet(self) -> None:
        """Longer than two drift checks of everything. What was written just before is settling still."""
        time.sleep(FOLLOWS)
        begin = time.time()
        last = self.stage.log_of_requests()[-1].seq
        time.sleep(QUIET)
        history = self.stage.read_on()
        wrong = [
            f"{write.sure:.2f} written though nothing changes: {write.verb} of {'/'.join(write.name)}: {write.body}"
            for write in history.writes
            if write.user == OPERATOR.name and write.since > begin
        ]
        wrong += [
            f"{request.wall:.2f} asked for though nothing changes: {request.operation} {request.connector}"
            for request in self.stage.log_of_requests()
            if request.seq > last and request.operation in CHANGING
        ]
        if wrong:
            self.fail(wrong)

    # the invariants
    def check(self, *, whole: bool = False) -> None:
        """Over what is new, and over the whole record at the end: this process is the Lenses server's and the proxy's
        as well, which must not wait."""
        begin = time.time()
        span = (0.0, inf) if whole else (self._checked - OVERLAP, begin)
        wrong = self._judged(*span)
        if wrong:  # the API server answers before it writes a line of its record: what explains it may come yet
            with suppress(TimeoutError):
                wait_until("what explains it", lambda: not self._judged(*span), LATEST_LINE)
            wrong = self._judged(*span)
        wrong += [f"{one.log.name} ended by itself" for one in self.stage.operators[-1:] if self._ended(one)]
        if wrong:
            self.fail(wrong)
        self._checked = begin

    def _judged(self, recent: float, until: float) -> list[str]:
        with self.stage.lock:
            history = self.stage.read_on()
            history.recent, history.until = recent, until
            return [line for check in CHECKS for line in check(history)] + foreign_writes(history, OPERATOR.name)

    def _tell_of_two(self) -> None:
        """For people: what the checks let pass only because two operators worked."""
        history = self.stage.history
        alone = replace(history, doubled=[])
        excused = {check.__name__: len(found) for check in CHECKS if (found := check(alone))}
        together = [span for span in history.doubled if span.end < inf]
        did = [one for one in history.effects if not one.outside and history.during(together, one.at, one.key, 0.0)]
        seconds = sum(span.end - span.begin for span in together)
        self.stage.say(f"two operators for {seconds:.0f} s: {len(did)} changes, only so explained: {excused}")

    def _ended(self, operator: Any) -> bool:
        return not operator.alive and not any(span.end == inf for span in self.stage.history.blind)

    def _search(self) -> None:
        with suppress(httpx.TransportError):
            wrong = disclosures(self.stage.secrets, self.stage.told())
            if wrong:
                self.fail(wrong)
        traced = [one.log.name for one in self.stage.operators if "Traceback" in one.text()]
        if traced:
            self.fail([f"Traceback in {', '.join(traced)}"])

    def fail(self, wrong: list[str]) -> None:
        lines = [*wrong[:20], f"... and {len(wrong) - 20} more"] if len(wrong) > 20 else wrong
        tail = "\n".join(self.stage.log[-TAIL:])
        raise StormError("\n".join([*lines, "", f"replay: {self.replay}", "the storm's last actions:", tail]))
