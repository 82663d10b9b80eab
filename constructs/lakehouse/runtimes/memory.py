"""Memory of the machine, and whether it is enough for the services."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

from lakehouse.errors import LakehouseError
from lakehouse.services.service import Service

#: Heaps are rarely full at the same time: the default lakehouse may need 11 GiB and works with a third of that.
_OVERCOMMIT = 1.5


_LIMITS = Path("/sys/fs/cgroup")
#: The files of a container's limit and of what it uses, and the line of memory.stat with the size of the cached files
#: that Linux would drop for programs: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory, then version 1.
_FILES = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)


def machine() -> tuple[int, int]:
    """MiB of memory, total and available: of this machine, or of the container in which this process runs."""
    seen = psutil.virtual_memory()
    total, available = seen.total, seen.available
    for limit, used, details, cached in _FILES:
        try:
            most = int((_LIMITS / limit).read_text())
            left = most - int((_LIMITS / used).read_text()) + _line(_LIMITS / details, cached)
        except (OSError, ValueError):
            continue  # there is no limit ("max")
        if most < total:
            total, available = most, min(available, left)
    return total >> 20, available >> 20


def _line(path: Path, name: str) -> int:
    """The number in a line such as ``inactive_file 4096``; 0 if there is none."""
    try:
        lines = [line.partition(" ") for line in path.read_text().splitlines()]
    except OSError:
        return 0
    return next((int(number) for word, _, number in lines if word == name), 0)


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
