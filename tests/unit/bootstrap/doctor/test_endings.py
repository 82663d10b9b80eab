"""What doctor says of certificates that end."""

from __future__ import annotations

import pytest

from bootstrap.doctor.endings import finding, first
from lakehouse.runtimes.endings import Lifetime

DAY = 86_400.0
NOW = 20_000 * DAY  # 2024-10-04


def life(days: float, lasts: float = 397) -> Lifetime:
    """One that ends in so many days."""
    return Lifetime(NOW + (days - lasts) * DAY, NOW + days * DAY)


@pytest.mark.parametrize(
    ("days", "severity"), [(300, "ok"), (31, "ok"), (29, "warning"), (1, "warning"), (-1, "error")]
)
def test_the_first_that_ends_counts(days: int, severity: str) -> None:
    found = finding({"trino-certificate": life(days), "authority-certificate": life(900)}, NOW)
    assert found.severity == severity
    assert "trino-certificate ends on 202" in found.found
    assert ("`lakehouse deploy`" in found.fix) == (severity != "ok")


def test_before_the_first_deploy_there_is_none() -> None:
    assert finding({}, NOW).severity == "ok"


def test_the_day_is_shown() -> None:
    assert first({"one": life(0), "another": life(1)}) == "one ends on 2024-10-04"


def test_a_short_life_does_not_warn_from_its_first_day_on() -> None:
    assert finding({"given": life(7, 10)}, NOW).severity == "ok"
    assert finding({"given": life(3, 10), "another": life(31)}, NOW).found == "given ends on 2024-10-07"
