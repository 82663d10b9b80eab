"""What doctor says of certificates that end."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.doctor.endings import finding, first
from lakehouse.runtimes.endings import Lifetime
from lakehouse.services.certificate import Given

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


GIVEN = Given(Path("lake.pem"), Path("lake-key.pem"), Path("root.pem"))


def test_the_end_of_the_users_certificate_is_shown_too() -> None:
    lives = {"trino-certificate": life(300), "seaweedfs-inner-certificate": life(200)}
    found = finding(lives, NOW, GIVEN, {"trino-certificate"})
    assert found.severity == "ok"
    assert found.found.endswith("; of yours, in lake.pem, trino-certificate ends on 2025-07-31")


@pytest.mark.parametrize(("late", "theirs"), [("trino-certificate", True), ("seaweedfs-inner-certificate", False)])
def test_who_gave_a_certificate_has_to_have_another_one_issued(late: str, theirs: bool) -> None:
    """No command makes it; those of the stack are made as ever."""
    lives = {"trino-certificate": life(300), "seaweedfs-inner-certificate": life(300), late: life(5)}
    found = finding(lives, NOW, GIVEN, {"trino-certificate"})
    issued = "have another one issued, and put it into lake.pem with its key in lake-key.pem"
    assert (found.severity, found.fix.startswith(issued)) == ("warning", theirs)
    assert "`lakehouse secret renew`" in found.fix
