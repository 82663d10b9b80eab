"""Protection against a deploy that would delete data because its entry was removed from the file.

``prevent_destroy`` is in the block of a bucket or database, so it is removed with the block if the entry is removed
from the file. Therefore one permanent resource records the entries that were deployed without both keys to deletion.
If they change, Terraform replaces it and first runs ``python -m lakehouse.aws.kept FILE STACK``, which fails if one of
them is no longer in the file. The resource depends on all of their resources, so that none is deleted before.
https://developer.hashicorp.com/terraform/language/provisioners#destroy-time-provisioners
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.spec import AwsStack, Lakehouse, load
from lakehouse.text.terminal import shown_lines
from lakehouse.text.terraform import expression

DEPLOYED = "LAKEHOUSE_KEPT"  # the deployed entries, separated by commas


def entries(lakehouse: Lakehouse) -> Iterator[tuple[str, bool]]:
    """The entries of a file that hold data, and whether each is ``deletable``."""
    for bucket, content in lakehouse.buckets.items():
        yield f"buckets.{bucket}", content.deletable
    for catalog, inner in lakehouse.catalogs.items():
        for namespace, each in inner.namespaces.items():
            yield f"catalogs.{catalog}.namespaces.{namespace}", each.deletable


def kept(lakehouse: Lakehouse, *, allow_destroy: bool) -> list[str]:
    """The entries without both keys to deletion."""
    return [entry for entry, deletable in entries(lakehouse) if not (deletable and allow_destroy)]


def step(path: Path, stack: str) -> dict[str, object]:
    """The provisioner that checks that all deployed entries are still in the file."""
    return {
        "when": "destroy",
        "command": shlex.join([sys.executable, "-m", "lakehouse.aws.kept", str(path), stack]),
        "environment": {DEPLOYED: expression('join(",", self.triggers_replace)')},
    }


def look(path: Path, stack: str, deployed: Iterable[str]) -> None:
    """Raises LakehouseError if the file lacks an entry that was deployed without both keys."""
    lakehouse = load(path, engines=False)
    if not isinstance(lakehouse.stacks.get(stack), AwsStack):
        return  # the whole stack is destroyed, and Terraform checks each block
    there = {entry for entry, _ in entries(lakehouse)}
    if gone := [entry for entry in deployed if entry not in there]:
        raise LakehouseError(
            f"{path.name} no longer has {', '.join(gone)}, which holds data in stacks.{stack} and was deployed "
            "without both keys to deletion, so nothing was deleted. Put the entry back (a new name is a new entry). "
            "To delete its data, first deploy the entry with `deletable: true` and the stack with "
            "`allow_destroy: true`"
        )


def main(arguments: list[str]) -> int:
    """Run the check for Terraform's provisioner. Returns the exit code."""
    path, stack = arguments
    try:
        look(Path(path), stack, filter(None, os.environ[DEPLOYED].split(",")))
    except LakehouseError as error:
        print(f"Error: {shown_lines(error)}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
