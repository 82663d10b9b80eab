"""Read what exists, from the store and all catalogs at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bootstrap.catalogs.base import Reading
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.kind import Inquiry, Registry
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.world import World
from lakehouse.spec.model import Lakehouse


def gather(
    lakehouse: Lakehouse,
    world: World,
    *,
    everything: bool = False,
    reading: Reading | None = None,
    kinds: Registry = OBJECTS,
) -> Facts:
    """The facts for a diff with ``lakehouse``: the tables that the file names, and all tables of exclusive catalogs.

    If the file asks for a folder that no table has yet, all tables are read: another table may use the folder.
    ``everything`` reads all tables of all catalogs; ``reading`` is called with the progress over all catalogs. Raises
    the errors of :mod:`bootstrap.remote.errors`.
    """
    look = Inquiry(lakehouse, world, everything, reading)
    facts = Facts({}, {})
    with ThreadPoolExecutor(len(kinds.kinds)) as pool:
        for put in [pool.submit(kind.read, look) for kind in kinds]:
            facts = put.result()(facts)
    for kind in kinds:
        facts = kind.settle(look, facts)
    return facts
