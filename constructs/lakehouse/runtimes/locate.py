"""Finds a local stack of any runtime. It is the registry of runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from lakehouse.errors import UsageError
from lakehouse.kinds.compose import endpoints, services
from lakehouse.runtimes import owner
from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.kind import RuntimeKind
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.owner import Owner, OwnerClaim
from lakehouse.runtimes.state import State, folder, terraform_state
from lakehouse.services.certificate import TRUSTED, Given
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.ports import listeners
from lakehouse.spec.stacks import Secure
from lakehouse.text.terminal import is_hidden, shown
from lakehouse.text.words import suggest


def runtime(word: str) -> RuntimeKind:
    """The runtime of that name. It is imported only if a stack uses it, because Docker's client takes 0.1 s."""
    match word:
        case "docker":
            from lakehouse.runtimes.docker import kind as docker

            return docker
        case "process":
            from lakehouse.runtimes.process import kind as process

            return process
        case "hosts":
            from lakehouse.runtimes.hosts import kind as hosts

            return hosts
    raise AssertionError(word)  # the model of the file has no other


def explained(holder: PortHolder) -> PortHolder:
    """The holder of a port, completed by all runtimes, because a stack of another runtime may have it."""
    for word in get_args(LocalStack.model_fields["runtime"].annotation):
        holder = runtime(word).explained(holder)
    return holder


def locate(lakehouse: Lakehouse, stack: str, path: Path) -> Local:
    """The local stack of that name in the lakehouse read from ``path``.

    Raises UsageError if the file has no such stack, it is not a local one, or its state folder cannot be one.
    """
    found = lakehouse.stacks.get(stack)
    if not isinstance(found, LocalStack):
        local = [name for name, each in lakehouse.stacks.items() if isinstance(each, LocalStack)]
        where = f'{path.name}: stacks: there is no stack "{stack}" that runs on machines of yours.'
        fix = f"Choose one with --stack: {', '.join(local)}." if local else "All are in AWS. Add a local one."
        raise UsageError(f"{where}{suggest(stack, local)} {fix}")
    state = State(folder(path, stack, found.state))
    if any(map(is_hidden, str(state.root))):
        raise UsageError(f"{shown(str(state.root))} contains an invisible character. Rename that folder.")
    if found.state is not None:
        owner.place(state.root, path, f'{path}: stacks.{stack}.state: "{found.state}"')
    named = listeners(lakehouse, found)
    kind = runtime(found.runtime)
    trust = str(state.kept(TRUSTED.kept)) if found.secure else ""
    place = kind.place(lakehouse, stack, state, named, path.parent, trust)
    there = services(lakehouse, found, place)
    return Local(
        state=state,
        place=place,
        everything=there,
        endpoints=endpoints(lakehouse, found, place),
        listeners=named,
        runtime=kind.runtime(lakehouse, stack, state, place, there),
        claim=_claim(lakehouse, stack, path, state),
        credentials=None if found.credentials is None else path.parent / found.credentials,
        given=_given(found.secure, path.parent, f"stacks.{stack}.secure"),
        clients=tuple(found.clients),
    )


def _given(secure: Secure | None, folder: Path, at: str) -> Given | None:
    if secure is None or secure.certificate is None or secure.key is None or secure.authority is None:
        return None
    return Given(folder / secure.certificate, folder / secure.key, folder / secure.authority, at)


def _claim(lakehouse: Lakehouse, stack: str, path: Path, state: State) -> OwnerClaim:
    known = terraform_state(path, stack)
    return owner.claim(
        state,
        Owner(lakehouse.name, stack, owner.new_id(), str(path.resolve()), str(state.root.resolve())),
        deployed=known.is_file() and known.stat().st_size > 0,
        catalogs=tuple((name, each.location) for name, each in lakehouse.catalogs.items()),
    )
