"""Connections to a stack on this machine; those to one in AWS are in test_aws.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.reconciler.world import World
from bootstrap.remote.auth import NONE, Bearer
from bootstrap.remote.connections import AwsAccount
from bootstrap.session.connect import connect
from lakehouse.errors import LakehouseError
from lakehouse.kinds import STORES
from lakehouse.runtimes.state import write_private


@pytest.mark.parametrize("store", [word for word, each in STORES.items() if each.service and not each.license])
def test_only_a_store_that_has_them_gets_users(file: Path, store: str) -> None:
    file.write_text(file.read_text().replace("store: s3proxy", f"store: {store}").replace("{s3proxy: ", f"{{{store}: "))
    assert f"store: {store}" in file.read_text()
    _, connections = connect(file, "local")
    assert (World.of(connections).users is not None) == bool(STORES[store].users)
    assert World.of(connections).principals is None, "its catalog is Nessie"
    assert connections.user_keys is not None
    assert connections.user_keys.root == file.parent / ".lakehouse" / "local"


def test_seeds_are_next_to_the_file_and_keys_in_no_text(file: Path) -> None:
    _, connections = connect(file, "local")
    assert connections.folder == file.parent
    assert connections.store.secret_key
    assert connections.store.secret_key not in repr(connections)


def test_glue_has_an_account_apart_from_the_store(file: Path) -> None:
    text = file.read_text().partition("stacks:")[0]
    stack = "{runtime: process, store: s3proxy, catalogs: {lake: {kind: glue, region: eu-west-1}}}"
    file.write_text(f"{text}stacks: {{local: {stack}}}\n")
    with pytest.raises(LakehouseError, match="`lakehouse deploy` writes the keys for AWS"):
        connect(file, "local")
    secrets = file.parent / ".lakehouse" / "local" / "secrets"
    write_private(secrets / "glue-access-key", "own")
    write_private(secrets / "glue-secret-key", "o" * 8)
    _, connections = connect(file, "local")
    assert connections.catalogs["lake"].account == AwsAccount("eu-west-1", "own", "o" * 8)
    assert connections.catalogs["lake"].warehouse == "s3://warehouse/lake"
    assert connections.store.access_key != "own"
    assert "o" * 8 not in repr(connections)


def test_a_secure_catalog_gets_a_token_and_is_trusted_by_the_authority_of_the_stack(file: Path) -> None:
    _, connections = connect(file, "local")
    assert (connections.catalogs["lake"].auth, connections.catalogs["lake"].trust) == (NONE, None)
    text = file.read_text().partition("engines:")[0].partition("stacks:")[0]
    stack = "{runtime: process, store: seaweedfs, secure: true, catalogs: {lake: nessie}}"
    file.write_text(f"{text}stacks: {{local: {stack}}}\n")
    with pytest.raises(LakehouseError, match=r"The token .*nessie-lakehouse.jwt is missing. `lakehouse deploy` makes"):
        connect(file, "local")
    state = file.parent / ".lakehouse" / "local"
    write_private(state / "secrets" / "nessie-lakehouse.jwt", "h.c.s")
    _, connections = connect(file, "local")
    found = connections.catalogs["lake"]
    assert found.auth == Bearer("h.c.s")
    assert found.trust == connections.store.trust == str(state / "certificates" / "authority" / "certificate.pem")
    assert found.uri.startswith("https://")
    assert "h.c.s" not in repr(connections)
