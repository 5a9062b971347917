"""Debezium's PostgreSQL connector on a real PostgreSQL: one life, and what only a database can do to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from connectors.conftest import lines
from connectors.offsets import Offsets
from connectors.rows import NOTES, Database
from connectors.table import TRIED
from e2e.conftest import SLOW, STRING, Stage
from harness.operator_fixtures import conditions, message, reason
from harness.postgres import Postgres
from harness.waiting import wait_until

CLASS = "io.debezium.connector.postgresql.PostgresConnector"
PASSWORDS = ("first-password", "second-password")
FROM_SECRET = [{"key": "database.password", "secretKeyRef": {"name": "database", "key": "password"}}]
PLUGIN = "Debezium PostgreSQL 3.6.1"


class Shop:
    """A Debezium source of the table's rows, and a sink that writes each row it sends into a file."""

    def __init__(self, stage: Stage, database: Database) -> None:
        self.stage, self.database = stage, database
        self.name = stage.source

    def config(self, **more: Any) -> dict[str, Any]:
        return self.database.source(**more)

    def apply(self, config: dict[str, Any] | None = None, **spec: Any) -> None:
        wanted = self.config(**(config or {}))
        self.stage.place.apply(self.name, class_name=CLASS, config=wanted, configFrom=FROM_SECRET, **spec)

    def wait_running(self) -> None:
        self.stage.place.wait_running(self.name, SLOW)

    def sink(self) -> None:
        config = {"file": str(self.file), "topics": self.database.topic, "value.converter": STRING}
        self.stage.place.apply(self.stage.sink, class_name="FileStreamSink", config=config)
        self.stage.place.wait_running(self.stage.sink, SLOW)

    @property
    def file(self) -> Path:
        return self.stage.files / "rows.txt"

    def notes(self) -> list[str]:
        """Of every row that came out so far."""
        return [row["note"] for row in lines(self.file)]

    def wait_notes(self, *wanted: str) -> None:
        """Each of them as often as it is named, and nothing else."""
        with suppress(TimeoutError):
            wait_until("the rows in the sink's file", lambda: len(self.notes()) >= len(wanted), SLOW)
        assert Counter(self.notes()) == Counter(wanted)


@pytest.fixture
def shop(stage: Stage, database: Database, secret: Callable[..., None]) -> Shop:
    """It runs, and the first snapshot has come out."""
    secret(password=PASSWORDS[0])
    made = Shop(stage, database)
    made.apply()
    made.wait_running()
    made.sink()
    made.wait_notes(*NOTES)
    return made


def test_a_life(shop: Shop, offsets: Offsets, secret: Callable[..., None], lenses_log: Callable[[], str]) -> None:
    stage, place, database, name = shop.stage, shop.stage.place, shop.database, shop.name
    known = list(NOTES)
    TRIED.saw(PLUGIN, "password from a Secret", "`ExtractNewRecordState` and `RegexRouter`")

    # A new configuration while rows are inserted: each comes out once.
    shop.apply({"max.batch.size": 1024})
    for number in range(20):
        database.insert(f"meanwhile {number}")
    known += [f"meanwhile {number}" for number in range(20)]
    place.wait_event("ConfigUpdated", name, about="max.batch.size", timeout=SLOW)
    shop.wait_running()
    shop.wait_notes(*known)
    TRIED.saw(PLUGIN, "`Recreate` under inserts, each row once")

    # The password is another one: in the database, then in the Secret.
    database.rotate(PASSWORDS[1])
    secret(password=PASSWORDS[1])
    place.wait_event("ConfigUpdated", name, about="database.password", timeout=SLOW)
    shop.wait_running()
    assert (stage.config(name) or {})["database.password"] == PASSWORDS[1]
    database.insert("rotated")
    shop.wait_notes(*known, "rotated")
    known.append("rotated")
    TRIED.saw(PLUGIN, "rotation")

    # Somebody changes it in Connect.
    config = stage.config(name)
    stage.rest("PUT", name, "/config", {**(config or {}), "max.batch.size": "4096"}).raise_for_status()
    place.wait_event("DriftRepaired", name, about="max.batch.size", timeout=SLOW)
    wait_until("the configuration to be back", lambda: stage.config(name) == config, SLOW)
    shop.wait_running()
    TRIED.saw(PLUGIN, "drift")

    # Its offsets: seen, forgotten, put back.
    assert offsets.observed(name)[0]["partition"] == {"server": database.name}
    before = offsets.applied("reset", name, action="Reset")["status"]["before"]
    rows = [*known]
    known += rows
    shop.wait_notes(*known)
    TRIED.saw(PLUGIN, "`Observe`", "`Reset`: a new snapshot, every row again")
    offsets.applied("restore", name, action="Alter", offsetsJson=before)
    database.insert("restored")
    known.append("restored")
    shop.wait_notes(*known)
    TRIED.saw(PLUGIN, "`Alter` to an earlier LSN: nothing again")

    # Gone with its offsets; the slot and the publication stay, and the next of its name takes a snapshot.
    place.kube.patch("lc", place.namespace, name, {"spec": {"deletionPolicy": "DeleteWithOffsets"}})
    place.delete(name)
    place.wait_gone(name, SLOW)
    assert database.sql(f"select slot_name from pg_replication_slots where slot_name = '{database.name}'")
    assert database.sql(f"select pubname from pg_publication where pubname = '{database.name}'")
    shop.apply()
    shop.wait_running()
    known += [*rows, "restored"]
    shop.wait_notes(*known)
    TRIED.saw(PLUGIN, "`DeleteWithOffsets`: the next one takes a snapshot")
    assert not any(password in text for password in PASSWORDS for text in (lenses_log(), place_text(shop)))


