"""What the process remembers of a connector between passes. Losing it costs a few reads, never a wrong action.

Each value is defined by the module that replaces it, and is replaced nowhere else. Those that nothing has happened to
are shared by all connectors.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lenses_operator.controllers.connector.absence import Absence
from lenses_operator.controllers.connector.adopt import Types
from lenses_operator.controllers.connector.authorship import Authorship
from lenses_operator.controllers.connector.observe import Checks
from lenses_operator.controllers.connector.refusal import Refusals
from lenses_operator.controllers.connector.replacement import Replacement
from lenses_operator.controllers.connector.report import Announced
from lenses_operator.controllers.connector.restart import AskedRestart
from lenses_operator.controllers.connector.retries import Retries
from lenses_operator.controllers.connector.settling import Settling
from lenses_operator.controllers.connector.state import StateChange
from lenses_operator.controllers.connector.topics import Topics
from lenses_operator.controllers.connector.validate import Validation
from lenses_operator.controllers.connector.written import Written
from lenses_operator.controllers.pacing import Pacing
from lenses_operator.controllers.redaction import Confidential
from lenses_operator.domain.deleting import Deleting


@dataclass(slots=True)
class Memory:
    uid: str
    confidential: Confidential
    pacing: Pacing = field(default_factory=Pacing)
    checks: Checks = field(default=Checks())
    settling: Settling = field(default=Settling())
    retries: Retries = field(default=Retries())
    authorship: Authorship = field(default=Authorship())
    written: Written = field(default=Written())
    validation: Validation = field(default=Validation())
    refusals: Refusals = field(default=Refusals())
    replacement: Replacement | None = None
    absence: Absence = field(default=Absence())
    deleting: Deleting | None = None
    """Replaced in `delete`."""
    state_change: StateChange = field(default=StateChange())
    asked_restart: AskedRestart = field(default=AskedRestart())
    topics: Topics = field(default=Topics())
    types: Types = field(default=Types())
    announced: Announced = field(default=Announced())
    unconfirmed: bool = False
    """Replaced in `report`: the status was written, and no answer has said so. What it is now is read before anything
    is decided."""
