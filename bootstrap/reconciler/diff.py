"""Compare what the file wants with what is there. Pure: facts in, a :class:`Diff` out."""

from __future__ import annotations

from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Diff
from bootstrap.reconciler.differences import Differences, Where, nowhere
from bootstrap.reconciler.kind import Registry
from bootstrap.reconciler.objects import OBJECTS
from lakehouse.spec.model import Lakehouse


def diff(
    lakehouse: Lakehouse,
    facts: Facts,
    *,
    allow_destroy: bool = False,
    where: Where = nowhere,
    kinds: Registry = OBJECTS,
) -> Diff:
    """All that keeps ``facts`` from being what ``lakehouse`` says.

    Destroying takes two keys: ``allow_destroy`` here, and the object called deletable by the file. What the file does
    not name is left alone, but for objects that an earlier file called deletable and for exclusive catalogs.
    """
    found = Differences(lakehouse, facts, allow_destroy, where)
    for kind in kinds:
        kind.compare(found)
    for kind in reversed(kinds):
        kind.compare_unnamed(found)
    return found.diff()
