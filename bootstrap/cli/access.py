"""``lakehouse access``: who may do what, the principals' keys, and the proof that the file is enforced."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from bootstrap.cli.options import JsonOption, print_json
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.text.words import listed

if TYPE_CHECKING:
    from rich.table import Table

    from bootstrap.catalogs.polaris_principals import PolarisPrincipals
    from bootstrap.engines.trino_files import TrinoFiles
    from bootstrap.remote.connections import Connections
    from bootstrap.session.target import Target
    from bootstrap.stores.users import UserAdmin

app = typer.Typer(
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Show who may do what; hand out and replace a principal's keys; test that the file is enforced.",
)
PrincipalArgument = Annotated[str, typer.Argument(help="As `access.principals` of the file names it.")]


@app.callback(invoke_without_command=True)
def access(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show who may do what, and why, by the file's roles and principals, and what each layer enforces of it."""
    if context.invoked_subcommand is not None:
        return
    from bootstrap.session.target import find
    from lakehouse.access.explain import explain
    from lakehouse.access.layers import layers

    target = find(context.obj.file, context.obj.stack)
    lakehouse = target.lakehouse
    if context.obj.stack not in (None, *lakehouse.stacks):
        raise UsageError(f'{target.path.name} has no stack "{context.obj.stack}". It has {listed(lakehouse.stacks)}.')
    rows = explain(lakehouse)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    output.console(width=200).print(
        _table(("PRINCIPAL", "MAY", "ON", "BECAUSE"), (tuple(asdict(row).values()) for row in rows))
    )
    for stack in [context.obj.stack] if context.obj.stack else lakehouse.stacks:
        print(f"\nOn stacks.{stack}:")
        own = (tuple(asdict(each).values()) for each in layers(lakehouse, stack))
        output.console(width=200).print(_table(("LAYER", "ENFORCES", "NOT"), own))


