"""The doctor's command line: how it prints, and what it takes for names."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from lenses_operator.cli import main
from lenses_operator.commands import doctor
from lenses_operator.commands.doctor import printing
from lenses_operator.commands.doctor.cluster import Scope
from lenses_operator.diagnosis.census import Census
from lenses_operator.diagnosis.results import Result, failed, ok, skipped
from unit.resources.make import NOW, resource

RESULTS = [
    ok("Lenses", "token", "accepted"),
    skipped("Environment prod", "eu: get topics", "nothing to try it on", "Again later."),
    skipped("Environment prod", "eu: get offsets", "nothing to try it on", "Again later."),
    skipped("Environment prod", "us: get topics", "nothing to try it on", "Again later."),
    failed("Environment prod", "us: validate", "refused", "Give a role.", "status 403"),
]


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    printing.report(RESULTS, "table")
    assert capsys.readouterr().out == (
        "Lenses\n"
        "  ok         token: accepted\n"
        "\n"
        "Environment prod\n"
        "  not tried  eu: get topics, get offsets, us: get topics: nothing to try it on\n"
        "             do: Again later.\n"
        "  failed     us: validate: refused\n"
        "             seen: status 403\n"
        "             do: Give a role.\n"
        "\n"
        "1 ok, 0 warning, 1 failed, 3 not tried\n"
    )


def test_for_programs_each_check_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    printing.report(RESULTS, "json")
    document = json.loads(capsys.readouterr().out)
    assert document["summary"] == {"ok": 1, "warning": 0, "failed": 1, "not tried": 3}
    assert [one["check"] for one in document["checks"]] == [one.check for one in RESULTS]
    assert document["checks"][0] == {"group": "Lenses", "check": "token", "verdict": "ok", "message": "accepted"}
    assert document["checks"][-1]["seen"] == "status 403"


@pytest.mark.parametrize(
    ("variables", "words", "namespaces", "watching"),
    [
        ({"WATCH_NAMESPACES": "a,b, c", "WATCH_REFERENCES": "true"}, [], ("a", "b", "c"), True),
        ({"WATCH_NAMESPACES": "a"}, ["-n", "d", "-n", "e"], ("d", "e"), False),
        ({}, [], (), False),
    ],
)
def test_what_the_operator_watches(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    variables: dict[str, str],
    words: list[str],
    namespaces: tuple[str, ...],
    watching: bool,
) -> None:
    asked: list[Scope] = []

    async def look(scope: Scope, *_: object) -> list[Result]:
        asked.append(scope)
        return []

    monkeypatch.setattr("lenses_operator.commands.doctor.look", look)
    token = tmp_path_factory.mktemp("doctor") / "token"
    token.write_text("t")
    access = ["--lenses-url", "http://127.0.0.1:1", "--token-file", str(token)]
    env = {f"LENSES_OPERATOR_{key}": value for key, value in variables.items()}
    result = CliRunner().invoke(main, ["doctor", *access, *words], env=env)
    assert result.exit_code == 1  # nothing listens there
    assert (asked[0].namespaces, asked[0].watching) == (namespaces, watching)


def test_who_names_an_environment() -> None:
    census = Census(NOW)
    for one in (resource("orders"), resource("clicks", environment="test")):
        census.add(one)
    assert doctor._users(("prod", "dev"), census) == {
        "prod": ["--environment", "payments/orders"],
        "dev": ["--environment"],
        "test": ["payments/clicks"],
    }
