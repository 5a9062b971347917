"""Many secret values and much text: the loop goes on, and what would take too long is withheld."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lenses_operator.controllers.connector.authorship import Authorship
from lenses_operator.controllers.connector.context import ReconcileContext
from lenses_operator.controllers.connector.memory import Memory
from lenses_operator.controllers.redaction import Confidential, prepare
from lenses_operator.domain import redaction
from lenses_operator.domain.observed import Observed
from lenses_operator.domain.redaction import HIDDEN, LIMIT, TOO_MUCH, WORK, Budget, Redactor
from lenses_operator.domain.render import Rendered
from lenses_operator.lenses.models import ConnectorDetails
from lenses_operator.lenses_state.sessions import Session
from unit.resources.make import owned
from unit.ticking import ticks_during

LINE = "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliver(WorkerSinkTask.java:611)\n"
MANY = frozenset(f"value-{number:06}" for number in range(8_000))
SHORT = frozenset(f"{number:03}" for number in range(1000))


def work(values: frozenset[str]) -> ReconcileContext:
    session = Session("operator", None, None)  # type: ignore[arg-type]
    memory = Memory("uid-1", Confidential(), authorship=Authorship(claimed=True))
    return ReconcileContext(owned(), Rendered({}, given=values), memory, session)


def seen(traces: int, trace: str) -> Observed:
    tasks = [{"id": number, "state": "FAILED", "trace": trace} for number in range(traces)]
    return Observed.from_details(ConnectorDetails.model_validate({"name": "orders", "cluster": "eu", "tasks": tasks}))


@pytest.mark.parametrize("values", [MANY, SHORT], ids=["many", "short ones"])
async def test_the_loop_goes_on_while_traces_are_looked_through(values: frozenset[str]) -> None:
    one = next(iter(values))
    shown, ticks = await ticks_during(work(values).cleaned(seen(10, f"Oh: {one}\n" + LINE * 1500)))
    assert ticks > 10, "the loop was held"
    assert one not in "".join(task.trace or "" for task in shown.tasks)


async def test_all_traces_of_an_answer_together_have_a_bound() -> None:
    """One thousand traces of which each takes a while, since much in them looks like a value."""
    trace = "Oh: value-000042\n" + "value-999999 " * 5000
    shown = await work(MANY).cleaned(seen(1000, trace))
    traces = [task.trace or "" for task in shown.tasks]
    assert traces[0].startswith(f"Oh: {HIDDEN}")
    assert traces[-1] == TOO_MUCH
    assert "value-000042" not in "".join(traces)


async def test_all_words_of_a_validation_together_have_a_bound() -> None:
    """What a server said of 20 keys, 20 times each."""
    said = {f"key-{key}": [f"bad value-000042 {word} " + "x" * 20_000 for word in range(20)] for key in range(20)}
    message, ticks = await ticks_during(work(MANY).refused(said))
    assert ticks > 10, "the loop was held"
    assert TOO_MUCH in message
    assert "value-000042" not in message


@pytest.mark.parametrize("values", [MANY, SHORT], ids=["many", "short ones"])
def test_what_the_loop_waits_for_is_short(values: frozenset[str]) -> None:
    redactor = Redactor(values)
    least = WORK // redactor.work(1)
    assert redactor("x" * least) == "x" * least
    assert redactor("x" * WORK) == TOO_MUCH


@pytest.mark.parametrize("text", ["value-999999 ", "%26", "&amp;", "\\u0026", "''"])
def test_a_text_that_takes_long_at_each_place_is_withheld_the_sooner(text: str) -> None:
    redactor, budget = Redactor(MANY), Budget(WORK)
    long = text * (1_000_000 // len(text))
    assert redactor(long, budget) == TOO_MUCH
    assert redactor("anything", budget) == TOO_MUCH, "what is spent is spent"
    assert redactor(text * 10) == text * 10


async def test_what_is_looked_for_is_worked_out_beside_the_loop() -> None:
    redactor = Redactor(MANY)
    assert redactor.heavy
    _, ticks = await ticks_during(prepare(redactor))
    assert ticks > 10, "the loop was held"
    assert not redactor.heavy


@pytest.mark.parametrize("redact", [Redactor(["few", "and-small"]), str], ids=["few values", "no redactor"])
async def test_which_takes_nothing_where_it_is_little(redact: Callable[[str], str]) -> None:
    _, ticks = await ticks_during(prepare(redact))
    assert ticks == 0


def test_short_values_have_no_quadratic_pattern() -> None:
    """With one pattern of all of them it took minutes, and timed out."""
    values = [f"{number:03}" for number in range(1000)]
    values += [f"{chr(97 + number // 26 % 26)}{chr(97 + number % 26)}{number % 10}" for number in range(30_000)]
    assert sum(map(len, set(values))) < LIMIT
    text = "abc 1234 " * 10_000
    assert Redactor(values)(text, Budget(10**12)) == text
    assert redaction._ALONE.keys() == {1, 2, 3}
