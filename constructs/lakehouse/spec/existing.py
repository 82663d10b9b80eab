"""Rules for principals that others made: one name at a server is one principal, and not the one that administers it."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.kinds import known
from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import AwsStack, LocalStack


def check_existing(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Names that are another principal's, Polaris's own, or in a store whose users have none."""
    taken: dict[tuple[str, str], KeyPath] = {}
    for principal, member in lakehouse.access.principals.items():
        at: KeyPath = ("access", "principals", principal)
        own = f"{lakehouse.name}-{principal}"
        said = {} if member.existing is None else member.existing.model_dump(exclude_none=True)
        for server, name in said.items() if said else (("polaris", own), ("store", own)):
            where = (*at, "existing", server) if said else at
            if (server, name) == ("polaris", "root"):
                yield Problem(where, "root administers Polaris, and the toolkit is root there. Name another principal")
            elif (server, name) in taken:
                message = f'"{name}" is another principal of the file there. Name each once'
                yield Problem(where, message, beside=taken[server, name])
            taken.setdefault((server, name), where)
        for stack in _without_names(lakehouse) if "store" in said else ():
            why = f"users of the store of stacks.{stack} have no names but access keys, which belong in no file"
            yield Problem((*at, "existing", "store"), f"{why}. Remove it", (("stacks", stack),))


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Stacks for which `grants: authoritative` does nothing. The file is still valid."""
    if lakehouse.access.grants != "authoritative":
        return
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, AwsStack):
            why = f"stacks.{name} is in AWS, where nobody looks for policies that others attach to a principal's role"
            yield Problem(("access", "grants"), f"{why}. There it is as `additive`", (("stacks", name),))


def _without_names(lakehouse: Lakehouse) -> Iterator[str]:
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, LocalStack) and known().stores[stack.store.kind].users == "minio":
            yield name
