"""What befalls the parts: the API server, the operator, and what Lenses knows of clusters and tokens."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from chaos.real.cast import CLUSTER, ENVIRONMENTS
from chaos.real.people import KIND, OPERATION
from chaos.real.plan import Action
from chaos.real.stage import RESUMED, WATCHES, Stage
from harness.kinds import kind_named
from harness.kube import KubeError
from harness.lenses.control import LensesControl
from harness.lenses.plugins import DEFAULT_PLUGINS
from harness.lenses.running import TOKEN
from harness.waiting import wait_until

ORDERLY_END = 110.0
"""Seconds an operator may take to end: it finishes the passes that run."""
READY = 60.0
CUT_OFF = 2.0
PAUSED = 2.5
TOGETHER = 4.0
LOST = 2.0
DELAYED = 3.0
DELAYS = 1.0
CONTROL_COMMANDS = {
    "environment_down": "the rows `bad gateway` and `dropped before`",
    "agent_not_connected": "the row `agent away`",
    "cluster_starting": "the row `cluster starting`",
    "add_fault": "the table of faults",
    "add_breakpoint": "kill in the middle",
    "set_persona": "the table of lies",
    "set_plugins": "plugins lost",
    "add_token": "token narrowed",
    "remove_token": "token lost",
    "set_resource_as_code": "as-code endpoint lost",
    "set_delays": "long delays",
    "set_connector": "config by hand, state by hand, tasks fail and their like",
    "remove_connector": "delete by hand",
    "add_connectors": "what is there before a storm begins",
    "set_offsets": "offsets move",
    "remove_environment": "the row `unknown environment`, which keeps what is in it",
    "remove_cluster": "the row `unknown cluster`, which keeps what is in it",
}
"""Which blow, fault or action stands for each command of the server's control endpoint that changes something."""


