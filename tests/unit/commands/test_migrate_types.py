"""`migrate` tells of keys that Connect takes for passwords, where Lenses is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lenses_operator.cli import main
from lenses_operator.commands import migrate_types
from lenses_operator.lenses.client import LensesClient
from lenses_operator.lenses.errors import LensesUnreachable
from lenses_operator.lenses.models import ValidationField
from lenses_operator.lenses_state.password_types import hidden_keys, own_keys

CLASS = "org.example.Sink"
CONFIG = {
    "connector.class": CLASS,
    "shibboleth": "planted",
    "open.sesame": "${vault:secret/x:y}",
    "db.password": "planted",
    "topics": "orders",
    "transforms.a.shibboleth": "x",
    "producer.override.shibboleth": "x",
}
Asked = list[tuple[str, str, str, frozenset[str]]]
Migrate = Callable[..., Result]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What Connect was asked about; it takes every key for a password but the topics."""
    found: Asked = []

    async def answer(
        _: LensesClient, environment: str, cluster: str, class_name: str, keys: Collection[str]
    ) -> frozenset[str]:
        found.append((environment, cluster, class_name, frozenset(keys)))
        if cluster == "away":
            raise LensesUnreachable("validate", "no connection")
        return frozenset(keys) - {"topics"}

    monkeypatch.setattr(migrate_types, "password_keys", answer)
    return found


@pytest.fixture
def migrate(tmp_path: Path) -> Migrate:
    token = tmp_path / "token"
    token.write_text("a-token")

    def run(*options: str, cluster: str = "eu", access: bool = True) -> Result:
        text = json.dumps([{"name": name, "config": CONFIG} for name in ("a", "b")])
        given = ["--lenses-url", "http://127.0.0.1:1", "--token-file", str(token)] if access else []
        command = ["migrate", "json", "--environment", "prod", "--cluster", cluster, "-f", "-", *given, *options]
        return CliRunner().invoke(main, command, input=text)

    return run


def test_each_class_is_asked_about_once(asked: Asked, migrate: Migrate) -> None:
    done = migrate()
    assert done.exit_code == 0
    assert asked == [("prod", "eu", CLASS, frozenset({"shibboleth", "open.sesame", "db.password", "topics"}))]
    told = [line for line in done.stderr.splitlines() if "password to Connect" in line]
    assert [line.split(": ")[1].split()[0] for line in told] == ["shibboleth"] * 2
    assert done.stderr.count("db.password") == 2  # by its name, and not once more
    assert "planted" not in done.stderr


@pytest.mark.parametrize(("options", "access"), [(("--no-ask-types",), True), ((), False)])
def test_nobody_is_asked(options: tuple[str, ...], access: bool, asked: Asked, migrate: Migrate) -> None:
    done = migrate(*options, access=access)
    assert (done.exit_code, asked) == (0, [])
    assert "shibboleth" not in done.stderr


def test_connect_that_cannot_be_asked(asked: Asked, migrate: Migrate) -> None:
    done = migrate(cluster="away")
    assert done.exit_code == 0
    assert len(asked) == 1
    assert f"{CLASS} was not asked for its passwords" in done.stderr
    assert "db.password holds what looks like a secret" in done.stderr


@pytest.mark.parametrize("mask", ["[hidden]", "••••••••", "********", "<redacted>", "REDACTED"])
def test_a_mask_of_any_notation_tells_a_password(mask: str) -> None:
    sent = {"a": "x", "b": "x", "c": "x", "d": mask}
    fields = [
        ValidationField(name="a", value=mask),
        ValidationField(name="b", value="x"),
        ValidationField(name="c", value=None),
        ValidationField(name="d", value=mask),  # it may be a value: it was sent like this
        ValidationField(name="not.sent", value=mask),
    ]
    assert hidden_keys(fields, sent) == {"a"}


def test_keys_that_a_class_does_not_define() -> None:
    assert own_keys(["name", "tasks.max", "key.converter", "x", "consumer.override.y", "errors.tolerance"]) == {"x"}
