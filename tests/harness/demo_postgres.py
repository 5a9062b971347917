"""`make demo WITH=postgres`: rows of a PostgreSQL come out of Kafka, and once more when the offsets are reset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from harness.kafka import KafkaAdmin
from harness.postgres import PASSWORD, Postgres

NAME, OPERATION, SECRET, TOPIC = "demo-postgres", "demo-snapshot-again", "demo-database", "demo.public.orders"
ROWS = ("apples", "pears")
CLASS = "io.debezium.connector.postgresql.PostgresConnector"
GROUP = "connect.lenses.io/v1alpha1"


class Stage(Protocol):
    """What the demo lends: kubectl and psql are shown as one would type them."""

    namespace: str

    def show(self, *arguments: str) -> str: ...
    def apply(self, manifest: Path) -> None: ...
    def heading(self, text: str) -> None: ...
    def say(self, text: str) -> None: ...


class PostgresScene:
    """`directory`: for the manifests, which one may want to look at."""

    def __init__(self, stage: Stage, server: Postgres, kafka: KafkaAdmin, directory: Path) -> None:
        self._stage, self._server, self._kafka, self._directory = stage, server, kafka, directory

    def play(self) -> None:
        stage, ready = self._stage, ("wait", "-n", self._stage.namespace, "--for=condition=Ready", "--timeout=120s")
        stage.heading("A database: Debezium on a PostgreSQL, its password from a Secret")
        self._psql("create table orders (id serial primary key, fruit text not null)")
        self._insert(*ROWS)
        self._apply("secret", _secret())
        self._apply("connector", _connector(self._server.port))
        stage.show(*ready, f"lensesconnector/{NAME}")
        self._expect("The snapshot: the rows that were there", *ROWS)

        stage.heading("A row that is written with psql comes out of Kafka")
        self._insert("plums")
        self._expect("The new row", *ROWS, "plums")

        stage.heading("Its offsets are reset: Debezium takes its snapshot again")
        self._apply("offsets", _operation())
        stage.show(*ready, f"lensesconnectoroffsets/{OPERATION}")
        stage.show("get", "lensesconnectoroffsets", OPERATION, "-n", stage.namespace)
        self._expect("Every row once more", *ROWS, "plums", *ROWS, "plums")

    def _apply(self, name: str, manifest: dict[str, Any]) -> None:
        path = self._directory / f"postgres-{name}.json"
        path.write_text(json.dumps(manifest, indent=2) + "\n")
        self._stage.apply(path)

    def _insert(self, *fruits: str) -> None:
        values = ", ".join(f"('{fruit}')" for fruit in fruits)
        self._psql(f"insert into orders (fruit) values {values}")

    def _psql(self, sql: str) -> None:
        self._stage.say(f'$ psql -h 127.0.0.1 -p {self._server.port} -U admin -d postgres -c "{sql}"')
        self._server.psql(sql)

    def _expect(self, title: str, *fruits: str) -> None:
        found = [json.loads(record.value or "{}") for record in self._kafka.read(TOPIC, len(fruits), 60.0)]
        self._stage.say(f"{title}, from the topic {TOPIC}:")
        for row in found:
            self._stage.say(f"  {json.dumps(row)}")
        if [row.get("fruit") for row in found] != list(fruits):
            raise RuntimeError(f"{', '.join(fruits)} were due in the topic {TOPIC}")


def _secret() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "stringData": {"password": PASSWORD}}


def _connector(port: int) -> dict[str, Any]:
    config = {
        "database.hostname": "127.0.0.1",
        "database.port": port,
        "database.user": "admin",
        "database.dbname": "postgres",
        "topic.prefix": "demo",
        "table.include.list": "public.orders",
        "plugin.name": "pgoutput",
        "publication.autocreate.mode": "filtered",
        "transforms": "row",
        "transforms.row.type": "io.debezium.transforms.ExtractNewRecordState",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": False,
    }
    password = {"key": "database.password", "secretKeyRef": {"name": SECRET, "key": "password"}}
    spec = {"environment": "demo", "cluster": "connect", "class": CLASS, "config": config, "configFrom": [password]}
    return {"apiVersion": GROUP, "kind": "LensesConnector", "metadata": {"name": NAME}, "spec": spec}


def _operation() -> dict[str, Any]:
    spec = {"connectorRef": {"name": NAME}, "action": "Reset"}
    return {"apiVersion": GROUP, "kind": "LensesConnectorOffsets", "metadata": {"name": OPERATION}, "spec": spec}
