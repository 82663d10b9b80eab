"""The suite's servers and fixtures."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.table import Table

from bootstrap import catalogs
from bootstrap.catalogs import tables
from bootstrap.catalogs.base import HasViews, SeenView
from bootstrap.reconciler.plan import Plan
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import RemoteError
from bootstrap.session import connect
from lakehouse.kinds import CATALOGS
from lakehouse.spec import Lakehouse, load
from tests.behaviour.project import Project
from tests.behaviour.servers import Servers, kinds, running

# `make test` runs every kind of store and of catalog once; `make matrix` runs each pair of them.
OF_STORES = ("test_stores", "test_seaweedfs")
LOCATION = "s3://warehouse/lake"  # of the catalog in the tests' lakehouses
PAIRS = {("s3proxy", "nessie"), ("minio", "nessie-rest")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        kinds = getattr(item, "callspec", None)
        store, catalog = (kinds.params.get(name) for name in ("servers", "connections")) if kinds else (None, None)
        other = (store, catalog) not in PAIRS if catalog else store != "s3proxy" and item.path.stem not in OF_STORES
        if store and other:
            item.add_marker(pytest.mark.matrix)


@pytest.fixture(scope="session", params=["s3proxy", "minio", "seaweedfs"])
def servers(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Servers]:
    """The whole suite runs over each store."""
    kind = str(request.param)
    # Catalogs of other kinds than Nessie meet other stores than the first only in the matrix.
    every = kind == "s3proxy" or any(item.get_closest_marker("matrix") for item in request.session.items)
    words = [word for word in kinds(kind) if every or word == "nessie" or CATALOGS[word].in_store]
    with running(tmp_path_factory.mktemp("servers"), kind, words) as up:
        yield up


@pytest.fixture(params=["nessie", "nessie-rest"])
def connections(servers: Servers, request: pytest.FixtureRequest, tmp_path: Any) -> Connections:
    """One catalog server, used in two ways: by its own API with kept facts, and as any Iceberg REST catalog."""
    kind = str(request.param)
    return servers.connections(tmp_path / "cache" if kind == "nessie" else None, kind=kind)


@pytest.fixture
def root(servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace that no other test has: the servers are shared. It is removed, because later plans would read it."""
    of: Servers = request.getfixturevalue("chosen") if "chosen" in request.fixturenames else servers
    name = f"t{uuid.uuid4().hex[:12]}"
    yield name
    with suppress(Exception):  # a test may leave what cannot be read, or a server that it broke
        _remove(name, of.connections())


def _remove(root: str, connections: Connections) -> None:
    """Remove the namespaces that begin with that name, and what they hold."""
    live = catalogs.connect("lake", connections)
    listed = live.facts((), lambda *_: None)
    names = {name for name in (*listed.others, *listed.other_views) if name.startswith(root)}
    found = live.read(names)
    for name, table in found.tables.items():
        with suppress(RemoteError):
            live.drop_table(name, table.uuid, purge=CATALOGS[connections.catalogs["lake"].kind].in_store)
    for name, view in found.views.items():
        assert isinstance(live, HasViews)
        with suppress(RemoteError):
            live.drop_view(name, SeenView(view.uuid, view.version))
    for name in sorted((name for name in listed.namespaces if name.startswith(root)), reverse=True):
        with suppress(RemoteError):
            live.drop_namespace(name)


@pytest.fixture
def below(connections: Connections, root: str) -> Callable[[str], str]:
    """A namespace within ``root``, by its own name; in a catalog of one level it is next to ``root``."""
    between = "." if CATALOGS[connections.catalogs["lake"].kind].can.nested_namespaces else "_"
    return lambda name: f"{root}{between}{name}"


@pytest.fixture
def project(servers: Servers, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    def connected(path: Path, stack: str) -> tuple[Lakehouse, object]:
        assert stack == "local"
        return load(path), servers.connections(tmp_path / "cache")

    monkeypatch.setattr(connect, "connect", connected)
    monkeypatch.setenv("CI", "1")
    made = Project(tmp_path / "lakehouse.yaml", root, servers)
    made.write()
    return made


def lakehouse(
    namespaces: dict[str, Any], *, managed: str = "shared", references: dict[str, Any] | None = None, **more: Any
) -> Lakehouse:
    """A lakehouse with these namespaces, branches and tags in its catalog ``lake``."""
    catalog = {"location": LOCATION, "managed": managed, "namespaces": namespaces, **(references or {})}
    return Lakehouse.model_validate(
        {
            "name": "behaviour",
            "buckets": {LOCATION.split("/")[2]: {}},
            "catalogs": {"lake": catalog},
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
            **more,
        }
    )


def table_of(servers: Servers, name: str) -> Table:
    """The table from its metadata file: Nessie's Iceberg REST endpoint may show the schema of the last rows."""
    connections = servers.connections()
    return tables.load(catalogs.connect("lake", connections), name, connections)


def only(plan: Plan, address: str) -> Plan:
    """The part of the plan for one object: the servers have those of other tests too."""
    return replace(plan, steps=tuple(step for step in plan.steps if step.address == address))
