"""``lakehouse backup``; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bootstrap import output
from bootstrap.cli.options import JsonOption, print_json
from lakehouse.errors import LakehouseError, UsageError

if TYPE_CHECKING:
    from bootstrap.backup.manifest import BackupManifest
    from bootstrap.backup.vault import Vault
    from bootstrap.session.target import Target

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Copy the whole lakehouse to a folder or a bucket, and bring it back.",
)
_VARIABLE = "LAKEHOUSE_BACKUP_PASSPHRASE"

BackupPlace = Annotated[str, typer.Argument(metavar="WHERE", help="A folder, or s3://BUCKET/PREFIX.")]
Id = Annotated[str | None, typer.Argument(metavar="[ID]", help="Which backup [default: the newest].")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file", help=f"File with the passphrase of the secrets [default: ${_VARIABLE}, else it is asked for]."
    ),
]


@app.command()
def create(
    context: typer.Context,
    where: BackupPlace,
    key_file: KeyFile = None,
    no_secrets: Annotated[
        bool, typer.Option("--no-secrets", help="Leave out the secrets and the files that the lakehouse's file names.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="NAME", help="Leave out a catalog, CATALOG.NAMESPACE or a table."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the lakehouse as it is now. What the target has from former backups is not copied again.

    Writers may go on: each table is copied as it was at one moment.
    """
    from bootstrap.backup.bundle import gather
    from bootstrap.backup.create import create as run
    from bootstrap.backup.vault import vault
    from bootstrap.session.connect import connect

    target = context.obj.target()
    _elsewhere(where, target)
    passphrase = None if no_secrets else _passphrase(key_file, new=True)
    lakehouse, connections = connect(target.path, target.stack)
    bundle = gather(target.path, lakehouse, target.stack)
    with _counting("copying files") as copying:
        done = run(bundle, connections, vault(where, target.scratch), without or [], passphrase, copying)
    if as_json:
        print_json({**_row(done.manifest), "copied": done.copied, "copied_bytes": done.copied_bytes})
        return
    tables = len(done.manifest.tables)
    print(
        f"Backup {done.manifest.id} in {where}: {tables} tables, {len(done.manifest.files)} files, "
        f"{done.manifest.size / 1e6:.1f} MB; copied {done.copied} files, {done.copied_bytes / 1e6:.1f} MB."
    )
    if done.manifest.secrets is None:
        print("It has no secrets: a lakehouse restored from it makes new ones.")


@app.command("list")
def list_(where: BackupPlace, as_json: JsonOption = False) -> None:
    """List the backups, the newest last. Exit code 1 if one cannot be read."""
    from bootstrap.backup.vault import vault

    there = vault(where)
    found, unreadable = there.manifests()
    if as_json:
        print_json([{**_row(each), "tables": each.tables} for each in found])
    elif found:
        _show(found)
    elif not unreadable:
        print(f"{where} has no backups.")
    for error in unreadable.values():
        print(f"wrong: {error}", file=sys.stderr)
    if unreadable:
        raise typer.Exit(1)


def _show(found: Sequence[BackupManifest]) -> None:
    from bootstrap.cli.tables import table

    headings = ("ID", "LAKEHOUSE", "STACK", "TABLES", "FILES", "MB", "SECRETS")
    rows = [
        (each.id, each.lakehouse, each.stack, str(len(each.tables)), str(len(each.files)), f"{each.size / 1e6:.1f}",
         "sealed" if each.secrets else "none")
        for each in found
    ]  # fmt: skip
    output.show(table(headings, rows), width=200)


@app.command()
def verify(where: BackupPlace, id_: Id = None, as_json: JsonOption = False) -> None:
    """Read a whole backup: every digest, and that every file is there that its metadata names. Needs no lakehouse.

    Exit code 1 if something is wrong.
    """
    from bootstrap.backup.vault import vault
    from bootstrap.backup.verify import verify as run

    there = vault(where)
    manifest = there.manifest(id_)
    with _counting("reading files") as checking:
        checked = run(there, manifest, checking)
    if as_json:
        content = {"ok": not checked.wrong, "files": checked.files, "bytes": checked.bytes, "wrong": checked.wrong}
        print_json({"id": manifest.id, **content})
    elif not checked.wrong:
        print(f"Backup {manifest.id} is whole: {checked.files} files, {checked.bytes / 1e6:.1f} MB.")
    for each in () if as_json else checked.wrong:
        print(f"wrong: {each}", file=sys.stderr)
    if checked.wrong:
        if not as_json:
            print(
                f"Remove from {where} what was altered: `lakehouse backup create {where}` then copies again what is "
                "missing and what the lakehouse still has.",
                file=sys.stderr,
            )
        raise typer.Exit(1)


