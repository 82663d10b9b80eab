"""What doctor says of certificates that end."""

from __future__ import annotations

import pytest

from bootstrap.doctor.endings import finding, first

DAY = 86_400.0
NOW = 20_000 * DAY  # 2024-10-04


@pytest.mark.parametrize(
    ("days", "severity"), [(300, "ok"), (31, "ok"), (29, "warning"), (1, "warning"), (-1, "error")]
)
def test_the_first_that_ends_counts(days: int, severity: str) -> None:
    found = finding({"trino-certificate": NOW + days * DAY, "authority-certificate": NOW + 900 * DAY}, NOW)
    assert found.severity == severity
    assert "trino-certificate ends on 202" in found.found
    assert ("`lakehouse deploy`" in found.fix) == (severity != "ok")


def test_before_the_first_deploy_there_is_none() -> None:
    assert finding({}, NOW).severity == "ok"


def test_the_day_is_shown() -> None:
    assert first({"one": NOW, "another": NOW + DAY}) == "one ends on 2024-10-04"
