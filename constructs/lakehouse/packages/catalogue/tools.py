"""Programs that commands on this machine call."""

from __future__ import annotations

from lakehouse.packages.package import Package

PACKAGES: tuple[Package, ...] = (
    Package(
        "tofu-1.12.6",
        "1.12.6",
        "OpenTofu, where no terraform and no tofu is on PATH; since 1.11 it has what a stack in AWS needs: ephemeral "
        "values and write-only arguments (and since 1.10 locks in S3)",
        go="tofu",
    ),
)
