"""kopf, as it is started."""

from __future__ import annotations

import asyncio
import getpass

import pytest

from lenses_operator import handlers
from lenses_operator.controllers.intake import Intake
from lenses_operator.controllers.store import Store


async def test_a_user_that_is_a_bare_number_can_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.setattr(getpass, "getuser", unknown)
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(handlers.watch(Intake(Store(), lambda _: None), (), "", stop, watch_references=False), 10)
