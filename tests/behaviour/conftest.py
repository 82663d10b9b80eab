"""The suite's servers, and what its tests begin with."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from bootstrap.connections import Connections
from lakehouse.spec import Lakehouse
from tests.behaviour.servers import Servers, running


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("servers")) as up:
        yield up


@pytest.fixture(params=["nessie", "rest"])
def connections(servers: Servers, request: pytest.FixtureRequest, tmp_path: Any) -> Connections:
    """One catalog server, met in two ways: by its own API with kept facts, and as any Iceberg REST catalog."""
    kind = str(request.param)
    return servers.connections(tmp_path / "cache" if kind == "nessie" else None, kind=kind)


@pytest.fixture
def root() -> str:
    """A namespace that no other test has: the servers are shared."""
    return f"t{uuid.uuid4().hex[:12]}"


def lakehouse(namespaces: dict[str, Any], *, managed: str = "shared", **more: Any) -> Lakehouse:
    """A lakehouse with these namespaces in its catalog ``lake``."""
    return Lakehouse.model_validate(
        {
            "name": "behaviour",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake", "managed": managed, "namespaces": namespaces}},
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
            **more,
        }
    )
