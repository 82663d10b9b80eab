"""Memory of the machine, and whether it is enough for the services."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

from lakehouse.errors import LakehouseError
from lakehouse.services.service import Service

#: Heaps are rarely full at the same time: the default lakehouse may need 11 GiB and works with a third of that.
_OVERCOMMIT = 1.5


def machine() -> tuple[int, int]:
    """MiB of memory, total and available: of this machine, or of the container in which this process runs."""
    seen = psutil.virtual_memory()
    total, available = seen.total, seen.available
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            most = int(Path(limit).read_text())
            left = most - int(Path(used).read_text())
        except (OSError, ValueError):
            continue  # there is no limit ("max")
        if most < total:
            total, available = most, min(available, left)
    return total >> 20, available >> 20


def check(services: Iterable[Service], total: int) -> None:
    """Raises LakehouseError if one service may need more than ``total`` MiB, or all together far more.

    One-shot jobs do not count in the sum, because they end before the services that need them start.
    """
    some = list(services)
    wanted = {each.name: each.memory_mb for each in some}
    fix = "Set `memory`, `driver_memory`, `cores` or `workers` under `engines` in lakehouse.yaml to smaller values"
    large = [f"{name} may need {size} MiB" for name, size in wanted.items() if size > total]
    if large:
        raise LakehouseError(f"{', '.join(large)}, but there are only {total} MiB of memory. {fix}.")
    together = sum(each.memory_mb for each in some if not each.is_job)
    if together > total * _OVERCOMMIT:
        raise LakehouseError(
            f"The services together may need {together} MiB, but there are only {total} MiB. At most "
            f"{_OVERCOMMIT} times that is allowed. {fix}."
        )
