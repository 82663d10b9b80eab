"""Connections to a stack on this machine; those to one in AWS are in test_aws.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.reconciler.world import World
from bootstrap.session.connect import connect
from lakehouse.kinds import STORES


@pytest.mark.parametrize("store", [word for word, each in STORES.items() if each.service and not each.license])
def test_only_a_store_that_has_users_gets_the_folder_of_their_keys(file: Path, store: str) -> None:
    file.write_text(file.read_text().replace("store: s3proxy", f"store: {store}").replace("{s3proxy: ", f"{{{store}: "))
    assert f"store: {store}" in file.read_text()
    _, connections = connect(file, "local")
    has = STORES[store].users
    assert (connections.user_keys is not None, World.of(connections).users is not None) == (has, has)
    if connections.user_keys is not None:
        assert connections.user_keys.root == file.parent / ".lakehouse" / "local"


def test_seeds_are_next_to_the_file_and_keys_in_no_text(file: Path) -> None:
    _, connections = connect(file, "local")
    assert connections.folder == file.parent
    assert connections.store.secret_key
    assert connections.store.secret_key not in repr(connections)
