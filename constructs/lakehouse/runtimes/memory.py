"""Memory of the machine, and whether the services can have what the file gives them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

from lakehouse.errors import LakehouseError
from lakehouse.services.service import Service

#: Heaps are rarely full at once: the default lakehouse may need 11 GiB, and works with a third of that.
_OVERCOMMIT = 1.5


def machine() -> tuple[int, int]:
    """MiB in all and available: this machine's, or the limit of the container that this runs in."""
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
            continue  # there is no such limit: "max" is no number
        if most < total:
            total, available = most, min(available, left)
    return total >> 20, available >> 20


def check(services: Iterable[Service], total: int) -> None:
    """Raises LakehouseError if one service may need more than the ``total`` MiB there are, or all of them far more.

    A one-shot job has ended before what needs it starts, so it does not count among all.
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
            f"The services together may need {together} MiB, but there are only {total} MiB. More than "
            f"{_OVERCOMMIT} times that is not started. {fix}."
        )
