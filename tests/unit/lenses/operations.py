"""Every operation of the client: how it is asked for, what goes over the wire, and a good answer to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from harness.wanted import always
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.models import ConnectorRequest

REQUEST = ConnectorRequest(name="orders", cluster="prod", configuration={"password": "hunter2", "umlaut": "ä"})
PREFIX = "/api/v1/environments/env/proxy/api/kafka-connect"
ONE = f"{PREFIX}/clusters/prod/connectors/orders"
ITEM = {"name": "orders", "cluster": "prod", "lrn": "l"}
OFFSETS = '[{"partition":{"a": 1.0},"offset":null}]'

Use = Callable[[LensesClient], Awaitable[Any]]

OPERATIONS: dict[str, tuple[Use, str, str, Any]] = {
    "list_connectors": (lambda c: c.list_connectors("env"), "GET", f"{PREFIX}/connectors", {"data": [ITEM]}),
    "create_connector": (
        lambda c: c.create_connector("env", REQUEST, precondition=always),
        "POST",
        f"{PREFIX}/connectors",
        {},
    ),
    "get_connector": (lambda c: c.get_connector("env", "prod", "orders"), "GET", ONE, ITEM),
    "delete_connector": (lambda c: c.delete_connector("env", "prod", "orders", precondition=always), "DELETE", ONE, {}),
    "list_plugins": (lambda c: c.list_plugins("env"), "GET", f"{PREFIX}/plugins", {"data": []}),
    "set_state": (
        lambda c: c.set_state("env", "prod", "orders", "pause", precondition=always),
        "PUT",
        f"{ONE}/pause",
        {},
    ),
    "restart_task": (
        lambda c: c.restart_task("env", "prod", "orders", 3, precondition=always),
        "PUT",
        f"{ONE}/tasks/3/restart",
        {},
    ),
    "validate": (lambda c: c.validate("env", REQUEST), "POST", f"{PREFIX}/validate", {"class": "X"}),
    "get_topics": (lambda c: c.get_topics("env", "prod", "orders"), "GET", f"{ONE}/topics", ["t"]),
    "get_cluster_info": (
        lambda c: c.get_cluster_info("env", "prod"),
        "GET",
        f"{PREFIX}/clusters/prod/info",
        {"name": "prod", "version": "4.3.1"},
    ),
    "get_offsets": (lambda c: c.get_offsets("env", "prod", "orders"), "GET", f"{ONE}/offsets", {"offsets": []}),
    "alter_offsets": (
        lambda c: c.alter_offsets("env", "prod", "orders", OFFSETS, precondition=always),
        "PATCH",
        f"{ONE}/offsets",
        {"message": "done"},
    ),
    "reset_offsets": (
        lambda c: c.reset_offsets("env", "prod", "orders", precondition=always),
        "DELETE",
        f"{ONE}/offsets",
        {"message": "done"},
    ),
    "get_resource": (
        lambda c: c.get_resource("env", "prod", "orders"),
        "GET",
        "/api/v1/environments/env/proxy/api/v1/resource/kafka/connect/prod/connector/orders",
        "kind: KafkaConnector\n",
    ),
    "put_resource": (
        lambda c: c.put_resource("env", "kind: KafkaConnector\n", precondition=always),
        "PUT",
        "/api/v1/environments/env/proxy/api/v1/resource",
        {},
    ),
}
