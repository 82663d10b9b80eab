"""Rules for principals that others made, and for what others granted."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import AwsStack


def check_existing(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Names that are another principal's, or Polaris's own."""
    taken: dict[str, KeyPath] = {}
    for principal, member in lakehouse.access.principals.items():
        at: KeyPath = ("access", "principals", principal)
        own = name = f"{lakehouse.name}-{principal}"
        if member.existing is not None:
            at, name = (*at, "existing", "polaris"), member.existing.polaris
            if name == own:  # after it has left the file, nobody could tell it from one that the toolkit made
                text = f'"{name}" is the name that the toolkit gives its own principal "{principal}"'
                yield Problem(at, f"{text}. Give the entry another name, or remove `existing`")
                continue
        if name == "root":
            yield Problem(at, "root administers Polaris, and the toolkit is root there. Name another principal")
        elif name in taken:
            yield Problem(at, f'"{name}" is another principal of the file there. Name each once', beside=taken[name])
        taken.setdefault(name, at)


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Stacks for which `grants: authoritative` does nothing. The file is still valid."""
    if lakehouse.access.grants != "authoritative":
        return
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, AwsStack):
            why = f"stacks.{name} is in AWS, where nobody looks for policies that others attach to a principal's role"
            yield Problem(("access", "grants"), f"{why}. There it is as `additive`", (("stacks", name),))
