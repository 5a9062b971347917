"""The states that a connector can be asked for, and the requests that lead there."""

from __future__ import annotations

from typing import Literal

from lenses_operator.resources.connector import WantedState

Transition = Literal["pause", "resume", "stop"]
TRANSITIONS: dict[WantedState, Transition] = {
    WantedState.RUNNING: "resume",
    WantedState.PAUSED: "pause",
    WantedState.STOPPED: "stop",
}
HELD = {WantedState.PAUSED: "PAUSED", WantedState.STOPPED: "STOPPED"}