def place_text(shop: Shop) -> str:
    """All that Kubernetes shows of it, but for the Secret."""
    place = shop.stage.place
    return json.dumps([place.get(shop.name), place.events(shop.name), place.kube.list("lco", place.namespace)])


def test_the_slot_is_dropped(shop: Shop) -> None:
    """The task fails; the restart that is made by itself goes on, with another slot."""
    database, place = shop.database, shop.stage.place
    # Else Debezium goes on trying for ever while Connect says that its task is RUNNING.
    shop.apply({"errors.max.retries": 0, "snapshot.mode": "when_needed"}, autoRestart={"enabled": True})
    place.wait_event("ConfigUpdated", shop.name, about="errors.max.retries", timeout=SLOW)
    shop.wait_running()
    database.insert("before")
    shop.wait_notes(*NOTES, "before")
    slot = f"from pg_replication_slots where slot_name = '{database.name}'"
    database.sql(
        f"select pg_terminate_backend(active_pid, 10000) {slot}; select pg_drop_replication_slot(slot_name) {slot}"
    )
    place.wait_event("TaskRestarted", shop.name, timeout=SLOW)
    shop.wait_running()
    database.insert("after")
    wait_until("the row in the sink's file", lambda: "after" in shop.notes(), SLOW)
    TRIED.saw(PLUGIN, "slot dropped: `autoRestart` goes on with another one")


@pytest.fixture
def outage(postgres: Postgres) -> Iterator[Callable[[], None]]:
    """Ends the database. It is there for the next test in any case."""
    yield postgres.kill
    if not postgres.process.alive:
        postgres.restart()


def test_the_database_is_away_at_first(
    stage: Stage,
    database: Database,
    secret: Callable[..., None],
    outage: Callable[[], None],
) -> None:
    secret(password=PASSWORDS[0])
    outage()
    shop = Shop(stage, database)
    shop.apply()
    found = stage.place.wait_reason("ConfigInvalid", shop.name, SLOW)
    assert "Reconciling" in conditions(found)
    assert "may be temporary" in message(found)
    database.server.restart()
    shop.wait_running()
    TRIED.saw(PLUGIN, "database away at creation: waited for")


def test_the_database_goes_away_between_our_delete_and_create(shop: Shop, outage: Callable[[], None]) -> None:
    place, control = shop.stage.place, shop.stage.place.control
    point = control.add_breakpoint(place.environment, "CreateConnector")
    shop.apply({"max.batch.size": 1024})
    control.wait_breakpoint(point, timeout=SLOW)
    outage()
    control.release_breakpoint(point)
    gone = place.wait(shop.name, lambda found: "The connector does not exist" in message(found), SLOW)
    assert "state" not in gone["status"]
    assert "Nothing was changed" not in message(gone)
    shop.database.server.restart()
    place.wait_event("ConfigUpdated", shop.name, about="max.batch.size", timeout=SLOW)
    shop.wait_running()
    assert (shop.stage.config(shop.name) or {})["max.batch.size"] == "1024"
    assert "RolledBack" not in [why for why, _ in place.events(shop.name)]
    shop.database.insert("after")
    wait_until("the row in the sink's file", lambda: "after" in shop.notes(), SLOW)
    TRIED.saw(PLUGIN, "database away between delete and create: the wanted configuration once it is back")


def test_one_made_by_hand_is_adopted(stage: Stage, database: Database, secret: Callable[..., None]) -> None:
    """With no write, though the password comes from a Secret that Connect shows as it is."""
    secret(password=PASSWORDS[0])
    shop = Shop(stage, database)
    wanted = {key: json.dumps(value) if isinstance(value, bool) else str(value) for key, value in shop.config().items()}
    by_hand = {"connector.class": CLASS, **wanted, "database.password": PASSWORDS[0]}
    stage.rest("PUT", shop.name, "/config", by_hand).raise_for_status()
    stage.wait_states(shop.name, "RUNNING", "RUNNING")
    shop.apply()
    stage.place.wait_event("Adopted", shop.name, timeout=SLOW)
    shop.wait_running()
    assert stage.place.writes(shop.name) == []
    TRIED.saw(PLUGIN, "adoption of one made by hand, with no write")
    assert reason(stage.place.wait(shop.name)) == "Running"
