"""What `status` shows: grouped, a line for each, why one fails, within the terminal's width."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lenses_operator.commands.readiness import NOT_SEEN, NOT_SEEN_AGAIN, age, readiness
from lenses_operator.commands.status.overview import Operation, Overview, Row, overview
from lenses_operator.commands.status.text import brief, brief_operation, lines, summary
from unit.commands.shown import AT, condition, connector, failing, operation
from unit.resources.make import NOW, resource


def shown(found: Overview, width: int | None = 80, **options: Any) -> list[str]:
    return [line.text for line in lines(found, NOW, width, **options)]


def test_a_line_for_each_below_its_cluster() -> None:
    found = overview(
        [connector("b"), connector("a", cluster="connect-us"), connector("a2"), connector("c", environment="demo")], []
    )
    text = shown(found)
    assert [line for line in text if " / " in line] == [
        "demo / connect-eu",
        "prod / connect-eu",
        "prod / connect-us",
    ]
    assert text[text.index("prod / connect-eu") + 2 :][:2] == [
        "  a2    RUNNING  1/1    Running  3m20s",
        "  b     RUNNING  1/1    Running  3m20s",
    ]
    assert text[-1] == "4 connectors: 4 ready"
    assert found.all_ready


def test_each_failed_task_with_its_worker_and_the_root_cause() -> None:
    text = shown(overview([failing()], []), None)
    assert text[2:5] == [
        "! orders  RUNNING  1/3    TaskFailed  3m20s",
        "      task 0 on 10.0.0.5:8083: java.net.ConnectException: connection to db.example.com refused",
        "      task 2 on 10.0.0.6:8083: the same",
    ]


def test_what_fails_without_a_task_says_why() -> None:
    found = overview([connector(ready=condition("False", "ConfigInvalid", "topics: must be set."))], [])
    assert "      topics: must be set." in shown(found)
    assert not found.all_ready


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("namespaces", [True, False])
def test_it_fits_the_terminal(width: int, namespaces: bool) -> None:
    """Names are whole all the same, on lines of their own."""
    long = "orders-" + "very-long-name-" * 12 + "x"
    many = [failing(), failing(long), connector("short", cluster="c" * 20)]
    text = shown(overview(many, [operation("o" * 60)]), width, namespaces=namespaces)
    assert max(map(len, text)) <= max(width, 52)  # the other columns take their room
    assert long in "".join(line.strip("! ~") for line in text)


def test_offsets_operations_stand_below_their_connector() -> None:
    under_way = operation(
        "rewind",
        status={"phase": "Stopping", "appliedGeneration": None, "conditions": [condition("Unknown", "Stopping")]},
    )
    old = [operation(f"done-{number}", age=number) for number in range(3)]
    found = overview([connector()], [under_way, *old])
    assert [line.strip() for line in shown(found, None)[3:6]] == [
        "offsets rewind: Alter Stopping 3m20s: As asked.",
        "offsets done-2: Alter Applied 3m20s",
        "offsets: 2 earlier, done",
    ]
    assert summary(found) == "1 connector: 1 ready; 1 offsets operation under way"


def test_an_operation_without_a_connector_is_not_lost() -> None:
    found = overview([], [operation(connectorRef={"name": "nobody"})])
    assert shown(found, None)[0].strip() == "payments/back: Alter Applied 3m20s: no such connector here"


def test_only_what_fails_but_the_counts_of_all() -> None:
    text = shown(overview([connector("well"), failing("ill")], []), failing=True)
    assert not any("well" in line for line in text)
    assert text[-1] == "2 connectors: 1 ready, 1 failing"


def test_what_is_not_known_yet_is_not_ready() -> None:
    fresh = resource("fresh")
    edited = connector("edited", generation=2)
    assert readiness(fresh).message == NOT_SEEN
    assert readiness(edited).message == NOT_SEEN_AGAIN
    suspended = connector("s", ready=condition("Unknown", "Suspended", "spec.suspend is true."))
    found = overview([fresh, edited, suspended], [])
    assert summary(found) == "3 connectors: 2 under way or unknown, 1 suspended"
    assert not found.all_ready


def test_a_stream_has_one_line_for_each_change() -> None:
    row = Row.of(failing())
    assert brief(row) == (
        "payments/orders RUNNING 1/3 TaskFailed: java.net.ConnectException: connection to db.example.com refused"
    )
    assert brief(Row.of(connector())) == "payments/orders RUNNING 1/1 Running"
    assert brief_operation(Operation.of(operation())) == "payments/orders offsets back: Alter Applied"
    refused = {"phase": "Failed", "conditions": [condition("False", "OffsetsRejected", "No.\nNever.")]}
    failed = Operation.of(operation(status=refused))
    assert brief_operation(failed) == "payments/orders offsets back: Alter Failed: No.\\nNever."


def test_words_from_elsewhere_do_not_steer_the_terminal() -> None:
    found = overview([connector(ready=condition("False", "ConfigInvalid", "a\x1b[2Jb\nc\rd"))], [])
    assert not [line for line in shown(found) if not line.isprintable()]


def test_the_document_has_the_same() -> None:
    data = overview([failing()], [operation()]).data()
    [found] = data["connectors"]
    assert (found["ready"], found["reason"], found["tasks"], found["changed"]) == ("False", "TaskFailed", "1/3", AT)
    assert [task["id"] for task in found["failedTasks"]] == [0, 2]
    assert found["offsets"][0]["name"] == "back"
    assert data["summary"]["failing"] == 1


def test_the_document_of_what_fails_has_the_counts_of_all_as_the_table_has() -> None:
    data = overview([failing("ill"), connector("well")], [operation(connectorRef={"name": "gone"})]).data(failing=True)
    assert ([one["name"] for one in data["connectors"]], data["otherOffsets"]) == (["ill"], [])
    assert (data["summary"]["connectors"], data["summary"]["ready"], data["summary"]["failing"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((-5, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (600, "10m"), (3 * 3600, "3h"), (10861, "3h1m")),
        *((47 * 3600, "47h"), (48 * 3600, "2d"), (51 * 3600, "2d3h"), (300 * 86400, "300d"), (800 * 86400, "2y")),
    ],
)
def test_ages_as_kubectl_shows_them(seconds: int, text: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == text
