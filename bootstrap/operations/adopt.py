"""Assigns a state folder to the file: for a renamed lakehouse, or if the mark is damaged or missing."""

from __future__ import annotations

import sys
from dataclasses import replace

from bootstrap import output
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import owner


def adopt(target: Target, *, yes: bool) -> str:
    """Writes this file's mark into its state folder; returns a sentence about it.

    Raises LakehouseError if the folder does not belong to a lakehouse or something runs there, UsageError without a
    confirmation.
    """
    local = target.located
    root, claim = local.state.root, local.claim
    try:
        found = owner.read(root)
    except LakehouseError:
        found = None  # damaged
    if found is not None and not owner.refusal(local.state, claim):
        return f"{root} is already marked as this lakehouse's."
    if found is None and not owner.former(root) and set(owner.holds(root)) - {owner.MARK}:
        raise LakehouseError(
            f"{root} was not made by a lakehouse, so a lakehouse cannot take it over. Name a new or empty folder "
            f"under stacks.{target.stack}.state in {target.path.name}."
        )
    if remains := local.runtime.remains():
        raise LakehouseError(f"Something runs there ({remains}). Stop it first: `lakehouse destroy`.")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"Standard input is not a terminal, so nobody can confirm to take over {root}: add --yes.")
        former = found or "lakehouse of an earlier version, or its mark is damaged"
        print(f"{root} belongs to the {former}.", file=sys.stderr)
        name = target.lakehouse.name
        if output.answer(f"Type this lakehouse's name ({name}) to take it over: ") != name:
            raise LakehouseError("The name does not match: nothing was changed.")
    known = replace(claim.owner, id=found.id, buckets=found.buckets) if found else replace(claim.owner, buckets=False)
    owner.write_mark(root, known, overwrite=True)
    return f"{root} now belongs to the {known}."
