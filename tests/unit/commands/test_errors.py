"""What `errors` shows, and when traces of Lenses are not shown."""

from __future__ import annotations

from typing import Any

import pytest

from lenses_operator.commands.errors.report import NoSuchTaskError, report, withheld
from lenses_operator.resources.connector import AppliedConfig, LensesConnector, SecretVersion
from unit.commands.shown import TRACE, condition, connector, failing
from unit.resources.make import owned

S3 = SecretVersion(name="s3", key="secret", resource_version="7")


def applied(**changes: Any) -> LensesConnector:
    found = {"hash": "h", "secrets": (S3,), **changes}
    base = owned()
    return base.model_copy(
        update={"status": base.status.model_copy(update={"applied_config": AppliedConfig.model_validate(found)})}
    )


def test_the_trace_as_status_has_it() -> None:
    text = "\n".join(report(failing(), {}, None))
    assert "TaskFailed: Task 0 failed." in text
    assert "task 0 on 10.0.0.5:8083 (as status has it):" in text
    assert all(line.strip() in text for line in TRACE.splitlines())
    assert "task 1 on" not in text


def test_the_whole_trace_comes_before_that_of_status() -> None:
    [_, head] = report(failing(), {2: "all of it\n\tat x"}, 2)
    assert head == "task 2 on 10.0.0.6:8083:\n  all of it\n  \tat x"


def test_a_task_that_is_well_or_not_there() -> None:
    assert [*report(failing(), {}, 1)][-1] == "task 1 is RUNNING: it has no error"
    with pytest.raises(NoSuchTaskError, match=r"no task 7; its tasks: 0, 1, 2"):
        list(report(failing(), {}, 7))


def test_nothing_has_failed() -> None:
    assert [*report(connector(), {}, None)][-1] == "nothing has failed"
    words = [*report(connector(ready=condition("False", "ConfigInvalid", "topics: must be set.")), {}, None)]
    assert words[-1] == "ConfigInvalid: topics: must be set."


@pytest.mark.parametrize(
    "changes",
    [{"former_traces": True}, {"hash": ""}, {"secrets": (S3.model_copy(update={"resource_version": "6"}),)}],
)
def test_traces_that_may_quote_what_is_not_known_are_withheld(changes: dict[str, Any]) -> None:
    assert withheld(applied(**changes), {S3})


def test_traces_are_shown_where_every_value_is_known() -> None:
    assert withheld(applied(), {S3}) is None
    assert withheld(applied(secrets=()), set()) is None
    assert withheld(applied(), set())
    assert withheld(connector(), {S3}), "not its own connector"
