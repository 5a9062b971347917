"""What a page takes for granted, by the word in its `given:` comment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.kube import Object
from integration.docs.stage import Stage

S3 = "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector"
S3_CONFIG = {"topics": "orders", "connect.s3.kcql": "insert into lake select * from orders"}
DEBEZIUM = "io.debezium.connector.postgresql.PostgresConnector"
DEBEZIUM_CONFIG = {"database.hostname": "db.example.com", "topic.prefix": "shop"}
FLUX = "kustomize-controller"
TEAM_TOKEN = "team-token-of-payments"


def connector(name: str, class_name: str, config: Mapping[str, Any], **spec: Any) -> Object:
    wanted = {"environment": "prod", "cluster": "connect-eu", "class": class_name, "config": dict(config), **spec}
    return {
        "apiVersion": "connect.lenses.io/v1alpha1",
        "kind": "LensesConnector",
        "metadata": {"name": name},
        "spec": wanted,
    }


def _applied(stage: Stage, manifest: Object, offsets: str) -> None:
    stage.apply(manifest)
    stage.wait_reason(manifest, "Running")
    spec = manifest["spec"]
    stage.control.set_offsets(spec["environment"], spec["cluster"], manifest["metadata"]["name"], offsets)


def _orders_s3(stage: Stage) -> None:
    entries = ", ".join(
        f'{{"partition": {{"kafka_topic": "orders", "kafka_partition": {number}}}, "offset": {{"kafka_offset": 4711}}}}'
        for number in range(12)
    )
    _applied(stage, connector("orders-s3", S3, S3_CONFIG), f"[{entries}]")


def _shop_postgres(stage: Stage) -> None:
    offsets = '[{"partition": {"server": "shop"}, "offset": {"lsn": 40117552016, "txId": 912345}}]'
    _applied(stage, connector("shop-postgres", DEBEZIUM, DEBEZIUM_CONFIG), offsets)


def _orders(stage: Stage) -> None:
    manifest = connector("orders", S3, S3_CONFIG)
    stage.apply(manifest)
    stage.wait_reason(manifest, "Running")


def _legacy(stage: Stage) -> None:
    """Made by somebody else, in Lenses or with Connect's own API."""
    config = {"connector.class": S3, "tasks.max": "2", **S3_CONFIG, "flush.size": "1000"}
    stage.control.set_connector("prod", "connect-eu", "orders-s3", config=config)


def _failed_task(stage: Stage) -> None:
    """Of `orders`: it fails until somebody restarts it."""
    trace = (
        "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n"
        "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:618)\n"
        "Caused by: software.amazon.awssdk.services.s3.model.S3Exception: Access Denied (Service: S3, Status Code: 403)"
    )
    stage.control.set_connector("prod", "connect-eu", "orders", tasks=[{"id": 0, "state": "FAILED", "trace": trace}])
    stage.wait_reason(connector("orders", S3, S3_CONFIG), "TaskFailed")


def _of_flux(stage: Stage) -> None:
    """`shop-postgres` comes from Git."""
    labels = {"kustomize.toolkit.fluxcd.io/name": "connectors", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    found = connector("shop-postgres", DEBEZIUM, DEBEZIUM_CONFIG, state="running")
    stage.kube.apply({**found, "metadata": {**found["metadata"], "labels": labels}}, "payments", field_manager=FLUX)


def _drift(stage: Stage) -> None:
    """Somebody changed `orders` in Lenses while the operator leaves it alone."""
    stage.apply(connector("orders", S3, S3_CONFIG, suspend=True))
    stage.wait_reason(connector("orders", S3, S3_CONFIG), "Suspended")
    stage.control.set_connector("prod", "connect-eu", "orders", config_changes={"flush.size": "10"})


def _two_legacy(stage: Stage) -> None:
    """Made by somebody else."""
    config = {"connector.class": S3, "tasks.max": "2", **S3_CONFIG}
    stage.control.set_connector("prod", "connect-eu", "clicks-s3", config={**config, "topics": "clicks"})
    stage.control.set_connector("prod", "connect-eu", "orders-s3", config={**config, "connect.s3.aws.secret.key": "x"})


def _team_token(stage: Stage) -> None:
    (stage.directory / "team-token").write_text(f"{TEAM_TOKEN}\n")
    stage.control.add_token(TEAM_TOKEN, name="payments", environments=["prod"])


def _keys(stage: Stage) -> None:
    (stage.directory / "secret-key").write_text("one-value")


GIVEN: Mapping[str, Callable[[Stage], None]] = {
    "orders": _orders,
    "orders-s3": _orders_s3,
    "shop-postgres": _shop_postgres,
    "a connector of somebody else": _legacy,
    "keys": _keys,
    "a team's token": _team_token,
    "a failed task": _failed_task,
    "shop-postgres from Git": _of_flux,
    "drift": _drift,
    "connectors of somebody else": _two_legacy,
}
PART = connector("part", S3, S3_CONFIG)
"""What a block that is a part of a LensesConnector is put into."""
