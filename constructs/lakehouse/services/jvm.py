"""What every JVM of the lakehouse has in common: it starts quickly and takes no more memory than it uses.

Each setting was measured (docs/benchmarks.md): the JVM's defaults size a process for a machine of its own.
"""

from __future__ import annotations

FRUGAL = (
    "-Xms64m",  # else a 64th of the machine's memory, all of whose young part gets touched
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
)
QUICK = (*FRUGAL, "-XX:TieredStopAtLevel=1")  # for those that run no query: compiled once, and quickly

# glibc keeps an arena a core for allocations outside the heap; two are enough. Spark's executors inherit it.
ENVIRONMENT = (("MALLOC_ARENA_MAX", "2"),)


def heap(megabytes: int) -> str:
    """The option that bounds the heap."""
    return f"-Xmx{megabytes}m"
