"""The files of a release: `python -m harness.release files v1.2.3 dist --image NAME --digest sha256:…`.

The chart names the image by its digest, so that whoever installs it runs what was built with it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml

from harness import paths

TAG = re.compile(r"v(\d+\.\d+\.\d+)")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAME = "lenses-operator"
NOTES = "notes.md"
SUMS = "SHA256SUMS"


class ReleaseError(Exception):
    """What has to be mended before there can be a release."""


def version_of(tag: str, root: Path = paths.ROOT) -> str:
    """The version of the tag, if project, chart and changelog agree. Raises ReleaseError."""
    found = TAG.fullmatch(tag)
    if found is None:
        raise ReleaseError(f"{tag} is no tag of a release, such as v1.2.3")
    version = found[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((root / "helm" / NAME / "Chart.yaml").read_text())
    said = {
        "pyproject.toml": project,
        "Chart.yaml, version": chart["version"],
        "Chart.yaml, appVersion": chart["appVersion"],
    }
    wrong = [f"{where} says {what}" for where, what in said.items() if what != version]
    if wrong:
        raise ReleaseError(f"the tag says {version}, but {'; '.join(wrong)}")
    if not notes(version, root):
        raise ReleaseError(f"CHANGELOG.md has no section [{version}], or nothing in it")
    return version


def notes(version: str, root: Path = paths.ROOT) -> str:
    """The changelog's section, without its heading; empty where there is none."""
    _, _, rest = (root / "CHANGELOG.md").read_text().partition(f"\n## [{version}]")
    return rest.partition("\n")[2].partition("\n## [")[0].strip()


def make(tag: str, out: Path, image: str, digest: str, root: Path = paths.ROOT) -> None:
    """All files into `out`, which is made anew. Raises ReleaseError."""
    version = version_of(tag, root)
    if not DIGEST.fullmatch(digest):
        raise ReleaseError(f"{digest!r} is no digest of an image")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    _chart(version, out, image, digest, root)
    crds = sorted((root / "crds").glob("*.yaml"))
    (out / f"{NAME}-crds.yaml").write_text("---\n".join(path.read_text() for path in crds))
    shutil.copyfile(root / "requirements" / "sbom.cdx.json", out / f"{NAME}.cdx.json")
    files = sorted(out.iterdir())
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (out / SUMS).write_text(sums)
    (out / NOTES).write_text(f"{notes(version, root)}\n\nThe image: `{image}@{digest}`\n")


def _chart(version: str, out: Path, image: str, digest: str, root: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        chart = Path(scratch) / NAME
        shutil.copytree(root / "helm" / NAME, chart)
        values = chart / "values.yaml"
        text = values.read_text()
        for key, before, after in (("repository", NAME, image), ("digest", '""', digest)):
            line = f"  {key}: {before}\n"
            if text.count(line) != 1:
                raise ReleaseError(f"values.yaml does not say `{line.strip()}` once")
            text = text.replace(line, f"  {key}: {after}\n")
        values.write_text(text)
        argv = [str(paths.HELM), "package", str(chart), "--version", version, "--app-version", version, "-d", str(out)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m harness.release")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="whether everything agrees about the version")
    files = commands.add_parser("files", help="make the files")
    for command in (check, files):
        command.add_argument("tag")
    files.add_argument("out", type=Path)
    files.add_argument("--image", required=True)
    files.add_argument("--digest", required=True)
    given = parser.parse_args(arguments)
    try:
        if given.command == "check":
            print(version_of(given.tag))
        else:
            make(given.tag, given.out, given.image, given.digest)
    except ReleaseError as error:
        sys.exit(f"release: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
