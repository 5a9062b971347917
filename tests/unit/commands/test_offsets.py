"""`lenses-operator offsets` where Kubernetes gives something unexpected: one line, no traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lenses_operator.cli import main
from lenses_operator.commands import offsets
from lenses_operator.kube.api import KubeError


@pytest.fixture
def access(tmp_path: Path) -> list[str]:
    token = tmp_path / "token"
    token.write_text("t")
    return ["--lenses-url", "http://127.0.0.1:1", "--token-file", str(token)]


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
    async def one_object(*_: str) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(offsets, "one_object", one_object)
    result = CliRunner().invoke(main, ["offsets", command, "orders", *(access if command == "export" else [])])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("lenses-operator: ")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_lenses_that_is_not_there(monkeypatch: pytest.MonkeyPatch, access: list[str]) -> None:
    async def one_object(*_: str) -> dict[str, Any]:
        metadata = {"name": "orders", "namespace": "payments", "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
        return {"metadata": metadata, "spec": {"environment": "prod", "cluster": "eu", "class": "X"}}

    monkeypatch.setattr(offsets, "one_object", one_object)
    result = CliRunner().invoke(main, ["offsets", "export", "orders", *access])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot connect" in result.stderr
