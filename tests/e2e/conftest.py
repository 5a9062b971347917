"""A stage: a namespace, an operator, and a real Kafka Connect cluster behind the Lenses server."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from harness import http
from harness.kafka import ConnectWorker
from harness.kube import Kube
from harness.kubectl import Kubectl
from harness.lenses.running import RunningLenses
from harness.operator_fixtures import SHARED, TIMEOUT, Place
from harness.operator_process import OperatorProcess
from harness.waiting import wait_until

STRING = "org.apache.kafka.connect.storage.StringConverter"
SLOW = 60.0
"""For what real tasks on a real worker do; a bound that says when to give up."""


@dataclass(frozen=True)
class Stage:
    """Two connectors of this test: from `source_file` through `topic` into `sink_file`."""

    place: Place
    kubectl: Kubectl
    worker: ConnectWorker
    files: Path
    source: str
    sink: str
    topic: str

    @property
    def source_file(self) -> Path:
        return self.files / "source.txt"

    @property
    def sink_file(self) -> Path:
        return self.files / "sink.txt"

    def apply_source(self, *, config: dict[str, Any] | None = None, **spec: Any) -> None:
        wanted = {"file": str(self.source_file), "topic": self.topic, "value.converter": STRING, **(config or {})}
        self._apply(self.source, {"config": wanted, **spec})

    def apply_sink(self, *, config: dict[str, Any] | None = None, **spec: Any) -> None:
        wanted = {"file": str(self.sink_file), "topics": self.topic, "value.converter": STRING, **(config or {})}
        self._apply(self.sink, {"class": "FileStreamSink", "config": wanted, **spec})

    def _apply(self, name: str, spec: dict[str, Any]) -> None:
        """As users do it; `connector_name` is the field `name`."""
        connector_name = spec.pop("connector_name", None)
        manifest = self.place.manifest(name, **spec)
        if connector_name is not None:
            manifest["spec"]["name"] = connector_name
        self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def wait_ready(self, *names: str) -> None:
        """With kubectl's own idea of it; the reason is that of the present generation."""
        objects = [f"lensesconnector/{name}" for name in names]
        bound = f"--timeout={SLOW:g}s"
        self.kubectl("wait", "-n", self.place.namespace, "--for=condition=Ready", bound, *objects, timeout=SLOW + 10)
        for name in names:
            self.place.wait_running(name, SLOW)

    def set_state(self, name: str, state: str) -> None:
        patch = json.dumps({"spec": {"state": state}})
        self.kubectl("patch", "lc", name, "-n", self.place.namespace, "--type=merge", "-p", patch)

    # records
    def write(self, numbers: range) -> str:
        """Appends these lines to the source's file and returns what the file then holds."""
        with self.source_file.open("a") as file:
            file.writelines(f"line {number}\n" for number in numbers)
        return self.source_file.read_text()

    def sunk(self) -> str:
        return self.sink_file.read_text() if self.sink_file.exists() else ""

    def wait_sunk(self, text: str) -> None:
        """All of it came out, nothing twice and nothing else."""
        with suppress(TimeoutError):
            wait_until("all of it in the sink's file", lambda: len(self.sunk()) >= len(text), SLOW)
        assert self.sunk().splitlines() == text.splitlines()

    # Kafka Connect itself, behind everybody's back
    def rest(self, method: str, name: str, rest: str = "", body: Any = None) -> httpx.Response:
        url = f"{self.worker.url}/connectors/{quote(name, safe='')}{rest}"
        return http.request(method, url, json=body, timeout=30)

    def config(self, name: str) -> dict[str, str] | None:
        """None where Connect has no such connector."""
        answer = self.rest("GET", name, "/config")
        if answer.status_code == 404:
            return None
        found: dict[str, str] = answer.raise_for_status().json()
        return found

    def states(self, name: str) -> tuple[str, list[str]]:
        """Of the connector and of its tasks; empty where Connect does not say."""
        answer = self.rest("GET", name, "/status")
        if answer.is_error:
            return "", []
        found = answer.json()
        return found["connector"]["state"], [task["state"] for task in found["tasks"]]

    def wait_states(self, name: str, state: str, *tasks: str) -> None:
        wanted = (state, list(tasks))
        wait_until(f"{name} to be {state} in Connect", lambda: self.states(name) == wanted, TIMEOUT)

    def wait_offset(self, name: str, position: int) -> None:
        """The source has committed that it read the file up to here."""

        def check() -> bool:
            offsets = self.rest("GET", name, "/offsets").raise_for_status().json()["offsets"]
            return [entry["offset"]["position"] for entry in offsets] == [position]

        wait_until(f"offset {position} of {name} in Connect", check, TIMEOUT)

    def wait_config(self, name: str, key: str, value: str | None) -> None:
        def check() -> bool:
            found = self.config(name)
            return found is not None and found.get(key) == value

        wait_until(f"{key} of {name} to be {value} in Connect", check, TIMEOUT)


def make_stage(kube: Kube, kubectl: Kubectl, lenses: RunningLenses, worker: ConnectWorker, files: Path) -> Stage:
    """With names nobody else has."""
    word = secrets.token_hex(4)
    environment = f"env-{word}"
    lenses.control.add_environment(environment, {"connect": {"backend": "connect", "url": worker.url}})
    place = Place(kube, lenses.control, kube.create_namespace(), environment, SHARED)
    return Stage(place, kubectl, worker, files, f"source-{word}", f"sink-{word}", f"topic-{word}")


@pytest.fixture
def stage(
    shared_operator: OperatorProcess,
    operator_kube: Kube,
    kubectl: Kubectl,
    lenses: RunningLenses,
    connect: ConnectWorker,
    tmp_path: Path,
) -> Iterator[Stage]:
    """On the Connect cluster that all tests share."""
    made = make_stage(operator_kube, kubectl, lenses, connect, tmp_path)
    yield made
    made.place.leave()
    for name in http.get(f"{connect.url}/connectors", timeout=30).json():
        if made.topic.removeprefix("topic-") in name:
            made.rest("DELETE", name)


@pytest.fixture
def flowing(stage: Stage) -> Stage:
    """Both connectors run, and the first hundred lines have come out."""
    stage.apply_source()
    stage.apply_sink()
    stage.wait_ready(stage.source, stage.sink)
    stage.wait_sunk(stage.write(range(100)))
    return stage
