"""``lakehouse validate``: problems outside the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lakehouse.errors import UsageError
from lakehouse.kinds.needed import unplaced
from lakehouse.runtimes import credentials
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.problems import Problem


def problems(lakehouse: Lakehouse, folder: Path) -> Iterator[Problem]:
    """Problems of the files of credentials that the stacks name. ``folder`` is the folder of the lakehouse's file."""
    for name, stack in lakehouse.stacks.items():
        if isinstance(stack, LocalStack) and stack.credentials is not None:
            try:
                credentials.read(folder / stack.credentials, credentials.known(unplaced(lakehouse, stack)))
            except UsageError as error:
                yield Problem(("stacks", name, "credentials"), str(error))