@app.command()
def credentials(
    context: typer.Context,
    principal: PrincipalArgument,
    to: Annotated[Path | None, typer.Option(help="The file to write; by default one in the state folder.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the keys on the screen, and write no file.")] = False,
) -> None:
    """Write a principal's keys for the store, and its credentials for Polaris and Trino, to a file for you only."""
    from lakehouse.runtimes.state import write_private

    at = _servers(context, principal)
    content = "\n".join(at.written(principal))
    if not content:
        raise UsageError(
            f"{principal} has no keys: a deploy or `lakehouse apply` makes them if its roles grant files or tables."
        )
    if show:
        output.reveal(content)
        return
    path = to or at.target.local.state.root / "access" / f"{principal}.ini"
    try:
        write_private(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. Name another file with --to.") from None
    print(f"The keys of {principal} are in {path}.")
    if at.users is not None:
        print(f"For example: AWS_CONFIG_FILE={path} aws s3 ls")


@app.command()
def rotate(
    context: typer.Context,
    principal: Annotated[str | None, typer.Argument(help="As `access.principals` of the file names it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All principals that have keys.")] = False,
    end_former: Annotated[
        bool, typer.Option("--end-former", help="Make no keys; end those that the last rotation has replaced.")
    ] = False,
) -> None:
    """Give a principal new keys. The store's former ones work until `--end-former`, so no query is lost.

    Polaris has one pair for each principal: its former one gets no new token from then on. Trino has one password for
    each: the former one ends within two seconds, and queries that run go on.
    """
    if (principal is None) != every:
        raise UsageError("Name one principal, or give --all.")
    from bootstrap.remote.errors import Missing

    at = _servers(context, principal)
    lost = []
    for each in [principal] if principal else list(at.target.lakehouse.access.principals):
        if not any(True for _ in at.written(each)):
            if every:
                continue
            raise UsageError(f"{each} has no keys: a deploy or `lakehouse apply` makes them if its roles grant any.")
        try:
            for line in at.ended(each) if end_former else at.renewed(each):
                print(at.target.advice(line))
        except Missing:
            lost.append(each)  # the others of --all go on
    if lost:
        raise LakehouseError(
            f"{', '.join(lost)}: not on the server. A deploy or `lakehouse apply` makes what is missing."
        )


@app.command(name="test")
def try_calls(
    context: typer.Context,
    principal: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show every call, not only those that are not as the file says.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Try at the store and in Trino, with each principal's own keys, what the file allows and what it does not.

    At a store with users: in each namespace's and table's folder, list, get, put and delete an object of the test. In a
    Trino that asks for passwords: list, read, change, create and drop tables, and look for what a filter or mask must
    hide. Nothing stays. Exit code 1 if one of them allows more or less than the file.
    """
    at = _servers(context, principal)
    if at.users is None and at.trino is None:
        where = f"{at.target.path.name}: stacks.{at.target.stack}"
        raise UsageError(f"{where} has no {_store_with_users()} and no {_TRINO}, and nothing else is tried.")
    found = list(at.tried(principal))
    wrong = [each for each in found if each.allowed != each.wanted]
    rows = [
        (each.principal, each.call, each.on, each.at, _word(each.wanted), _word(each.allowed))
        for each in (found if every else wrong)
    ]
    headings = ("PRINCIPAL", "CALL", "ON", "AT", "FILE", "FOUND")
    if as_json:
        print_json([dict(zip(map(str.lower, headings), row, strict=True)) for row in rows])
    elif rows:
        output.console(width=200).print(_table(headings, rows))
    if wrong:
        print(f"{len(wrong)} of {len(found)} calls were not answered as the file says.", file=sys.stderr)
        raise typer.Exit(1)
    if not as_json:
        asked = " and ".join(dict.fromkeys(each.at for each in found)) or "nobody"
        print(f"{len(found)} calls at {asked}, all answered as the file says. Nothing else was asked.")


_TRINO = "Trino with `authentication: password`"


@dataclass(frozen=True)
class _Tried:
    """A call of a principal, whether the file allows it (``wanted``), and whether the server did."""

    principal: str
    call: str
    on: str
    at: str
    wanted: bool
    allowed: bool


@dataclass(frozen=True)
class _Servers:
    """A stack on this machine, and its servers that know principals."""

    target: Target
    connections: Connections
    users: UserAdmin | None
    principals: PolarisPrincipals | None
    trino: TrinoFiles | None = None

    def name(self, principal: str) -> str:
        return f"{self.target.lakehouse.name}-{principal}"

    def written(self, principal: str) -> Iterator[str]:
        """The principal's credentials, as sections of an INI file; nothing if it has none."""
        name, store = self.name(principal), self.connections.store
        if self.users is not None and (pair := self.users.keys.pair(name)):
            yield (
                f"[default]\naws_access_key_id = {pair[0]}\naws_secret_access_key = {pair[1]}\n"
                f"region = {store.region}\nendpoint_url = {store.endpoint}\ns3 =\n    addressing_style = path\n"
            )
        if self.principals is not None and (pair := self.principals.keys.pair(name)):
            yield f"[polaris]\nuri = {self.principals.uri}\nclient_id = {pair[0]}\nclient_secret = {pair[1]}\n"
        if self.trino is not None and (password := self.trino.password(principal)):
            from bootstrap.session.trino_login import authority

            uri, ca = self.target.local.addresses["trino"].removesuffix("/ui/"), authority(self.target)
            yield f"[trino]\nuri = {uri}\nuser = {principal}\npassword = {password}\nca = {ca}\n"

    def renewed(self, principal: str) -> Iterator[str]:
        """Give it new keys everywhere. Yields what that means. Raises Missing."""
        name = self.name(principal)
        if self.users is not None and self.users.keys.pair(name):
            self.users.renew(name)
            yield (
                f"{principal} has new keys: `lakehouse access credentials {principal}`. The store's former ones work "
                f"until `lakehouse access rotate {principal} --end-former`, which stops whoever still uses them."
            )
        if self.principals is not None and self.principals.keys.pair(name):
            self.principals.renew(name)
            yield (
                f"{principal} has new credentials at Polaris. The former ones get no token any more; whoever "
                "has one goes on until it ends, after an hour at most."
            )
        if self.trino is not None and self.trino.password(principal):
            from lakehouse.kinds.engines.trino_password import SECONDS

            self.trino.renew(principal)
            former = f"The former one ends within {SECONDS} s; queries that run go on"
            yield f"{principal} has a new password for Trino: `lakehouse access credentials {principal}`. {former}."

    def tried(self, principal: str | None) -> Iterator[_Tried]:
        """Make every call that is tried, of that principal or of all."""
        with output.progress() as bar:
            if (users := self.users) is not None:
                from bootstrap.stores import proof
                from lakehouse.access.proof import calls

                wanted = [call for call in calls(self.target.lakehouse) if principal in (None, call.principal)]
                store = self.target.local.endpoints.store.service
                task = bar.add_task(store, total=len(wanted))
                for each in proof.outcomes(wanted, self.connections, lambda name: users.keys.pair(self.name(name))):
                    bar.update(task, advance=1)
                    call = each.call
                    yield _Tried(call.principal, call.operation, call.place.name, store, call.allowed, each.allowed)
            if self.trino is not None:
                from bootstrap.operations import trino_proof

                in_trino = [
                    call for call in trino_proof.calls(self.target.lakehouse) if principal in (None, call.principal)
                ]
                task = bar.add_task("trino", total=len(in_trino))
                for got in trino_proof.outcomes(in_trino, self.target, self.trino.password):
                    bar.update(task, advance=1)
                    yield _Tried(
                        got.call.principal, got.call.operation, got.place, "trino", got.call.allowed, got.allowed
                    )

    def ended(self, principal: str) -> Iterator[str]:
        """End the former keys if the server lets them overlap. Yields what that means. Raises Missing."""
        if self.users is not None and self.users.keys.pair(self.name(principal)):
            yield f"{principal}: {self.users.end_former(self.name(principal))} former pairs of keys have ended."
        elif self.principals is not None:
            yield f"{principal}: its former credentials at Polaris ended when it got new ones."
        elif self.trino is not None:
            yield f"{principal}: its former password for Trino ended when it got a new one."


def _servers(context: typer.Context, principal: str | None) -> _Servers:
    """The stack's servers that know principals. Raises UsageError if there are none."""
    from bootstrap.reconciler.world import World
    from bootstrap.session.connect import connect

    target: Target = context.obj.target()
    where = f"{target.path.name}: "
    if target.in_aws:
        raise UsageError(f"{where}stacks.{target.stack} is in AWS, where principals are IAM roles and have no keys.")
    if principal is not None and principal not in target.lakehouse.access.principals:
        known = listed(target.lakehouse.access.principals) or "none"
        raise UsageError(f'{where}access.principals has no "{principal}". It has {known}.')
    _, connections = connect(target.path, target.stack)
    world = World.of(connections)
    if world.users is None and world.principals is None and world.trino is None:
        raise UsageError(
            f"{where}stacks.{target.stack} has no {_store_with_users()}, no catalog of kind polaris, and no {_TRINO}."
        )
    return _Servers(
        target,
        connections,
        world.users and world.users(),
        world.principals and world.principals(),
        world.trino and world.trino(),
    )


def _store_with_users() -> str:
    from lakehouse.kinds import STORES

    return f"store with users ({listed(word for word, each in STORES.items() if each.users)})"


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=heading not in ("MAY", "ENFORCES", "NOT"))  # they may hold a filter's text
    for row in rows:
        table.add_row(*(Text(each) for each in row))  # a filter is no markup
    return table


def _word(allowed: bool) -> str:
    return "allowed" if allowed else "denied"
