"""``lakehouse logs`` without a service: the logs of all services, each line with its service's name, as in Compose."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress

from lakehouse.errors import LakehouseError, UnansweredError
from lakehouse.runtimes.runtime import Runtime


def last(runtime: Runtime, services: Sequence[str], lines: int) -> Iterator[str]:
    """The last lines of each service's log, in the services' order.

    A service without a log is left out, but not one whose machine does not answer. Raises LakehouseError if none has
    one.
    """
    errors: list[LakehouseError] = []
    for name in services:
        try:
            text = runtime.log(name, lines)
        except LakehouseError as error:
            if isinstance(error, UnansweredError):
                yield from named(services, name, str(error).splitlines())
            errors.append(error)
            continue
        yield from named(services, name, text.splitlines())
    if errors and len(errors) == len(services):
        raise errors[0]


def follow(runtime: Runtime, services: Sequence[str]) -> Iterator[str]:
    """The lines that are added to any of the logs from now on, without those of services that were never started.

    It does not end.
    """
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read(name: str) -> None:
        begun = ""  # a line whose end is not written yet
        with suppress(LakehouseError):  # it was never started
            for added in runtime.follow(name):
                *whole, begun = (begun + added).split("\n")
                for line in named(services, name, whole):
                    lines.put(line)

    for name in services:
        threading.Thread(target=read, args=(name,), daemon=True).start()
    while True:
        yield lines.get()


def named(services: Sequence[str], name: str, lines: Sequence[str]) -> Iterator[str]:
    """The lines of a service with its name before each, in a column as wide as the longest name."""
    wide = max(map(len, services))
    yield from (f"{name:{wide}} | {line}" for line in lines)
