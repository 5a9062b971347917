"""Manifests as files: one for each connector, and Secrets apart from them, readable to their owner alone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import yaml

from lenses_operator.conversion.exporting import Exported
from lenses_operator.conversion.manifest import Manifest, Values
from lenses_operator.conversion.scalars import text as scalar
from lenses_operator.conversion.text import connector_documents, values_text
from lenses_operator.conversion.values import PLACEHOLDER
from lenses_operator.resources.connector import KIND

SECRETS = "secrets"


def write(out: Path, found: Exported, stem: str = "") -> list[str]:
    """Writes its files below `out`, each whole or not at all; says what a person has to know. Raises OSError.

    `stem`: begins the files' names; the resource's own where it is empty.
    """
    stem = stem or found.manifest.name
    write_connector(out, found.manifest, found.config_maps, stem)
    notes = list(found.notes)
    for values in found.secrets:
        path = _secrets(out) / f"{stem}{values.name.removeprefix(found.manifest.name)}.yaml"
        filled = _filled_in(path, values)
        if filled:
            values = Values(
                values.kind, values.name, {**values.data, **filled}, values.unknown - filled.keys(), values.namespace
            )
            notes.append(f"values filled in before are kept in {path}: {', '.join(sorted(filled))}")
        _put(path, values_text(values), 0o600)
    return notes


def write_connector(out: Path, manifest: Manifest, config_maps: Iterable[Values], stem: str = "") -> None:
    """One file, the ConfigMaps before it. Raises OSError."""
    _put(out / f"{stem or manifest.name}.yaml", connector_documents(manifest, config_maps), 0o644)


def left_behind(out: Path, environment: str, written: Collection[str]) -> list[Path]:
    """Manifests of this environment from an earlier export, not among the files written, which have these stems."""
    line = f"\n  environment: {scalar(environment)}\n"
    return [
        path
        for path in sorted(out.glob("*.yaml"))
        if path.stem not in written
        and f"kind: {KIND}\n" in (text := path.read_text("utf-8", "replace"))
        and line in text
    ]


def _secrets(out: Path) -> Path:
    """The directory, which nobody else may read and which Git passes over."""
    directory = out / SECRETS
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    _put(directory / ".gitignore", "# Values of Secrets: not for Git.\n*\n", 0o600)
    return directory


def _filled_in(path: Path, values: Values) -> Mapping[str, str]:
    """What a person has put in the place of placeholders of an earlier export."""
    if not values.unknown or not path.exists():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError):
        raise OSError(f"{path} is not YAML, and may hold values that were filled in: fix or remove it") from None
    data = found.get("stringData") if isinstance(found, dict) else None
    if not isinstance(data, dict):
        raise OSError(f"{path} has no stringData, and may hold values that were filled in: fix or remove it")
    return {key: str(data[key]) for key in values.unknown if data.get(key) not in (None, PLACEHOLDER)}


def _put(path: Path, text: str, mode: int) -> None:
    """Nothing is written where the file is there already with these bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = text.encode()
    if path.is_file() and not path.is_symlink() and path.read_bytes() == raw:
        path.chmod(mode)
        return
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(raw)
    part.replace(path)
