"""Options of every JVM of the lakehouse, for a quick start and no more memory than it uses.

Each was measured (docs/benchmarks.md). The JVM's defaults suit a process that has a machine of its own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from lakehouse.services.certificate import TRUSTED
from lakehouse.services.service import File, Place
from lakehouse.text.placeholders import Truststore

FRUGAL = (
    "-Xms64m",  # else a 64th of the machine's memory, all of whose young part gets touched
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
)
QUICK = (*FRUGAL, "-XX:TieredStopAtLevel=1")  # for those that run no query: compiled once, and quickly

# glibc keeps one arena per core for allocations outside the heap; two are enough. Spark's executors inherit it.
ENVIRONMENT = (("MALLOC_ARENA_MAX", "2"),)


_TRUST = File("truststore.p12", Truststore(TRUSTED))


def trust(place: Place, service: str) -> tuple[tuple[str, ...], tuple[File, ...]]:
    """The options, and the files that they name, by which a service's JVM trusts its secure stack; else nothing.

    It trusts the public authorities too, so that what it reads in AWS can still be read.
    """
    if not place.secure:
        return (), ()
    store = f"-Djavax.net.ssl.trustStore={place.config(service)}/{_TRUST.path}"
    return (store, "-Djavax.net.ssl.trustStoreType=PKCS12"), (_TRUST,)


def variable(options: Iterable[str]) -> str:
    """The options as a variable, in which Java splits them at white space and takes quotes away as a shell does."""
    return " ".join(shlex.quote(each) if '"' in each else f'"{each}"' for each in options)


def heap(megabytes: int) -> str:
    """The option for the maximum heap, in MiB."""
    return f"-Xmx{megabytes}m"
