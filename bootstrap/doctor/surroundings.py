"""What checks read from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Surroundings:
    """What a check reads from outside: the shell's variables, and the clock in seconds since 1970."""

    environment: Mapping[str, str]
    now: Callable[[], float]
