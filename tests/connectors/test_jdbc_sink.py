"""A database sink: rows from Debezium into another table, and again after a rewind."""

from __future__ import annotations

from collections.abc import Callable

from connectors.offsets import Offsets
from connectors.rows import NOTES, Database
from connectors.table import TRIED
from connectors.test_debezium import CLASS, FROM_SECRET, PASSWORDS
from e2e.conftest import SLOW, Stage
from harness.waiting import wait_until

SINK = "io.debezium.connector.jdbc.JdbcSinkConnector"
PLUGIN = "Debezium JDBC sink 3.5.0"


def test_rows_are_written_again_after_a_rewind(
    stage: Stage, database: Database, offsets: Offsets, secret: Callable[..., None]
) -> None:
    place = stage.place
    secret(password=PASSWORDS[0])
    with_schemas = database.source(**{"value.converter.schemas.enable": True})
    place.apply(stage.source, class_name=CLASS, config=with_schemas, configFrom=FROM_SECRET)
    place.wait_running(stage.source, SLOW)
    config = {
        "topics": database.topic,
        "connection.url": f"jdbc:postgresql://127.0.0.1:{database.server.port}/{database.name}",
        "connection.username": database.user,
        "collection.name.format": "copies",
        "insert.mode": "insert",
        "primary.key.mode": "none",
        "schema.evolution": "basic",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": True,
    }
    password = [{"key": "connection.password", "secretKeyRef": {"name": "database", "key": "password"}}]
    place.apply(stage.sink, class_name=SINK, config=config, configFrom=password)
    place.wait_running(stage.sink, SLOW)

    def copies() -> list[str]:
        if database.sql("select to_regclass('copies')") == "":
            return []
        return database.sql("select note from copies order by note").splitlines()

    wait_until("the rows in the other table", lambda: copies() == sorted(NOTES), SLOW)
    TRIED.saw(PLUGIN, "rows into another table, the table made by it")
    entry = {"partition": {"kafka_topic": database.topic, "kafka_partition": 0}, "offset": {"kafka_offset": 1}}
    wait_until("offsets to be committed", lambda: offsets.of_connect(stage.sink), SLOW)
    offsets.applied("rewind", stage.sink, action="Alter", offsets=[entry])
    wait_until("two rows again", lambda: copies() == sorted((*NOTES, *NOTES[1:])), SLOW)
    TRIED.saw(PLUGIN, "`Alter` to an earlier offset: the rows again")
