"""docs/offsets*.md and examples/offsets: every reason and Event of the code, and YAML that can be sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.paths import ROOT
from lenses_operator.domain import offsets_status as say
from lenses_operator.domain.offsets_text import request_text, usable
from lenses_operator.domain.reasons import OffsetsReason
from lenses_operator.resources.conditions import Phase, Verdict
from lenses_operator.resources.connector_offsets import OffsetsSpec, OperationPhase
from unit.offsets.make import operation

DOCS, EXAMPLES = ROOT / "docs", ROOT / "examples" / "offsets"
VERDICTS: dict[OffsetsReason, Verdict] = {
    OffsetsReason.OBSERVED: say.observed(1),
    OffsetsReason.PENDING: say.pending(operation()),
    OffsetsReason.CONNECTOR_NOT_FOUND: say.connector_not_found("x"),
    OffsetsReason.CONNECTOR_NOT_READY: say.connector_not_ready("Why."),
    OffsetsReason.STOPPING: say.stopping("RUNNING", 1),
    OffsetsReason.APPLYING: say.applying(),
    OffsetsReason.APPLIED: say.applied([], ""),
    OffsetsReason.OFFSETS_INVALID: say.invalid("Why."),
    OffsetsReason.OFFSETS_REJECTED: say.rejected("no"),
    OffsetsReason.STOP_TIMEOUT: say.stop_timeout(asked=False),
    OffsetsReason.OUTCOME_UNKNOWN: say.outcome_unknown(),
    OffsetsReason.NOT_SUPPORTED: say.not_supported("no"),
}


def rows(columns: int) -> list[list[str]]:
    lines = (DOCS / "offsets-reasons.md").read_text().splitlines()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return [row for row in found if len(row) == columns]


def test_every_reason_once() -> None:
    assert [row[0].strip("`") for row in rows(6)] == [str(reason) for reason in OffsetsReason]
    assert set(VERDICTS) == set(OffsetsReason)


@pytest.mark.parametrize("row", rows(6), ids=lambda row: row[0].strip("`"))
def test_its_phase_and_conditions_are_those_of_the_code(row: list[str]) -> None:
    reason, phase, ready, beside, meaning, remedy = row
    verdict = VERDICTS[OffsetsReason(reason.strip("`"))]
    assert (verdict.reason, verdict.ready, str(verdict.phase)) == (reason.strip("`"), ready, beside)
    assert phase == (say.phase_of(verdict) or "")
    assert meaning
    assert remedy or verdict.phase is Phase.SETTLED


def test_every_event_once() -> None:
    """One for each phase that is entered; failures are Warnings of their reason's name."""
    emitted = [str(phase) for phase in OperationPhase if phase is not OperationPhase.FAILED]
    assert [row[0].strip("`") for row in rows(3)] == [
        "OffsetsApplied" if phase == "Applied" else phase for phase in emitted
    ]


def documents() -> list[tuple[str, dict[str, Any]]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "offsets.md").read_text(), re.MULTILINE | re.DOTALL)
    texts = [("offsets.md", block) for block in blocks] + [(file.name, file.read_text()) for file in _examples()]
    return [(name, document) for name, text in texts for document in yaml.safe_load_all(text)]


def _examples() -> list[Path]:
    return sorted(EXAMPLES.glob("*.yaml"))


@pytest.mark.parametrize(("name", "document"), documents())
def test_what_is_shown_can_be_sent(name: str, document: dict[str, Any]) -> None:
    assert document["apiVersion"] == "connect.lenses.io/v1alpha1"
    if document["kind"] == "LensesConnector":
        return
    spec = OffsetsSpec.model_validate(document["spec"])
    assert usable(spec), name
    assert (request_text(spec) is None) == (spec.action != "Alter")


def test_links_lead_somewhere() -> None:
    for file in (DOCS / "offsets.md", DOCS / "offsets-reasons.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", file.read_text()):
            assert (DOCS / target).exists(), target
