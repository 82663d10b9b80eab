"""Options of every JVM of the lakehouse, for a quick start and no more memory than it uses.

Each was measured (docs/benchmarks.md). The JVM's defaults suit a process that has a machine of its own.
"""

from __future__ import annotations

FRUGAL = (
    "-Xms64m",  # else a 64th of the machine's memory, all of whose young part gets touched
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
)
QUICK = (*FRUGAL, "-XX:TieredStopAtLevel=1")  # for those that run no query: compiled once, and quickly

# glibc keeps one arena per core for allocations outside the heap; two are enough. Spark's executors inherit it.
ENVIRONMENT = (("MALLOC_ARENA_MAX", "2"),)


def heap(megabytes: int) -> str:
    """The option for the maximum heap, in MiB."""
    return f"-Xmx{megabytes}m"
