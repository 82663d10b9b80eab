"""Port numbers of a stack: the defaults, and what the file says otherwise."""

from __future__ import annotations

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.stacks import LocalStack


def nessie_names(lakehouse: Lakehouse, stack: LocalStack) -> dict[str, str]:
    """Catalog -> name of its Nessie server: ``nessie`` for the first, ``nessie-CATALOG`` for the others."""
    carried = [catalog for catalog in lakehouse.catalogs if stack.catalogs.get(catalog) == "nessie"]
    return {catalog: f"nessie-{catalog}" if nth else "nessie" for nth, catalog in enumerate(carried)}


def defaults(lakehouse: Lakehouse, stack: LocalStack) -> dict[str, int]:
    """Name -> the number it would like to have, for every port of the stack."""
    wanted: dict[str, int] = {stack.store: 9000}
    if stack.store != "s3proxy":
        wanted[f"{stack.store}-console"] = 9001
    for nth, name in enumerate(nessie_names(lakehouse, stack).values()):
        wanted[name] = 19120 + nth
        wanted[name.replace("nessie", "nessie-management", 1)] = 19000 + nth
    spark, trino = lakehouse.engines.spark, lakehouse.engines.trino
    if spark:
        wanted |= {"spark-master": 7077, "spark-master-ui": 8080}
        if spark.connect:
            wanted |= {"spark-connect": 15002, "spark-connect-ui": 4040}
    if trino:
        wanted["trino"] = 8085
    # The workers come last: there may be many, so it is they who step aside.
    for nth in range(1, spark.workers + 1 if spark else 1):
        wanted |= {f"spark-worker-{nth}": 7078 + nth, f"spark-worker-{nth}-ui": 8080 + nth}
    return wanted


def ports(lakehouse: Lakehouse, stack_name: str) -> dict[str, int]:
    """Name -> number for every port of a local stack, no two equal.

    A default that is taken by another port of the stack moves up to the next free number. An AWS stack has none.
    """
    stack = lakehouse.stacks[stack_name]
    if not isinstance(stack, LocalStack):
        return {}
    wanted = defaults(lakehouse, stack)
    numbers = {name: stack.ports[name] for name in wanted if name in stack.ports}
    taken = set(numbers.values())
    for name, number in wanted.items():
        if name not in numbers:
            while number in taken:
                number += 1
            numbers[name] = number
            taken.add(number)
    return {name: numbers[name] for name in wanted}
