"""Files: Secrets apart, for their owner alone, and never overwritten where a person has filled them in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lenses_operator.conversion.exporting import Exported
from lenses_operator.conversion.files import write
from unit.conversion.exported import CONFIG, export

HIDDEN = {"database.password": "********", "other.password": "planted"}


def everything(out: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(out)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in out.rglob("*")
        if path.is_file()
    }


def found() -> Exported:
    return export(CONFIG | HIDDEN)


def test_secrets_are_apart_and_private(tmp_path: Path) -> None:
    write(tmp_path / "out", found())
    files = everything(tmp_path / "out")
    assert {name: mode for name, (_, mode) in files.items()} == {
        "orders.yaml": 0o644,
        "secrets/.gitignore": 0o600,
        "secrets/orders-connector-secrets.yaml": 0o600,
    }
    assert stat.S_IMODE((tmp_path / "out" / "secrets").stat().st_mode) == 0o700
    assert b"planted" not in files["orders.yaml"][0]
    assert b"planted" in files["secrets/orders-connector-secrets.yaml"][0]
    assert b"\n*\n" in files["secrets/.gitignore"][0]


def test_no_secret_no_directory(tmp_path: Path) -> None:
    write(tmp_path, export())
    assert list(everything(tmp_path)) == ["orders.yaml"]


def test_the_same_again_is_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path, found())
    before = everything(tmp_path)
    write(tmp_path, found())
    assert everything(tmp_path) == before


def test_what_was_filled_in_is_kept(tmp_path: Path) -> None:
    write(tmp_path, found())
    path = tmp_path / "secrets" / "orders-connector-secrets.yaml"
    path.write_text(path.read_text().replace("REPLACE_ME", '"0644 #"'))
    path.chmod(0o644)
    notes = write(tmp_path, found())
    assert '"0644 #"' in path.read_text()
    assert "fill it in" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert any("are kept" in note and "database.password" in note for note in notes)
    assert "0644" not in str(notes)


@pytest.mark.parametrize("text", ["a: [", "a: 1", "[]", "\x00"])
def test_a_broken_secret_file_is_not_overwritten(tmp_path: Path, text: str) -> None:
    write(tmp_path, found())
    path = tmp_path / "secrets" / "orders-connector-secrets.yaml"
    path.write_text(text)
    with pytest.raises(OSError, match="fix or remove it"):
        write(tmp_path, found())
    assert path.read_text() == text


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("untouched")
    out = tmp_path / "out"
    (out / "secrets").mkdir(parents=True)
    (out / "secrets" / "orders-connector-secrets.yaml").symlink_to(target)
    write(out, export(CONFIG | {"password": "planted"}))
    assert target.read_text() == "untouched"
