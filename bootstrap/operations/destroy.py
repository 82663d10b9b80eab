"""The second key: deletes the data of a lakehouse that is down."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from bootstrap import output
from bootstrap.operations import slots
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes import generations, owner, scheduling
from lakehouse.runtimes.disk import BALLAST


def destroy_data(target: Target, *, yes: bool) -> int:
    """Deletes the stack's tables, catalog state, logs and secrets; returns the number of bytes freed.

    Replication slots of its pipelines go first, because only its secrets can drop them. The list of tables that were
    published stays, because it is about what others show. Only a folder with this
    lakehouse's mark is touched. Raises LakehouseError if it has none, while a process of the lakehouse runs, or if a
    slot stays; UsageError without a confirmation.
    """
    root = target.local.state.root
    if remains := target.local.runtime.remains() or scheduling.remains(target.local.state):
        raise LakehouseError(f"The lakehouse is up ({remains}): its data stays. `lakehouse destroy` stops it first.")
    folders = [root / name for name in owner.FOLDERS if (root / name).exists()]
    if not folders and not target.local.runtime.volumes():
        return 0
    if folders and owner.read(root) is None:
        raise LakehouseError(
            f"{root} has no mark that names its owner, so nothing is deleted. If it belongs to this lakehouse, "
            f"`lakehouse deploy` or {owner.ADOPT} marks it."
        )
    if links := [each for each in folders if each.is_symlink()]:
        raise LakehouseError(
            f"{links[0]} is a link to {links[0].resolve()}, and the target of a link is not deleted. Nothing was "
            "removed. Empty that folder and remove the link by hand, then try again."
        )
    _confirm(target, root, yes=yes)
    for each in slots.drop(target):
        print(each, file=sys.stderr)
    freed = target.local.runtime.remove_data()
    freed += sum(file.lstat().st_size for folder in folders for file in folder.rglob("*") if not file.is_dir())
    for folder in folders:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise LakehouseError(
                f"{error.filename} cannot be removed: {error.strerror}. Remove {root} by hand."
            ) from error
    for name in (BALLAST, generations.FILE, owner.MARK):  # the mark last: what is left after a failure is still ours
        (root / name).unlink(missing_ok=True)
    if target.published.exists():
        print(f"{target.published} stays: by it, the next publication hides the tables that are gone.", file=sys.stderr)
    for empty in (root, root.parent):
        if empty.is_dir() and not empty.is_symlink() and not any(empty.iterdir()):
            empty.rmdir()
    return freed


def _confirm(target: Target, root: Path, *, yes: bool) -> None:
    if yes:
        return
    name = target.lakehouse.name
    if not sys.stdin.isatty():
        raise UsageError(f"Standard input is not a terminal, so nobody can confirm the removal of {root}: add --yes.")
    print(f"All tables, catalog state, logs and secrets in {root} will be deleted for good.", file=sys.stderr)
    if output.answer(f"Type the lakehouse's name ({name}) to continue: ") != name:
        raise LakehouseError("The name does not match: nothing was removed.")
