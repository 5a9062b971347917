"""What Kafka Connect means by an error, told by its words.

Which code Lenses makes of Connect's 409 is unknown: the API's description declares none. The words come from
Connect itself (`DistributedHerder`, `ConnectorsResource`), so they are read before the code. They may be changed on the
way: what depends on an error must be right without them, too.
"""

from __future__ import annotations

import re
from enum import Enum

_REBALANCE = re.compile(
    r"conflicting operation|stale configuration|worker rebalance|no known leader"
    r"|rebalance (is|was|has been) (expected|under ?way|in progress|triggered)"
    r"|(because of|due to|during) (a|the) rebalance|(is|are) (currently )?rebalancing|request momentarily",
    re.IGNORECASE,
)
_EXISTS = re.compile(r"connector .{1,260}? already exists", re.IGNORECASE | re.DOTALL)
_NOT_STOPPED = re.compile(
    r"haven.t stopped"
    r"|not (yet )?(been )?stopped|(must|should|needs? to) be (in (the )?)?.?STOPPED|still (running|active)"
    r"|zombie|tasks? .{0,40}stopp",
    re.IGNORECASE,
)
_NO_SUCH_OPERATION = re.compile(r"\bHTTP 40[45] (Not Found|Method Not Allowed)", re.IGNORECASE)
READ = 4096
"""Characters that are searched: Connect says it in its first sentence, and what follows may be as long as it likes."""


class Meaning(Enum):
    REBALANCE = "rebalance"
    """Resolves on its own: a rebalance, a configuration that is just being written, another operation under way."""
    EXISTS = "exists"
    """The name is taken."""


def meaning(words: str) -> Meaning | None:
    """None where the words say nothing that the code does not."""
    words = words[:READ]
    if _EXISTS.search(words):
        return Meaning.EXISTS
    return Meaning.REBALANCE if _REBALANCE.search(words) else None


def means_no_such_operation(words: str) -> bool:
    """Of a 404 or 405: Connect's web framework found nothing to call, so that no connector was looked for."""
    return _NO_SUCH_OPERATION.search(words[:READ]) is not None


def means_not_stopped(words: str) -> bool:
    """Of a request for offsets: the connector or one of its tasks has not stopped yet."""
    return _NOT_STOPPED.search(words[:READ]) is not None


def names_consumer_group(words: str) -> bool:
    """Of a sink's offsets: its consumer group has members, or was not to be reached."""
    return re.search(r"consumer group", words[:READ], re.IGNORECASE) is not None
