"""Long work outside the event loop: renewing the Lease, probes and other passes continue in the meantime.

One thread for all of it, so that no more than one large answer is taken apart at a time. A thread helps only where the
interpreter's lock is released now and then: a single call into C that reads megabytes at once would block the loop
anyway. So what runs here goes piece by piece.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

AT_ONCE = 96 * 1024
"""Characters or bytes that are read where they are: some 20 ms, where most answers take less than one."""
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="aside")


async def aside(size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function gives or raises; `size` is what its time depends on."""
    if size <= AT_ONCE:
        return function(*args, **kwargs)
    call = partial(contextvars.copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_THREAD, call)
