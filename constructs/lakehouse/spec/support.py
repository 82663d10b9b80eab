"""What this release can deploy. The kinds set which runtimes support them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import KindRules, known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.words import listed


def unsupported(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What the file contains but this release cannot deploy yet."""
    for name, stack in lakehouse.stacks.items():
        at: KeyPath = ("stacks", name)
        if isinstance(stack, LocalStack):
            yield from _there((*at, "store"), "store", stack.store, known().stores, stack.runtime)
            for catalog, entry in stack.catalogs.items():
                yield from _there((*at, "catalogs", catalog), "catalog", entry, known().catalogs, stack.runtime)


def on(kinds: Mapping[str, KindRules], runtime: str) -> tuple[str, ...]:
    """The words of the kinds that a runtime supports."""
    return tuple(word for word, kind in kinds.items() if runtime in kind.on)


def _there(at: KeyPath, key: str, entry: KindEntry, kinds: Mapping[str, KindRules], runtime: str) -> Iterator[Problem]:
    kind = kinds[entry.kind]
    if runtime in kind.on:
        return
    if kind.on == ("docker",):
        message = f"{key}: {entry} comes only as a container image, but runtime: {runtime} has no containers"
        yield Problem(at, f"{message}. Use runtime: docker")
    else:
        yield not_yet(at, key, entry, on(kinds, runtime), runtime)


def not_yet(at: KeyPath, key: str, value: object, supported: tuple[object, ...], runtime: str = "") -> Problem:
    """The problem of a value that this release cannot deploy."""
    where = f" on runtime: {runtime}" if runtime else ""
    return Problem(at, f"{key}: {value} is not supported yet{where}; {key}: {listed(supported)} is")
