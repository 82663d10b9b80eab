"""Which filters and masks of `access` a stack enforces: every way to the rows must, or the file is refused.

A filter or mask is applied by an engine. The other ways to the table's rows are closed by the compilers: they give its
principals no key for its files, and no right to load it from a catalog. What stays is what a kind lets everybody do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lakehouse.spec.kinds import Opening, known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.roles import Narrowed, verbs_of
from lakehouse.spec.stacks import AwsStack, LocalStack

BEST_EFFORT = "best-effort"
_MANAGED = "set `engines: managed` of the stack"


def openings(
    lakehouse: Lakehouse, stack: LocalStack | AwsStack, catalog: str, *, writes: bool = False
) -> Iterator[Opening]:
    """The ways around filters and masks on tables of a catalog on a stack. None: they hold there.

    ``writes``: one of their principals may write to another table of the catalog.
    """
    engines = {word: kind for word, kind in known().engines.items() if getattr(lakehouse.engines, word) is not None}
    if isinstance(stack, AwsStack):
        if stack.engines == "ec2" and engines:
            names = " and ".join(kind.label for kind in engines.values())
            yield Opening(f"{names} on its instances read all tables with one role, for everybody", _MANAGED)
        return
    if not any(kind.narrows for kind in engines.values()):
        fitting = [word for word, kind in known().engines.items() if kind.narrows]
        yield Opening("no engine of the file applies filters and masks", f"add `{fitting[0]}` to `engines`")
    for kind in engines.values():
        yield from kind.openings(lakehouse)
    entry, store = stack.catalogs[catalog], known().stores[stack.store.kind]
    served = known().catalogs[entry.kind]
    if stack.secure is not None and served.asking is not None:
        if writes:
            yield served.asking.to_writers
    elif served.opening is not None:
        yield served.opening
    if writes and store.can.sts:
        yield from served.to_writers(lakehouse.catalogs[catalog], entry)
    if served.in_store and store.opening is not None:
        yield store.opening


def refusals(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Filters and masks that a stack does not enforce."""
    return _found(lakehouse, _open) if lakehouse.access.enforce != BEST_EFFORT else iter(())


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """The same, if the file accepts it, and those by which a table is closed. The file is still valid."""
    if lakehouse.access.enforce == BEST_EFFORT:
        yield from _found(lakehouse, _open)
    yield from _found(lakehouse, _closed)


def _found(lakehouse: Lakehouse, said: Callable[[Lakehouse, str, str, bool], str]) -> Iterator[Problem]:
    """What is ``said`` of each filter and mask: of a stack, a catalog, and whether who has the grant writes there."""
    for role, content in lakehouse.access.roles.items():
        for target, granted in content.grants.items():
            if not isinstance(granted, Narrowed):
                continue
            at: KeyPath = ("access", "roles", role, "grants", target, "rows" if granted.rows else "columns")
            catalog = target.partition(".")[0]
            writes = _writes(lakehouse, role, catalog)
            for name, stack in lakehouse.stacks.items():
                # another check reports a stack without the catalog
                if catalog in stack.catalogs and (message := said(lakehouse, name, catalog, writes)):
                    yield Problem(at, message, (("stacks", name),))


def _writes(lakehouse: Lakehouse, role: str, catalog: str) -> bool:
    """Whether a principal that has the role may write anywhere in the catalog, by whatever role."""
    roles = lakehouse.access.roles
    writers = {
        name
        for name, content in roles.items()
        for target, granted in content.grants.items()
        if target.partition(".")[0] == catalog and set(verbs_of(granted)) - {"read"}
    }
    return any(role in member.roles and writers & {*member.roles} for member in lakehouse.access.principals.values())


def _open(lakehouse: Lakehouse, stack: str, catalog: str, writes: bool) -> str:
    ways = list(openings(lakehouse, lakehouse.stacks[stack], catalog, writes=writes))
    return _said(stack, ways, lakehouse.access.enforce) if ways else ""


def _closed(lakehouse: Lakehouse, stack: str, catalog: str, writes: bool) -> str:
    if not isinstance(lakehouse.stacks[stack], AwsStack) or _open(lakehouse, stack, catalog, writes):
        return ""
    return f"stacks.{stack} applies no filters and masks, so the grant gives nothing there: its tables are closed"


def _said(stack: str, ways: list[Opening], enforce: str | None) -> str:
    why = "; ".join(each.why for each in ways)
    message = f"stacks.{stack} does not enforce it: {why}"
    if enforce == BEST_EFFORT:
        return message
    close = f"To close {'this' if len(ways) == 1 else 'these'}, {', '.join(each.fix for each in ways)}. "
    return f"{message}. {close}Or write `enforce: {BEST_EFFORT}` in `access` to accept that"
