"""Compare what the file wants with what exists. Pure: facts in, a :class:`Diff` out."""

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
    """All differences between ``facts`` and ``lakehouse``.

    To destroy an object takes two keys: ``allow_destroy`` here, and ``deletable`` on the object in the file. Objects
    that the file does not name are left alone, except those that an earlier file called deletable and those in
    exclusive catalogs.
    """
    found = Differences(lakehouse, facts, allow_destroy, where)
    for kind in kinds:
        kind.compare(found)
    for kind in reversed(kinds):
        kind.compare_unnamed(found)
    return found.diff(each for kind in kinds for each in (kind.there(found) if found.barred else ()))
