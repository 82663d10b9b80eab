"""Rules of a stack with `lineage`."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.further import covers
from lakehouse.spec.kinds import known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import LocalStack
from lakehouse.text.words import listed


def check_lineage(name: str, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Why nobody would get the lineage of the stack's engines."""
    if stack.lineage is None:
        return
    at: KeyPath = ("stacks", name, "lineage")
    for kind in known().lineage.values():
        if stack.runtime not in kind.on:
            message = f"{kind.label} runs only with `runtime: {listed(kind.on)}`. Remove it"
            yield Problem(at, message, (("stacks", name, "runtime"),))
        if stack.secure is not None and kind.unsecured is not None:
            message = f"the stack is `secure`, and {kind.label} cannot be: {kind.unsecured.why}. Remove it, or `secure`"
            yield Problem(at, message, (("stacks", name, "secure"),))
    there = [(word, each) for word, each in known().engines.items() if getattr(lakehouse.engines, word) is not None]
    if not there:
        message = f"no engine is in the file, so there is no lineage. Add {listed(known().engines)} to `engines`"
        yield Problem(at, message, (("engines",),))
    for word, engine in there:
        for key, value in getattr(lakehouse.engines, word).properties.items():
            if any(covers(each, key) for each in engine.emits):
                message = f'"{value}" would replace what stacks.{name}.lineage sets. Remove it here or there'
                yield Problem(("engines", word, "properties", key), message, (at,))
