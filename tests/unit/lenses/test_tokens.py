"""Tokens from files that change, vanish and come back, as mounted Secrets do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lenses_operator.lenses.tokens import StaticToken, TokenFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("first\n")
    return file


def _replace(path: Path, content: str) -> None:
    new = path.with_name("new")
    new.write_text(content)
    new.replace(path)


def test_white_space_around_is_stripped(path: Path) -> None:
    path.write_text("\n  token-1 \r\n")
    assert TokenFile(path).current() == "token-1"
    assert StaticToken(" token-1\n").current() == "token-1"


def test_a_replaced_file_is_seen_at_the_next_use(path: Path) -> None:
    tokens = TokenFile(path)
    _replace(path, "other")  # same length as before
    assert tokens.current() == "other"


def test_a_replaced_file_is_seen_even_with_the_old_ones_time_and_size(path: Path) -> None:
    tokens = TokenFile(path)
    stat = path.stat()
    _replace(path, "other\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert tokens.current() == "other"


def test_a_file_written_in_place_is_seen_at_the_next_use(path: Path) -> None:
    tokens = TokenFile(path)
    stat = path.stat()
    path.write_text("other\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert tokens.current() == "other"


def test_a_mounted_secret_swaps_a_symlink_above_the_file(tmp_path: Path) -> None:
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "token").write_text(version)
    data = tmp_path / "..data"
    data.symlink_to("one")
    (tmp_path / "token").symlink_to("..data/token")
    tokens = TokenFile(tmp_path / "token")
    assert tokens.current() == "one"
    (tmp_path / "..tmp").symlink_to("two")
    (tmp_path / "..tmp").replace(data)
    assert tokens.current() == "two"


def test_an_unchanged_file_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = TokenFile(path)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("read again"))
    assert tokens.current() == "first"


def test_refresh_reads_whatever_the_stamp_says(path: Path) -> None:
    tokens = TokenFile(path)
    assert tokens.refresh() is False
    stat = path.stat()
    path.write_text("other\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert tokens.refresh() is True
    assert (tokens.current(), tokens.refresh()) == ("other", False)


@pytest.mark.parametrize("content", [None, "", " \n", "two words", "x" * 70_000])
def test_a_file_that_stops_holding_a_token_leaves_the_last_one(path: Path, content: str | None) -> None:
    tokens = TokenFile(path)
    if content is None:
        path.unlink()
    else:
        _replace(path, content)
    assert tokens.current() == "first"
    assert tokens.refresh() is False
    _replace(path, "third")
    assert tokens.current() == "third"


@pytest.mark.parametrize("content", [None, "", "\n", "hunter2 hunter2", "hunter2\x00", "hunter2é", "x" * 70_000])
def test_no_usable_token_at_the_start(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=str(path)) as caught:
        TokenFile(path)
    assert "hunter2" not in str(caught.value)


def test_a_directory_is_no_token_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        TokenFile(tmp_path)


@pytest.mark.parametrize("value", ["", "  ", "hunter2 x", "hunter2\nx", "hunter2é"])
def test_a_static_token_that_no_header_can_carry(value: str) -> None:
    with pytest.raises(ValueError, match="the token") as caught:
        StaticToken(value)
    assert "hunter2" not in str(caught.value)


def test_reprs_hide_the_token(path: Path) -> None:
    tokens = [TokenFile(path), StaticToken("first")]
    assert "first" not in f"{tokens}"
    assert str(path) in f"{tokens}"


def test_a_static_token_never_changes() -> None:
    assert StaticToken("x").refresh() is False
