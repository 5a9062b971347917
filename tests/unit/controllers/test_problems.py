"""Each kind of error, as a condition says it."""

from __future__ import annotations

import inspect

import pytest

from lenses_operator.controllers.problems import problem_of
from lenses_operator.lenses import errors
from lenses_operator.resources.conditions import Phase
from unit.controllers.fakes import CONNECTOR
from unit.controllers.problems import TABLE, error


def test_the_table_knows_every_kind_of_error() -> None:
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.LensesError)}
    untold = {
        errors.LensesError,
        errors.LensesRefused,
        errors.PreconditionFailed,
    }  # no kinds; nothing wrong: a new pass begins
    assert kinds - untold == set(TABLE)


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_reason_status_and_phase(kind: type[errors.LensesError]) -> None:
    reason, (ready, phase) = TABLE[kind]
    found = problem_of(error(kind), CONNECTOR, str)
    assert (found.reason, found.ready, found.phase) == (reason, ready, phase)


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.__name__)
def test_the_servers_words_are_shown_redacted(kind: type[errors.LensesError]) -> None:
    found = problem_of(error(kind, "about planted"), CONNECTOR, lambda words: words.replace("planted", "<cut>"))
    assert "planted" not in found.message
    assert "about <cut>" in found.message
    assert found.message.endswith(".")
    assert ".." not in found.message


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (errors.EnvironmentNotFound, "'prod'"),
        (errors.ConnectorOrClusterNotFound, "cluster connect-eu"),
        (errors.AlreadyExists, str(CONNECTOR)),
        (errors.AgentNotConnected, "environment prod"),
        (errors.Forbidden, "cluster connect-eu"),
        (errors.ServerError, "environment prod, cluster connect-eu"),
    ],
)
def test_what_it_is_about_is_named(kind: type[errors.LensesError], named: str) -> None:
    assert named in problem_of(error(kind), CONNECTOR, str).message


@pytest.mark.parametrize("operation", ["get_cluster_info", "list_connectors", "list_plugins"])
def test_only_what_asks_for_the_cluster_is_told_that_there_is_none(operation: str) -> None:
    found = problem_of(errors.ConnectorOrClusterNotFound(operation, detail="Not found"), CONNECTOR, str)
    assert (found.reason, found.phase) == ("ClusterNotFound", Phase.STALLED)
    assert "'connect-eu' in environment prod" in found.message


@pytest.mark.parametrize("operation", ["get_cluster_info", "list_connectors"])
def test_a_cluster_that_has_shown_its_connectors_lately_is_not_unknown(operation: str) -> None:
    error = errors.ConnectorOrClusterNotFound(operation, detail="Not found")
    found = problem_of(error, CONNECTOR, str, listed=True)
    assert (found.reason, found.phase) == ("LensesUnavailable", Phase.RECONCILING)


@pytest.mark.parametrize(
    ("operation", "since"),
    [("set_state", "3.5"), ("get_offsets", "3.5"), ("alter_offsets", "3.6"), ("reset_offsets", "3.6")],
)
def test_what_connect_lacks_is_said_with_its_version(operation: str, since: str) -> None:
    error = errors.MissingAgentCapability(operation, status=404, detail="HTTP 404 Not Found")
    found = problem_of(error, CONNECTOR, str, version="3.4.1")
    assert (found.reason, found.phase) == ("NotSupported", Phase.STALLED)
    assert f"takes Kafka Connect {since}" in found.message
    assert "says that it is 3.4.1" in found.message
    assert "says that it is" not in problem_of(error, CONNECTOR, str).message


@pytest.mark.parametrize("operation", ["validate", "create_connector", "put_resource"])
@pytest.mark.parametrize("kind", [errors.BadRequest, errors.ServerError])
def test_one_answer_against_a_configuration_is_no_refusal(operation: str, kind: type[errors.LensesRefused]) -> None:
    found = problem_of(kind(operation, detail="no"), CONNECTOR, str)
    assert (found.reason, found.phase) == ("LensesUnavailable", Phase.RECONCILING)
    assert "tried again" in found.message
