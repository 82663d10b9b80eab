from __future__ import annotations

import pytest

from bootstrap.doctor import tools


@pytest.mark.parametrize(
    ("version", "severity", "cause"),
    [
        (None, "error", "TERRAFORM_BINARY_NAME names"),
        ("", "error", "damaged"),
        ("Terraform 1.4.7", "error", "older than 1.5"),
        ("Terraform 0.15.5", "error", "older than 1.5"),
        ("Terraform 1.5.0", "ok", ""),
        ("Terraform 1.11.4", "ok", ""),
        ("Terraform 2.0.0-alpha1", "ok", ""),
        ("OpenTofu 1.12.6", "ok", ""),
    ],
)
def test_terraform(version: str | None, severity: str, cause: str) -> None:
    found = tools.terraform("terraform", version)
    assert found.severity == severity
    assert cause in found.cause
    assert bool(found.fix) == (severity == "error")
    assert found.found == version or severity == "error"


def test_without_any_terraform_the_set_up_is_the_fix() -> None:
    found = tools.terraform(None, None)
    assert found.severity == "error"
    assert "no terraform and no tofu is on PATH" in found.found
    assert found.fix.startswith("`make setup`, which builds OpenTofu; or install Terraform 1.5 or newer")


def test_cdktf_is_there() -> None:
    assert tools.cdktf("v22.20.0", True).found == "cdktf-cli on Node v22.20.0"
    later = tools.cdktf("v22.20.0", False)
    assert (later.severity, "when `cdktf` is first used" in later.found) == ("ok", True)
    lost = tools.cdktf(None, True)
    assert (lost.severity, lost.found, lost.fix) == (
        "error",
        "Node is missing, so the CDK does not run",
        "`make setup`",
    )


def test_packages_and_java() -> None:
    assert tools.packages([], 3).severity == tools.java([], [25]).severity == tools.java([], []).severity == "ok"
    lost = tools.packages(["trino-476", "nessie-0.99.0"], 5)
    assert (lost.severity, lost.fix) == ("error", "`make setup`")
    assert "trino-476, nessie-0.99.0" in lost.found
    assert tools.java([21, 25], [21, 25]).found == "no Java 21 and no Java 25 that fits"


def test_damaged_files_of_the_cache_are_named_with_what_repairs_them() -> None:
    repair = "`lakehouse setup --verify`"
    found = tools.packages([], 3, ["a.jar has no end"])
    assert (found.severity, found.fix) == ("error", repair)
