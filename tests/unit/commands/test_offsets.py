"""`lenses-operator offsets` where Kubernetes gives something unexpected: one line, no traceback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lenses_operator.cli import main
from lenses_operator.commands.offsets import printing
from lenses_operator.kube.access import Access
from lenses_operator.kube.errors import KubeError


@pytest.fixture
def access(tmp_path: Path) -> list[str]:
    token = tmp_path / "token"
    token.write_text("t")
    return ["--lenses-url", "http://127.0.0.1:1", "--token-file", str(token)]


def cluster_with(answer: Any) -> Callable[..., Any]:
    """In the place of `session`: every object is this, or fails so."""

    class Cluster:
        home = "payments"

        async def get(self, *_: str) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    @asynccontextmanager
    async def session(_: Access) -> AsyncIterator[Cluster]:
        yield Cluster()

    return session


@pytest.mark.parametrize("command", ["restore", "export"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"metadata": {"name": "orders"}, "spec": {}}, "does not fit this version's CRD"),
        (KubeError("get", 403, "forbidden"), "get: 403 forbidden"),
        (None, "there is no"),
    ],
)
def test_one_line_says_why(
    monkeypatch: pytest.MonkeyPatch, access: list[str], command: str, answer: Any, words: str
) -> None:
    monkeypatch.setattr(printing, "session", cluster_with(answer))
    result = CliRunner().invoke(main, ["offsets", command, "orders", *(access if command == "export" else [])])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("lenses-operator: ")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_lenses_that_is_not_there(monkeypatch: pytest.MonkeyPatch, access: list[str]) -> None:
    metadata = {"name": "orders", "namespace": "payments", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
    body = {"metadata": metadata, "spec": {"environment": "prod", "cluster": "eu", "class": "X"}}
    monkeypatch.setattr(printing, "session", cluster_with(body))
    result = CliRunner().invoke(main, ["offsets", "export", "orders", *access])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot connect" in result.stderr
