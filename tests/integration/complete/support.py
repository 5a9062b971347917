"""What the tests of this folder have in common: Secrets and ConfigMaps, and words about what an operator did."""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.kube import Object
from harness.lenses.control import Json
from harness.operator_fixtures import SPEC, Place
from harness.waiting import wait_until

CONFIG: Mapping[str, Any] = SPEC["config"]
S3 = "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector"
S3_CONFIG: Mapping[str, Any] = {"topics": "lines", "connect.s3.kcql": "insert into lake select * from lines"}
"""A sink that makes as many tasks as it may."""
WATCH = {"connect.lenses.io/watch": "true"}
TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n"
    "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.execute(WorkerSinkTask.java:250)\n"
    "Caused by: java.net.UnknownHostException: db.example.org: Name or service not known\n"
    "\t... 12 more\n"
)


def secret(
    place: Place, name: str, data: Mapping[str, str | bytes], *, watched: bool = False, **metadata: Any
) -> Object:
    """Put there, or changed to this data."""
    return _put(
        place, "Secret", name, {"data": {key: encoded(value) for key, value in data.items()}}, watched, metadata
    )


def config_map(
    place: Place, name: str, data: Mapping[str, str | bytes], *, watched: bool = False, **metadata: Any
) -> Object:
    """Put there, or changed to this data; bytes go to binaryData."""
    body = {
        "data": {key: value for key, value in data.items() if isinstance(value, str)},
        "binaryData": {key: encoded(value) for key, value in data.items() if isinstance(value, bytes)},
    }
    return _put(place, "ConfigMap", name, body, watched, metadata)


def _put(place: Place, kind: str, name: str, body: Object, watched: bool, metadata: Mapping[str, Any]) -> Object:
    labels = WATCH if watched else {}
    head = {"name": name, "namespace": place.namespace, "labels": labels, **metadata}
    return place.kube.apply({"apiVersion": "v1", "kind": kind, "metadata": head, **body})


def encoded(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def annotate(place: Place, name: str = "orders", /, **annotations: str | None) -> None:
    """`restart="1"` sets connect.lenses.io/restart; None takes it away."""
    changes = {f"connect.lenses.io/{key}": value for key, value in annotations.items()}
    place.kube.patch("lc", place.namespace, name, {"metadata": {"annotations": changes}})


def wait_checks_of(place: Place, names: Iterable[str], count: int = 2) -> None:
    """Further drift checks of each, waited for side by side."""
    mark = place.mark()
    for name in names:
        place.wait_request("GetConnector", name, since=mark, count=count)


def look_again(place: Place, name: str = "orders", times: int = 3) -> None:
    """Drift checks for one that makes none by itself, because it is refused."""
    for number in range(times):
        value = f"again-{number}-{place.mark()}"
        annotate(place, name, reconcile=value)
        place.wait(name, functools.partial(_has_looked, value))


def _has_looked(value: str, found: Object) -> bool:
    return bool(found["status"].get("lastHandledReconcile") == value)


def wait_younger(place: Place, name: str) -> None:
    """What is made from now on is younger than this one by Kubernetes' own measure, whole seconds."""
    made = datetime.fromisoformat(place.wait(name)["metadata"]["creationTimestamp"])
    wait_until("the next second", lambda: datetime.now(UTC) >= made + timedelta(seconds=1), 5)


def sent(place: Place, name: str = "orders") -> dict[str, str]:
    """The configuration of the last create, as it came over the wire."""
    body: Json = place.requests("CreateConnector", connector=name)[-1]["body"]
    configuration: dict[str, str] = body["configuration"]
    return configuration


def creates(place: Place, name: str = "orders") -> int:
    return place.writes(name).count("CreateConnector")


def wait_creates(place: Place, count: int, name: str = "orders") -> None:
    wait_until(f"{count} creates of {name}", lambda: creates(place, name) >= count, 30)


def by_token(place: Place, since: int = 0) -> dict[str | None, set[str]]:
    """The operations asked for with each token."""
    found: dict[str | None, set[str]] = {}
    for request in place.requests(since=since):
        found.setdefault(request["token"], set()).add(request["operation"])
    return found
