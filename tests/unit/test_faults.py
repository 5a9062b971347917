"""Each of the faults that `make faults` brings back can still be put into the code."""

from __future__ import annotations

import pytest

from faults.catalogue import FAULTS, Fault
from faults.put import faulty
from harness.paths import OPERATOR, ROOT


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_it_can_be_put(fault: Fault) -> None:
    source = (OPERATOR / "lenses_operator" / fault.module).read_text()
    assert faulty(fault, source) != source
    assert all((ROOT / test).exists() for test in fault.tests)


def test_code_that_is_another_by_now() -> None:
    fault = next(iter(FAULTS.values()))
    with pytest.raises(ValueError, match="0 times, and not once: put the fault anew"):
        faulty(fault, "")
