"""Ports for a new project that no other program of this machine has now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_STEP = 100  # so that the numbers stay recognisable: 8085, 8185, 8285
_HIGHEST = 32_767  # Linux gives higher ones to outgoing connections


def free_ports(usual: Mapping[str, int], is_free: Callable[[int], bool]) -> dict[str, int] | None:
    """``usual`` if all are free, else all moved by the same multiple of 100; None if there is no such multiple."""
    highest = max(usual.values(), default=0)
    for offset in range(0, max(_HIGHEST - highest, 0) + 1, _STEP):
        moved = {name: number + offset for name, number in usual.items()}
        if all(is_free(number) for number in moved.values()):
            return moved
    return None
