"""What the lines of a report have in common."""

from __future__ import annotations

from lenses_operator.diagnosis.results import counts, failed, healthy, ok, skipped, some, warning


def test_a_secret_is_cut_out_of_every_text() -> None:
    result = failed("g", "c", "m s3cret", "r s3cret", "seen s3cret").without("s3cret")
    assert "s3cret" not in repr(result)
    assert result.without("") == result


def test_only_a_failure_is_unhealthy() -> None:
    fine = [ok("g", "c", "m"), warning("g", "c", "m", "r"), skipped("g", "c", "m")]
    assert healthy(fine)
    assert not healthy([*fine, failed("g", "c", "m", "r")])
    assert counts(fine) == {"ok": 1, "warning": 1, "failed": 0, "not tried": 1}


def test_some_of_many() -> None:
    assert some(["a", "b"], 2) == "a, b"
    assert some(["a", "b", "c"], 2) == "a, b and 1 more"