@app.command()
def delete(
    where: BackupPlace,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Which backups.")] = None,
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=1, metavar="N", help="All but the newest N of each stack of each lakehouse there."),
    ] = None,
    of: Annotated[
        str | None,
        typer.Option("--of", metavar="LAKEHOUSE/STACK", help="With --keep: only backups of this stack are deleted."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Delete backups, and the files that no other backup needs. Needs no lakehouse."""
    from bootstrap.backup.delete import delete as run
    from bootstrap.backup.vault import vault

    if bool(ids) == (keep is not None):
        raise UsageError("Name the backups to delete, or how many to keep: `--keep N`.")
    lakehouse, slash, stack = (of or "").partition("/")
    if of is not None and (keep is None or not (lakehouse and slash and stack)):
        raise UsageError("--of comes with --keep, and names a lakehouse and a stack: `--keep 7 --of demo/local`.")
    done = run(vault(where), ids or [], keep, (lakehouse, stack) if of else None)
    if as_json:
        print_json({"deleted": done.ids, "files": done.files, "bytes": done.bytes})
        return
    print(f"Deleted {len(done.ids)} backups, {done.files} files, {done.bytes / 1e6:.1f} MB.")


@app.command()
def restore(
    context: typer.Context,
    where: BackupPlace,
    id_: Id = None,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="NAME", help="Only this CATALOG.NAMESPACE.TABLE, namespace or catalog."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FOLDER", help="Instead, write the file and the secrets into this new folder."),
    ] = None,
    key_file: KeyFile = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup back into a running lakehouse that has no rows yet, or only some tables of it.

    On a new machine, --into FOLDER first; then deploy there, and run this again. It can be repeated after a failure.
    """
    from bootstrap.backup.vault import vault

    if into is not None:
        if tables:
            raise UsageError("--into writes the file and the secrets, and no tables. Use it without --table.")
        there = vault(where)
        _unpack(there, there.manifest(id_), into, key_file)
        return
    target = context.obj.target()
    there = vault(where, target.scratch)
    manifest = there.manifest(id_)
    from bootstrap.backup.restore import restore as run
    from bootstrap.session.connect import connect

    lakehouse, connections = connect(target.path, target.stack)
    with _counting("restoring files") as restoring:
        done = run(there, manifest, connections, tables or [], restoring)
    if as_json:
        print_json({"id": manifest.id, "written": done.written, "tables": done.tables, "references": done.references})
    else:
        print(
            f"Backup {manifest.id} is restored: {len(done.tables)} tables and views, {done.written} files written, "
            f"{done.found} were there."
        )
    _apply(lakehouse, connections)


def _elsewhere(where: str, target: Target) -> None:
    """Raises UsageError if the backups would be lost with the lakehouse."""
    from lakehouse.runtimes.state import lost_with

    if target.in_aws or "://" in where:
        return
    if why := lost_with(target.local.state.root, Path(where).expanduser()):
        raise UsageError(f"{why}.")


def _apply(lakehouse: Any, connections: Any) -> None:
    """Grants, and what else the file says, as they are lost with the empty tables that a deploy had made."""
    from bootstrap.reconciler.reconcile import reconcile
    from bootstrap.reconciler.world import World

    outcome = reconcile(lakehouse, World.of(connections))
    for each in outcome.done:
        print(f"applied: {each.address}", file=sys.stderr)
    if outcome.exit_code:
        raise LakehouseError(
            "The tables are back, but not all is as the file says: `lakehouse apply` shows what fails."
        )


def _unpack(there: Vault, manifest: BackupManifest, into: Path, key_file: Path | None) -> None:
    from bootstrap.backup.bundle import Bundle, unpack
    from bootstrap.backup.sealing import opened
    from bootstrap.project.init import cdktf_json

    sealed: dict[str, bytes] = {}
    what = f"The secrets of backup {manifest.id}"
    if manifest.secrets is not None:
        data = there.read(manifest.secrets, "the file of secrets")
        sealed = opened(what, data, _passphrase(key_file, new=False))
    file = there.read(manifest.file, manifest.file_name)
    bundle = Bundle(manifest.lakehouse, manifest.stack, manifest.file_name, file, sealed)
    path = unpack(into.absolute(), bundle, cdktf_json())
    print(f"{path} is written{'' if sealed else ', without secrets: a deploy makes new ones'}. Next:")
    named = [] if manifest.file_name == "lakehouse.yaml" else ["--file", manifest.file_name]
    named += [] if manifest.stack == "local" else ["--stack", manifest.stack]
    again = ["backup", "restore", there.where, manifest.id]
    for words in (["cd", str(into)], ["lakehouse", *named, "deploy"], ["lakehouse", *named, *again]):
        print(f"  {shlex.join(words)}")


def _passphrase(key_file: Path | None, *, new: bool) -> bytes:
    """The passphrase. Raises UsageError if there is none, or if it is too short for a new backup."""
    from lakehouse.spec.schedule import SHORTEST

    if key_file is not None:
        try:
            found = key_file.read_bytes().strip()
        except OSError as error:
            raise UsageError(f"{key_file} cannot be read: {error.strerror}. Name the file of the passphrase.") from None
    elif _VARIABLE in os.environ:
        found = os.environ[_VARIABLE].encode()
    elif sys.stdin.isatty():
        found = typer.prompt("Passphrase of the secrets", hide_input=True, confirmation_prompt=new, err=True).encode()
    else:
        raise UsageError(
            f"The secrets need a passphrase: name its file with --key-file, or set ${_VARIABLE}"
            f"{', or leave them out with --no-secrets' if new else ''}."
        )
    if new and len(found) < SHORTEST:
        rule = f"it needs at least {SHORTEST} bytes. Who has it has all secrets"
        raise UsageError(f"The passphrase is too short: {rule}.")
    return found


@contextmanager
def _counting(what: str) -> Iterator[Any]:
    """A progress bar; silent if there is no terminal."""
    with output.progress() as bar:
        task = bar.add_task(what, total=None)
        yield lambda count, of: bar.update(task, completed=count, total=of)


def _row(of: BackupManifest) -> dict[str, Any]:
    return {
        "id": of.id,
        "created": of.created,
        "lakehouse": of.lakehouse,
        "stack": of.stack,
        "files": len(of.files),
        "bytes": of.size,
        "secrets": of.secrets is not None,
        "excluded": of.excluded,
    }