class Blows:
    """One at a time; each has ended when the call returns."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def calls(self) -> dict[str, Callable[[int], None]]:
        """What does each of `BLOWS`; called with the number that was drawn."""
        return {
            "kill api server": self._kill_api_server,
            "end api server": self._end_api_server,
            "cut off until gone": self._cut_off,
            "compact history": self._compact,
            "kill operator": self._kill_operator,
            "end operator": self._end_operator,
            "pause operator": self._pause_operator,
            "second operator": self._second_operator,
            "kill in the middle": self._kill_in_the_middle,
            "plugins lost": self._plugins_lost,
            "token lost": self._token_lost,
            "token narrowed": self._token_narrowed,
            "as-code endpoint lost": self._as_code_lost,
            "long delays": self._long_delays,
        }

    def strike(self, action: Action) -> None:
        self._stage.say(str(action))
        self.calls()[action.what](int(action.args["draw"]))
        self._stage.say(f"{action.what}: over")

    @property
    def _control(self) -> LensesControl:
        return self._stage.control

    # the API server
    def _kill_api_server(self, _: int) -> None:
        self._stage.restart_api_server(at_once=True)

    def _end_api_server(self, _: int) -> None:
        self._stage.restart_api_server(at_once=False)

    def _compact(self, _: int) -> None:
        self._stage.read_on()  # while etcd remembers what the record lacks
        self._stage.say(f"compacted at {self._stage.etcd.compact()}")

    def _cut_off(self, _: int) -> None:
        """The operator's watches hang while objects change, and what they missed is history nobody keeps any more."""
        stage = self._stage
        with stage.span(stage.history.blind, "cut off"):
            known = self._list_version()
            stage.proxy.hang()
            try:
                self._touch()
                time.sleep(CUT_OFF)
                stage.etcd.compact()
                stage.restart_api_server(at_once=True)
                self._expect_gone(known)
            finally:
                since = time.time()
                stage.proxy.flow()
            listed = self._listed_anew(since)
        stage.expired += listed

    def _listed_anew(self, since: float) -> bool:
        """Or resumed: what lay in a connection that hung may have brought a watch beyond what history lost."""
        try:
            wait_until("the watches to list anew", lambda: self._stage.relists(since) >= WATCHES, RESUMED)
        except TimeoutError:
            self._stage.say("a watch went on without listing anew")
        return self._stage.relists(since) > 0

    def _list_version(self) -> str:
        def listed() -> str | None:
            answer = self._stage.kube.raw("GET", kind_named(KIND).path(None), params={"limit": "1"})
            return None if answer.is_error else str(answer.json()["metadata"]["resourceVersion"])

        return wait_until("an API server that has all its kinds", listed, READY)

    def _expect_gone(self, version: str) -> None:
        """What a watch gets that was at this version."""
        params = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "1"}

        def check() -> bool:
            answer = self._stage.kube.raw("GET", kind_named(KIND).path(None), params=params)
            return '"code":410' in answer.text

        with suppress(httpx.TransportError):
            wait_until("410 Gone", check, READY)

    def _touch(self) -> None:
        """The watches of both kinds have missed something, whatever else happens."""
        for kind in (KIND, OPERATION):
            for found in self._some(kind):
                change = {"metadata": {"labels": {"cut-off": str(time.monotonic_ns())}}}
                with suppress(KubeError):
                    self._stage.kube.patch(kind, found["metadata"]["namespace"], found["metadata"]["name"], change)

    def _some(self, kind: str) -> list[Any]:
        with suppress(KubeError):  # it has just started, and does not have all its kinds yet
            return self._stage.kube.list(kind)[:3]
        return []

    # the operator
    def _kill_operator(self, _: int) -> None:
        with self._stage.span(self._stage.history.blind, "operator killed"):
            self._stage.operator.kill()
            self._stage.replace_operator().wait_ready(READY)

    def _end_operator(self, _: int) -> None:
        with self._stage.span(self._stage.history.blind, "operator ends"):
            code = self._stage.operator.terminate(ORDERLY_END)
            self._stage.say(f"operator ended with {code}")
            self._stage.replace_operator().wait_ready(READY)

    def _pause_operator(self, _: int) -> None:
        with self._stage.span(self._stage.history.blind, "operator paused"):
            self._stage.operator.pause()
            try:
                time.sleep(PAUSED)
            finally:
                self._stage.operator.resume()

    def _second_operator(self, _: int) -> None:
        stage = self._stage
        with stage.span(stage.history.doubled, "two operators"):
            second = stage.start_operator("second")
            stage.operators.insert(0, second)
            with suppress(TimeoutError):
                second.wait_ready(READY)
            time.sleep(TOGETHER)
            second.kill()

    def _kill_in_the_middle(self, draw: int) -> None:
        """With a write held before it has its effect, or after; it goes on, or is lost, when another operator works."""
        environment = ENVIRONMENTS[draw % 2]
        when, then = ("before", "after")[draw // 2 % 2], ("process", "drop")[draw // 4 % 2]
        point = self._control.add_breakpoint(environment, nth=1, when=when, skip_reads=True)
        try:
            held = self._control.wait_breakpoint(point, timeout=4)
        except TimeoutError:
            self._control.release_breakpoint(point, "drop")
            return
        self._stage.say(f"held {when} its effect: {held['operation']} {held['connector']} ({then})")
        with self._stage.span(self._stage.history.blind, "operator killed in the middle"):
            self._stage.operator.kill()
            self._stage.replace_operator()
            self._control.release_breakpoint(point, then)
            self._stage.operator.wait_ready(READY)

    # what Lenses knows
    def _plugins_lost(self, draw: int) -> None:
        environment = ENVIRONMENTS[draw % 2]
        self._control.set_plugins(environment, CLUSTER, [])
        time.sleep(LOST)
        cluster = self._stage.ledger.clusters[environment]
        self._stage.ledger.inside(lambda: setattr(cluster, "known_plugins", list(DEFAULT_PLUGINS)))

    def _token_lost(self, _: int) -> None:
        self._control.remove_token(TOKEN)
        time.sleep(LOST)
        self._control.add_token(TOKEN, name="all")

    def _token_narrowed(self, draw: int) -> None:
        rights: tuple[dict[str, Any], ...] = (
            {"write": False},
            {"environments": ["other"]},
            {"clusters": ["other"]},
            {"connectors": ["c*1"]},
        )
        self._control.add_token(TOKEN, name="all", **rights[draw % len(rights)])
        time.sleep(LOST)
        self._control.add_token(TOKEN, name="all")

    def _as_code_lost(self, draw: int) -> None:
        environment = ENVIRONMENTS[draw % 2]
        self._control.set_resource_as_code(environment, (404, 405, 415, 501)[draw // 2 % 4])
        time.sleep(LOST)
        self._control.set_resource_as_code(environment, None)

    def _long_delays(self, draw: int) -> None:
        environment = ENVIRONMENTS[draw % 2]
        self._control.set_delays(environment, CLUSTER, state_delay=DELAYS, create_delay=DELAYS)
        time.sleep(DELAYED)
        self._control.set_delays(environment, CLUSTER, state_delay=0.05, create_delay=0.0)
