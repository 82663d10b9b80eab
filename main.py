"""The CDK app: reads lakehouse.yaml and declares one stack for each entry of its ``stacks``."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse import project
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.text.terminal import shown_lines

if TYPE_CHECKING:
    from lakehouse.runtimes.contents import Look
    from lakehouse.spec import Lakehouse


def main() -> int:
    """Synthesise every stack of the file: LAKEHOUSE_FILE, or the lakehouse.yaml of this folder or the nearest above.

    With LAKEHOUSE_ONLY_STACK only that one.
    """
    try:
        path = project.file()
        with _looking(path) as looks:
            # Most of the CDK's import is the start of its Node process, so it goes on while the file is read. An
            # invalid file is reported at once; the process ends after the import, so that nothing of Node stays.
            failed: list[Exception] = []
            threading.Thread(target=_import_cdk, args=(failed,)).start()
            lakehouse = _load(path)
            try:
                from stacks import synth
            except ImportError as error:  # of a module that the thread could not finish: it knows the cause
                raise (*failed, error)[0] from None

            synth(lakehouse, path, looks, _warnings(lakehouse, path), _chosen(lakehouse, path))
    except LakehouseError as error:
        print(f"Error: {shown_lines(error)}", file=sys.stderr)
        return error.exit_code
    return 0


def _import_cdk(failed: list[Exception]) -> None:
    try:
        importlib.import_module("lakehouse.cdk")
    except Exception as error:  # noqa: BLE001 - the import that needs it fails too, and reports it
        failed.append(error)


@contextmanager
def _looking(path: Path) -> Iterator[Mapping[str, Look]]:
    """The comparisons of contents, which run while the file is read and the CDK is imported."""
    from lakehouse.runtimes.looks import begin

    looks = begin(path)
    try:
        yield looks
    finally:
        for each in looks.values():
            each.end()


def _load(path: Path) -> Lakehouse:
    from lakehouse.spec import SpecError, load

    try:
        return load(path)
    except SpecError:
        if project.destroying():  # a stack can be destroyed even if the file has what an engine does not support
            return load(path, engines=False)
        raise


def _chosen(lakehouse: Lakehouse, path: Path) -> Sequence[str]:
    """The stacks to declare: all, or the only one that is asked for."""
    only = os.environ.get(project.ONLY_STACK)
    if only and only not in lakehouse.stacks:
        raise UsageError(f'{path.name}: stacks has no "{only}"; it has {", ".join(lakehouse.stacks)}.')
    return [only] if only else list(lakehouse.stacks)


def _warnings(lakehouse: Lakehouse, path: Path) -> list[str]:
    """The warnings of the file, as `lakehouse validate` shows them; empty if the stack will be destroyed."""
    from lakehouse.spec import cautions

    found = cautions(path, lakehouse)
    return [] if found and project.destroying() else found


if __name__ == "__main__":
    sys.exit(main())
