"""Which filters and masks of `access` a stack enforces: every way to the rows must, or the file is refused.

A filter or mask is applied by an engine. The other ways to the table's rows are closed by the compilers: they give its
principals no key for its files, and no right to load it from a catalog. What stays is what a kind lets everybody do.
"""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.kinds import Opening, known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.roles import Narrowed
from lakehouse.spec.stacks import AwsStack, LocalStack

BEST_EFFORT = "best-effort"


def openings(lakehouse: Lakehouse, stack: LocalStack | AwsStack, catalog: str) -> Iterator[Opening]:
    """The ways around filters and masks on tables of a catalog on a stack. None: they hold there."""
    if isinstance(stack, AwsStack):
        yield Opening("no engine there applies filters and masks, so its principals cannot read the table at all", "")
        return
    engines = {word: kind for word, kind in known().engines.items() if getattr(lakehouse.engines, word) is not None}
    if not any(kind.narrows for kind in engines.values()):
        fitting = [word for word, kind in known().engines.items() if kind.narrows]
        yield Opening("no engine of the file applies filters and masks", f"add `{fitting[0]}` to `engines`")
    for kind in engines.values():
        yield from kind.openings(lakehouse)
    served = known().catalogs[stack.catalogs[catalog].kind]
    if served.opening is not None:
        yield served.opening
    if served.in_store and (opening := known().stores[stack.store.kind].opening) is not None:
        yield opening


def refusals(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Filters and masks that a stack does not enforce."""
    return _found(lakehouse) if lakehouse.access.enforce != BEST_EFFORT else iter(())


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """The same, if the file accepts it. The file is still valid."""
    return _found(lakehouse) if lakehouse.access.enforce == BEST_EFFORT else iter(())


def _found(lakehouse: Lakehouse) -> Iterator[Problem]:
    for role, content in lakehouse.access.roles.items():
        for target, granted in content.grants.items():
            if not (isinstance(granted, Narrowed) and granted.narrows):
                continue
            at: KeyPath = ("access", "roles", role, "grants", target)
            key = "rows" if granted.rows else "columns"
            catalog = target.partition(".")[0]
            for name, stack in lakehouse.stacks.items():
                if catalog not in stack.catalogs:
                    continue  # another check reports it
                if ways := list(openings(lakehouse, stack, catalog)):
                    yield Problem((*at, key), _said(name, ways, lakehouse.access.enforce), (("stacks", name),))


def _said(stack: str, ways: list[Opening], enforce: str | None) -> str:
    why = "; ".join(each.why for each in ways)
    message = f"stacks.{stack} does not enforce it: {why}"
    if enforce == BEST_EFFORT:
        return message
    fixes = [each.fix for each in ways if each.fix]
    close = f"To close {'this' if len(ways) == 1 else 'these'}, {', '.join(fixes)}. " if len(fixes) == len(ways) else ""
    return f"{message}. {close}Or write `enforce: {BEST_EFFORT}` in `access` to accept that"
