"""The client of Polaris's catalogs; its answers are in tests/behaviour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bootstrap.catalogs import polaris_principals
from bootstrap.catalogs.polaris import PolarisCatalog
from bootstrap.remote.connections import CatalogConnection, Connections, StoreConnection
from lakehouse.runtimes.state import State

AT = CatalogConnection("polaris", "http://127.0.0.1:2", "lake", "http://127.0.0.1:2/api/management/v1")


class Server:
    """The requests that are sent to it. Its catalog has a role of ours and one of others."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def get(self, path: str) -> Any:
        return {"roles": [{"name": name} for name in ("catalog_admin", "demo-a", "theirs")]}

    def request(self, method: str, path: str) -> None:
        self.sent.append(f"{method} {path}")


@pytest.mark.parametrize("managed", [True, False])
def test_no_role_of_ours_holds_back_a_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, managed: bool) -> None:
    state, server = State(tmp_path), Server()
    state.keep("demo-a-client-id", "x")
    monkeypatch.setattr(polaris_principals, "Http", lambda *_, **__: server)
    store = StoreConnection("http://127.0.0.1:1", "us-east-1")
    connections = Connections(store, {"lake": AT}, user_keys=state if managed else None)
    catalog = PolarisCatalog("lake", AT, connections)
    catalog.management = server  # type: ignore[assignment]
    catalog.drop_catalog("old")
    ours = ["DELETE /catalogs/old/catalog-roles/demo-a"] if managed else []
    assert server.sent == [*ours, "DELETE /catalogs/old"]
