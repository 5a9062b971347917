"""What the fuzz tests share: how many examples, and text with something wrong in it.

FUZZ_EXAMPLES=5000 looks for that many examples of each test at random; without it the same few are tried every time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def examples(few: int) -> settings:
    """`few`: how many there are in every run."""
    return settings(
        max_examples=EXAMPLES or few,
        derandomize=not EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


def mangled(texts: Sequence[str], tokens: Sequence[str]) -> st.SearchStrategy[bytes]:
    """One of `texts`, cut, with parts doubled or taken out, with `tokens` or any bytes put in."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        raw = draw(st.sampled_from(texts)).encode()
        for _ in range(draw(st.integers(1, 4))):
            at = draw(st.integers(0, len(raw)))
            end = draw(st.integers(at, min(len(raw), at + 40)))
            put = draw(st.sampled_from([b"", raw[at:end] * 2, None, None, None]))
            if put is None:
                put = draw(st.sampled_from(tokens).map(str.encode) | st.binary(max_size=8))
            raw = raw[:at] + put + raw[end:]
        return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw

    return build()
