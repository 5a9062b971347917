"""What the probes of a real operator are told."""

from __future__ import annotations

import pytest

from harness import http
from harness.operator_fixtures import Operators, Place
from harness.operator_process import OperatorProcess
from harness.waiting import wait_until

TIMEOUT = 60.0


def probe(operator: OperatorProcess, path: str) -> tuple[int, str]:
    got = http.get(f"{operator.url}/{path}", timeout=TIMEOUT)
    return got.status_code, got.text


@pytest.mark.parametrize("ending", ["process", "drop"])
def test_ready_once_the_first_list_of_every_environment_has_ended_well_or_badly(
    own_place: Place, operators: Operators, ending: str
) -> None:
    """One list does not end for now: not ready, and not in need of a restart."""
    place = own_place
    other = f"{place.environment}-b"
    place.control.add_environment(other, {"connect": {"backend": "memory"}})
    try:
        held = place.control.add_breakpoint(other, "ListConnectors")
        place.apply("a")
        place.apply("b", environment=other)
        operator = operators.start(place.namespace, ready=False)
        place.wait_running("a", TIMEOUT)
        place.control.wait_breakpoint(held, TIMEOUT)
        assert probe(operator, "readyz") == (
            503,
            "not ready: an environment's connectors have not been listed yet\n",
        )
        assert probe(operator, "healthz") == (200, "ok\n")
        place.control.release_breakpoint(held, ending)
        wait_until("ready", lambda: probe(operator, "readyz") == (200, "ok\n"), TIMEOUT)
    finally:
        place.control.remove_environment(other)
