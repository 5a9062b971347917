"""A database of a test's own, with a table that Debezium reads and another that a sink may write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.postgres import Postgres

USER = "dbz"
NOTES = ("one", "two", "three")


@dataclass(frozen=True)
class Database:
    server: Postgres
    name: str

    @classmethod
    def create(cls, server: Postgres, name: str) -> Database:
        server.psql(f"create database {name}")
        made = cls(server, name)
        made.sql(f"create role {name}_{USER} with login replication superuser password 'first-password'")
        made.sql("create table orders (id serial primary key, note text not null)")
        made.insert(*NOTES)
        return made

    @property
    def user(self) -> str:
        return f"{self.name}_{USER}"

    def sql(self, statements: str) -> str:
        return self.server.psql(statements, self.name)

    def insert(self, *notes: str) -> None:
        self.sql("; ".join(f"insert into orders (note) values ('{note}')" for note in notes))

    def rotate(self, password: str) -> None:
        self.sql(f"alter role {self.user} password '{password}'")

    def source(self, **more: Any) -> dict[str, Any]:
        """Debezium's configuration but for the password: rows as plain JSON objects in the topic `<name>.rows`."""
        return {
            "database.hostname": "127.0.0.1",
            "database.port": self.server.port,
            "database.user": self.user,
            "database.dbname": self.name,
            "topic.prefix": self.name,
            "table.include.list": "public.orders",
            "plugin.name": "pgoutput",
            "slot.name": self.name,
            "publication.name": self.name,
            "publication.autocreate.mode": "filtered",
            "transforms": "unwrap,route",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.route.regex": ".*\\.public\\.orders",
            "transforms.route.replacement": f"{self.name}.rows",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": False,
            **more,
        }

    @property
    def topic(self) -> str:
        return f"{self.name}.rows"
