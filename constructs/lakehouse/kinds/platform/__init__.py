"""Services that other kinds need, such as the database of a catalog.

What a catalog lists in ``needs`` comes before it, once per stack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.services.service import Place, Service
from lakehouse.spec.kinds import KindRules


@dataclass(frozen=True, kw_only=True)
class PlatformKind(KindRules):
    """A kind of platform service. ``services`` get the names of the servers that need it."""

    services: Callable[[Place, tuple[str, ...]], tuple[Service, ...]]
