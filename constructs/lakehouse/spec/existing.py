"""Rules for principals that others made, and for what others granted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.roles import PrincipalServer
from lakehouse.spec.stacks import AwsStack

#: The principal by which the toolkit administers each server that may have principals of others.
_ADMINISTRATORS: Mapping[PrincipalServer, str] = {"polaris": "root", "store": "lakehouse"}


def check_existing(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Names that are another principal's, or a server's own."""
    for server, administrator in _ADMINISTRATORS.items():
        yield from _at(lakehouse, server, administrator)


def _at(lakehouse: Lakehouse, server: PrincipalServer, administrator: str) -> Iterator[Problem]:
    """The problems of the names at one server."""
    taken: dict[str, KeyPath] = {}
    for principal, member in lakehouse.access.principals.items():
        if not member.is_known_to(server):
            continue
        at: KeyPath = ("access", "principals", principal)
        own = name = f"{lakehouse.name}-{principal}"
        if known := member.named(server):
            at, name = (*at, "existing", server), known
            if name == own:  # after it has left the file, nobody could tell it from one that the toolkit made
                text = f'"{name}" is the name that the toolkit gives its own principal "{principal}"'
                yield Problem(at, f"{text}. Give the entry another name, or remove `existing`")
                continue
        if name == administrator:
            where = "Polaris" if server == "polaris" else "the store"
            rule = f"{name} administers {where}, and the toolkit is {name} there"
            yield Problem(at, f"{rule}. Name another principal")
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
