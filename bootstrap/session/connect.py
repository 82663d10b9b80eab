"""From the file and a stack's name to what the bootstrap talks to."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal

from bootstrap.remote.auth import NONE, Auth, Bearer, ClientCredentials, SigV4
from bootstrap.remote.connections import (
    AwsAccount,
    BucketOwner,
    CatalogConnection,
    ConnectConnection,
    Connections,
    StoreConnection,
)
from bootstrap.remote.errors import Unreachable
from lakehouse.errors import LakehouseError
from lakehouse.kinds import STORES
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.engines import trino
from lakehouse.kinds.pipelines import connect as pipelines
from lakehouse.kinds.pipelines import seatunnel
from lakehouse.kinds.pipelines.connectors import connectors
from lakehouse.runtimes import owner
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import locate
from lakehouse.services.service import File
from lakehouse.spec import AwsStack, Lakehouse, LocalStack, load
from lakehouse.text.placeholders import Secret, filled


def connect(path: Path, stack: str) -> tuple[Lakehouse, Connections]:
    """The lakehouse of the file, and the connections to it in that stack.

    Raises SpecError if the file is invalid, UsageError if the file has no such stack, and LakehouseError if its state
    folder belongs to another lakehouse.
    """
    lakehouse = load(path, engines=False)  # whether engines support it is checked elsewhere
    if isinstance(lakehouse.stacks.get(stack), AwsStack):
        from bootstrap.session import aws

        return aws.connect(lakehouse, stack, path)
    local = locate(lakehouse, stack, path.resolve())
    owner.check(local.state, local.claim)
    user_api = STORES[local.endpoints.store.service].users
    return lakehouse, Connections(
        store=store(local),
        catalogs={each.name: catalog(each, local.state.value) for each in local.endpoints.catalogs},
        cache=local.state.root / "cache",
        folder=path.resolve().parent,
        owner=_bucket_owner(local),
        user_keys=local.state,
        user_api=user_api,
        trino_users=_trino_users(lakehouse, stack),
        trino_files=_bring(local),
        connect=kafka_connect(lakehouse, stack, local),
        jobs=lambda: _jobs(local),
    )


def _jobs(local: Local) -> Collection[str] | None:
    """The pipelines of the SeaTunnel that runs, by the file that it was started with; None: that cannot be read."""
    if seatunnel.WORD not in local.runtime.processes():
        return ()
    try:
        found: dict[str, object] = json.loads((local.state.config(seatunnel.WORD) / seatunnel.JOBS).read_text())
        return found.keys()
    except (OSError, ValueError):
        return None


def kafka_connect(lakehouse: Lakehouse, stack: str, local: Local) -> ConnectConnection | None:
    """The connection to the stack's Kafka Connect; None if it has none."""
    if pipelines.WORD not in local.listeners:
        return None
    wanted = connectors(lakehouse, stack, local.place, local.endpoints.catalogs)
    return ConnectConnection(local.place.external(pipelines.WORD).url("http"), wanted)


def catalog(at: CatalogEndpoint, value: Callable[[Secret], str]) -> CatalogConnection:
    """The connection to a catalog of a local stack; ``value`` gives the values of the secrets in its state folder."""
    kind = at.kind
    auth: Auth = NONE
    trust = at.trust or None
    if (login := kind.login) is not None:
        client, proof = (value(each) for each in (login.credential.name, login.credential.value))
        address = f"{at.external}{login.tokens}"
        auth = ClientCredentials(f'catalog "{at.name}"', address, client, proof, login.scope, trust=trust)
    if kind.signs:
        name, key = (
            filled(each, lambda name: value(Secret(name))) for each in (at.store.access_key, at.store.secret_key)
        )
        auth = SigV4.of(name, key, kind.signs, at.store.region)
    if (token := kind.token(at)) is not None:
        auth = Bearer(value(token))
    storage = None if kind.storage is None else kind.storage(at)
    own, account = kind.account(at), None
    if own is not None:
        account = AwsAccount(own.region, *(value(each) for each in (own.keys.name, own.keys.value)))
    return CatalogConnection(
        kind.word, at.uri, at.warehouse, at.api, auth=auth, trust=trust, account=account, storage=storage
    )


def _trino_users(lakehouse: Lakehouse, stack: str) -> Literal["", "process", "docker", "hosts"]:
    engine, there = lakehouse.engines.trino, lakehouse.stacks[stack]
    asks = engine is not None and engine.authentication is not None
    return there.runtime if asks and isinstance(there, LocalStack) else ""


def _bring(local: Local) -> Callable[[str, str], None] | None:
    """Writes a file of Trino's where Trino runs on another machine; None: it runs on this one.

    It raises Unreachable if that machine does not answer.
    """
    if not local.runtime.remote:
        return None

    def write(path: str, text: str) -> None:
        try:
            local.runtime.configure(trino.NAME, [File(path, text)])
        except LakehouseError as error:
            raise Unreachable("Trino's configuration", local.place.host(trino.NAME), str(error)) from error

    return write


def _bucket_owner(local: Local) -> BucketOwner:
    mark = owner.read(local.state.root)
    if mark is None:  # from an earlier version, until the next deploy
        return BucketOwner("", local.claim.owner.lakehouse, local.claim.owner.stack)
    return BucketOwner(mark.id, mark.lakehouse, mark.stack, None if mark.buckets else local.state.root)


def store(local: Local) -> StoreConnection:
    """The connection to a local stack's object store, with the keys of its state folder."""
    at = local.endpoints.store
    return StoreConnection(
        endpoint=at.external,
        region=at.region,
        access_key=filled(at.access_key, local.state.secret),
        secret_key=filled(at.secret_key, local.state.secret),
        trust=at.trust or None,
        has_tables=STORES[at.service].has_tables and not STORES[at.service].warehouses,
    )
