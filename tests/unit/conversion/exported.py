"""A connector as Lenses shows it, exported."""

from __future__ import annotations

from typing import Any

from lenses_operator.conversion.exporting import Exported, exported
from lenses_operator.lenses.models import ConnectorDetails

CLASS = "io.debezium.connector.postgresql.PostgresConnector"
CONFIG = {"connector.class": CLASS, "name": "orders", "tasks.max": "1", "topic.prefix": "shop"}


def details(config: dict[str, str] | None = None, **fields: Any) -> ConnectorDetails:
    body = {"name": "orders", "cluster": "eu", "state": "RUNNING", "config": CONFIG if config is None else config}
    return ConnectorDetails.model_validate(body | fields)


def export(config: dict[str, str] | None = None, **fields: Any) -> Exported:
    return exported("prod", details(config, **fields), "orders")
