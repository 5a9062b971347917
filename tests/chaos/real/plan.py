"""What a storm will do, drawn from its seed alone: the same seed, length and number give the same actions in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from chaos.real.cast import ENVIRONMENTS, Role
from chaos.real.faults import LIES, TABLE, Row

EDITS = {
    "edit config": 30,
    "take back": 6,
    "break config": 4,
    "mend config": 6,
    "state": 16,
    "suspend": 6,
    "go on": 8,
    "deletion policy": 4,
    "update strategy": 3,
    "auto-restart": 4,
    "annotate restart": 5,
    "annotate reconcile": 3,
    "label": 3,
    "rotate secret": 2,
    "delete": 9,
    "create": 12,
    "operation": 12,
    "edit operation": 4,
    "delete operation": 3,
    "config by hand": 8,
    "state by hand": 8,
    "delete by hand": 6,
    "create by hand": 2,
    "tasks fail": 8,
    "tasks go on failing": 2,
    "connector fails": 3,
    "offsets move": 6,
}
"""What users do, and others in Lenses, with their weights."""

BLOWS = {
    "kill api server": 3.0,
    "end api server": 5.0,
    "cut off until gone": 6.0,
    "compact history": 0.0,
    "kill operator": 3.0,
    "end operator": 4.0,
    "pause operator": 3.0,
    "second operator": 6.0,
    "kill in the middle": 4.0,
    "plugins lost": 2.0,
    "token lost": 2.0,
    "token narrowed": 2.0,
    "as-code endpoint lost": 2.0,
    "long delays": 3.0,
}
"""What befalls the parts, one at a time, with the seconds it takes, more or less."""

SLOW_BLOWS = ("plugins lost", "token lost", "token narrowed", "as-code endpoint lost")
SLOW_UNTIL = 0.4
"""The part of a storm in which things go wrong that the operator looks at again only after half a minute or more."""
SHORT = 60.0
"""Seconds; a storm that is shorter has one of each of these twins, since it may not take long."""
TWINS = (("kill api server", "end api server"), ("kill operator", "end operator"))
EXCUSES_MUCH = "second operator"
"""Left out of a short storm, most of which it would take: the checks excuse what only two operators explain."""
PER_CONNECTOR = 1 / 14
"""Edits per second and connector; at most `MOST` per second in all."""
MOST = 20.0
LONGEST_LIE = 12.0
"""Seconds: what is not seen for longer, and twice, is gone as far as anybody can know."""


@dataclass(frozen=True)
class Action:
    """`at`: seconds from the beginning. A blow comes in its turn, later if the one before takes longer."""

    at: float
    what: str
    index: int = -1
    args: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        about = f" {Role(self.index).name}" if self.index >= 0 else ""
        shown = ", ".join(f"{key} {value}" for key, value in self.args.items())
        return f"{self.what}{about}{f' ({shown})' if shown else ''}"


@dataclass(frozen=True)
class Plan:
    """`edits` and `faults` in order of time; `lies` and `blows` one after the other."""

    edits: list[Action]
    faults: list[Action]
    lies: list[Action]
    blows: list[Action]
    short: bool = False


def draw(seed: int, seconds: float, connectors: int) -> Plan:
    """A generator for each: what one draws does not move what the others do."""
    return Plan(
        list(_edits(Random(f"edits {seed}"), seconds, connectors)),
        list(_faults(Random(f"faults {seed}"), seconds)),
        list(_lies(Random(f"lies {seed}"), seconds)),
        list(_blows(Random(f"blows {seed}"), seconds)),
        short=seconds < SHORT,
    )


def _edits(random: Random, seconds: float, connectors: int) -> Iterator[Action]:
    rate = min(MOST, connectors * PER_CONNECTOR)
    dead: set[int] = set()
    at, number = 0.0, 0
    while True:
        at += random.expovariate(rate)
        if at >= seconds:
            return
        number += 1
        what = random.choices(list(EDITS), list(EDITS.values()))[0]
        living = [index for index in range(connectors) if index not in dead]
        pool = sorted(dead) if what in ("create", "create by hand") else living
        if not pool:
            continue
        index = random.choice(pool)
        if Role(index).is_stranger and what in ("create by hand", "delete by hand", "config by hand", "state by hand"):
            continue  # what becomes of it would prove nothing about the operator
        if what == "delete":
            dead.add(index)
        elif what == "create":
            dead.discard(index)
        yield Action(at, what, index, _details(random, what, number))


def _details(random: Random, what: str, number: int) -> dict[str, Any]:
    match what:
        case "state":
            return {"to": random.choice(("running", "running", "paused", "stopped"))}
        case "state by hand":
            return {"to": random.choice(("RUNNING", "PAUSED", "STOPPED"))}
        case "deletion policy":
            return {"to": random.choice(("Delete", "DeleteWithOffsets", "Retain"))}
        case "update strategy":
            return {"to": random.choice(("Recreate", "Recreate", "InPlace"))}
        case "operation":
            return {"number": number, "action": random.choice(("Alter", "Alter", "Reset", "Observe"))}
        case "delete":
            return {"policy": random.choice((None, None, None, "Delete", "DeleteWithOffsets", "Retain"))}
        case _:
            return {"number": number}


def _deck(random: Random, kinds: list[Any]) -> Iterator[Any]:
    """Each kind once before one comes again."""
    while True:
        yield from random.sample(kinds, len(kinds))


def _faults(random: Random, seconds: float) -> Iterator[Action]:
    """So dense that a short storm has seen each once."""
    gap = min(3.0, seconds / (len(TABLE) + 1))
    slow = _deck(random, [row for row in TABLE if row.slow])
    other = _deck(random, [row for row in TABLE if not row.slow])
    count = max(len(TABLE), int(seconds / gap))
    slow_share = sum(row.slow for row in TABLE) / len(TABLE)
    early = round(count * SLOW_UNTIL)
    slow_turns = set(random.sample(range(early), min(early, round(count * slow_share))))
    for turn in range(count):
        row: Row = next(slow) if turn in slow_turns else next(other)
        args: dict[str, Any] = {"row": row.name, "seconds": round(random.uniform(*row.seconds), 2)}
        args["environment"] = random.choice(("red", "blue", None)) if not row.some else random.choice(("red", "blue"))
        if row.some:
            args["connectors"] = f"c*{random.randrange(10)}"
        yield Action((turn + random.random()) * seconds / count, "fault", args=args)


def _lies(random: Random, seconds: float) -> Iterator[Action]:
    """One after the other, mostly one at a time; each at least once, however short the storm."""
    gap = min(LONGEST_LIE, seconds / len(LIES))
    leading = _deck(random, [lie.name for lie in LIES])
    for turn in range(int(seconds / gap + 0.5)):
        others = random.sample([lie.name for lie in LIES], random.choice((0, 0, 0, 1, 3)))
        where = random.choice(([ENVIRONMENTS[0]], [ENVIRONMENTS[1]], list(ENVIRONMENTS)))
        length = round(gap * random.uniform(0.5, 0.9), 2)
        args = {"names": [*others, next(leading)], "environments": where, "seconds": length}
        yield Action(turn * gap, "lie", args=args)


def _blows(random: Random, seconds: float) -> Iterator[Action]:
    at = 0.0
    slow = _deck(random, list(SLOW_BLOWS))
    left_out = {EXCUSES_MUCH, *(random.choice(twins) for twins in TWINS)} if seconds < SHORT else set()
    kinds = {what for what in BLOWS if what not in left_out}
    other = _deck(random, [what for what in BLOWS if what in kinds and what not in SLOW_BLOWS])
    pause = min(4.0, max(0.3, (seconds - sum(BLOWS.values())) / len(BLOWS) / 2))
    done: set[str] = set()
    while at < seconds or done < kinds:
        early = at < seconds * SLOW_UNTIL
        missed = not early and not done >= set(SLOW_BLOWS)  # better late than never
        what = next(slow) if missed or (early and len(done) % 2) else next(other)
        done.add(what)
        at += random.uniform(0, 2 * pause)
        yield Action(at, what, args={"draw": random.randrange(1000)})
        at += BLOWS[what]
