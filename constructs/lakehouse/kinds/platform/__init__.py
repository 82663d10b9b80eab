"""Services that other kinds stand on, such as the database of a catalog: none yet.

What a catalog asks for by ``needs`` comes before it, once a stack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.services.service import Place, Service
from lakehouse.spec.kinds import KindRules


@dataclass(frozen=True, kw_only=True)
class PlatformKind(KindRules):
    """A kind of platform service. ``services`` are given the names of the servers that stand on it."""

    services: Callable[[Place, tuple[str, ...]], tuple[Service, ...]]
