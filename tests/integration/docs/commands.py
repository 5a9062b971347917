"""Which commands of the documentation are not run by its tests, and why; every other one is."""

from __future__ import annotations

from collections.abc import Mapping

from integration.docs.markdown import Block

ELSEWHERE: Mapping[str, str] = {
    "chaos.md": "is about tests/chaos, which runs the same for a shorter time",
    "install.md": "installs the chart: the chart's tests do so",
    "gitops.md": "needs Flux and Argo CD",
    "metrics.md": "its table is held by the tests of the metrics",
    "runbook.md": "is read when an alert fires: the tests of the alerts hold its table",
}
"""Pages whose commands are not run here."""
NOT_HERE = {
    ("README.md", "Install"),
    ("README.md", "kubectl lenses"),  # the pages of docs/cli run these, with what they print
}
"""Sections of the same kind."""

NOT_RUN: Mapping[str, str] = {
    "make demo": "tests/e2e/test_demo.py runs it",
    "make test": "runs this",
}


def is_run(block: Block) -> bool:
    return block.page.name not in ELSEWHERE and (block.page.name, block.section) not in NOT_HERE
