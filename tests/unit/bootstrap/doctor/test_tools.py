from __future__ import annotations

import pytest

from bootstrap.doctor import tools


@pytest.mark.parametrize(
    ("version", "severity", "cause"),
    [
        (None, "error", "not installed"),
        ("", "error", "damaged"),
        ("1.4.7", "error", "older than 1.5"),
        ("0.15.5", "error", "older than 1.5"),
        ("1.5.0", "ok", ""),
        ("1.11.4", "ok", ""),
        ("2.0.0-alpha1", "ok", ""),
    ],
)
def test_terraform(version: str | None, severity: str, cause: str) -> None:
    found = tools.terraform("terraform", version)
    assert found.severity == severity
    assert cause in found.cause
    assert bool(found.fix) == (severity == "error")


@pytest.mark.parametrize(
    ("node", "cli", "named"),
    [(None, True, "Node missing"), ("v22.20.0", False, "cdktf-cli missing"), (None, False, "Node and cdktf-cli")],
)
def test_what_cdktf_lacks(node: str | None, cli: bool, named: str) -> None:
    found = tools.cdktf(node, cli)
    assert (found.severity, found.fix) == ("error", "`make setup`")
    assert named in found.found


def test_cdktf_is_there() -> None:
    assert tools.cdktf("v22.20.0", True).severity == "ok"


def test_packages_and_java() -> None:
    assert tools.packages([], 3).severity == tools.java([], [25]).severity == tools.java([], []).severity == "ok"
    lost = tools.packages(["trino-476", "nessie-0.99.0"], 5)
    assert (lost.severity, lost.fix) == ("error", "`make setup`")
    assert "trino-476, nessie-0.99.0" in lost.found
    assert tools.java([21, 25], [21, 25]).found == "no Java 21 and no Java 25 that fits"


def test_damaged_files_of_the_cache_are_named_with_what_repairs_them() -> None:
    repair = "`python -m bootstrap.cli.packages fetch --verify`"
    found = tools.packages([], 3, ["a.jar has no end"])
    assert (found.severity, found.fix) == ("error", repair)
