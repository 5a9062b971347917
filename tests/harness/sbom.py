"""The software bill of materials, CycloneDX 1.6, from the lock: `python -m harness.sbom` writes it.

The same lock gives the same bytes: it has no time and no random number in it.
"""

from __future__ import annotations

import json
import tomllib
import uuid
from typing import Any

from harness.lock import PROJECT, RUNTIME, Locked, graph, locked, reviewed, roots_of
from harness.paths import ROOT

FILE = ROOT / "requirements" / "sbom.cdx.json"
_NAMESPACE = uuid.UUID("7f0a3c9e-52c4-4d0e-9a43-0d6b1e1f5c11")


def text() -> str:
    """What the file has to hold."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = locked(RUNTIME.read_text())
    licences = {name: one.licence for name, one in reviewed().items()}
    edges = graph(roots_of(project["dependencies"]))
    purls = {name: _purl(name, one.version) for name, one in lock.items()}
    purls[PROJECT] = _purl(PROJECT, project["version"])
    body: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": purls[PROJECT],
                "name": PROJECT,
                "version": project["version"],
                "description": project["description"],
                "licenses": [{"expression": project["license"]}],
                "purl": purls[PROJECT],
            },
            "properties": [{"name": "lenses-operator:hashes", "value": "one of each file that the lock admits"}],
        },
        "components": [_component(name, one, licences[name], purls[name]) for name, one in sorted(lock.items())],
        "dependencies": [
            {"ref": purls[name], "dependsOn": sorted(purls[other] for other in edges.get(name, ()))}
            for name in sorted(purls)
        ],
    }
    body["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(body, sort_keys=True))}"
    return json.dumps(body, indent=2, sort_keys=True) + "\n"


def _component(name: str, one: Locked, licence: str, purl: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": one.version,
        "purl": purl,
        "licenses": [{"expression": licence}],
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in sorted(one.hashes)],
    }


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


if __name__ == "__main__":
    FILE.write_text(text())
