"""Rules of a stack with `schedule`."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import Problem
from lakehouse.spec.stacks import LocalStack


def check_schedule(name: str, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """What a task would do without an effect, or could not do."""
    found = stack.schedule
    if found is None:
        return
    at = ("stacks", name, "schedule")
    if found.metadata is not None and stack.metadata is None:
        message = f"nobody gets the metadata: name the DataHub under stacks.{name}.metadata, or remove this"
        yield Problem((*at, "metadata"), message)
    if found.maintenance is not None and not any(_policies(lakehouse)):
        message = "nothing is maintained: no catalog, namespace or table has `maintenance`. Add one, or remove this"
        yield Problem((*at, "maintenance"), message)


def _policies(lakehouse: Lakehouse) -> Iterator[bool]:
    for catalog in lakehouse.catalogs.values():
        yield bool(catalog.maintenance)
        for namespace in catalog.namespaces.values():
            yield bool(namespace.maintenance)
            yield from (bool(table.maintenance) for table in namespace.tables.values())
