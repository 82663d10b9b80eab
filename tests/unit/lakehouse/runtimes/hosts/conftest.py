from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from lakehouse.kinds.compose import services
from lakehouse.runtimes import certificates
from lakehouse.runtimes.hosts.place import HostsPlace, Layout
from lakehouse.runtimes.hosts.steps import PlacedStack
from lakehouse.runtimes.incarnation import NONE, Incarnation
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.ports import listeners
from lakehouse.text.placeholders import issued, written
from tests.unit.lakehouse.spec.test_placed import ENGINES, SECURE_ENGINES, SECURE_STACK, STACK

#: What a host says of itself that lacks nothing.
FACTS: dict[str, Any] = {
    "lacks": [],
    "memory_mb": 1 << 20,
    "free_mb": 1 << 20,
    "free_inodes": None,
    "free_at": "/var/lib/lakehouse/demo-prod",
    "taken": {},
    "clock": 0.0,
    "machine": "",
    "owner": "",
    "caller": "10.0.0.1",
}

Placed = tuple[HostsPlace, tuple[Service, ...]]


def built(stack: dict[str, Any], engines: dict[str, Any], trust: str = "") -> Placed:
    """The services of a stack on hosts, and their place."""
    lakehouse = Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
            "engines": engines,
            "stacks": {"prod": stack},
        }
    )
    found = lakehouse.stacks["prod"]
    assert isinstance(found, LocalStack)
    named = listeners(lakehouse, found)
    place = HostsPlace(Layout("demo-prod"), found.hosts, found.place, found.store.kind, named, Path("/project"), trust)
    return place, services(lakehouse, found, place)


@pytest.fixture
def placed() -> Placed:
    """The services of a stack on two hosts, and their place."""
    return built(STACK, ENGINES)


@pytest.fixture
def secured() -> Placed:
    """Those of a secure one."""
    return built(SECURE_STACK, SECURE_ENGINES, "/state/authority.pem")


@pytest.fixture
def secure_stack(secured: Placed, tmp_path: Path) -> PlacedStack:
    """The stack, whose certificates are made."""
    place, services = secured
    state = State(tmp_path)
    certificates.issue(state, services)
    planned = {each.name: (each, Incarnation.new("digest")) for each in services}
    return PlacedStack(state, place, (IPv4Network("10.0.0.1"),), planned, dict.fromkeys(place.hosts, NONE))


def deployed(stack: PlacedStack) -> None:
    """The copies that a deploy leaves here."""
    for service in stack.services:
        for file in service.files:
            if issued(file.text):
                write_private(stack.state.config(service.name) / file.path, written(file.text, stack.state.secret))


def renewed(stack: PlacedStack, *of: str) -> None:
    """Other certificates of these names, as a deploy or `lakehouse secret renew` makes them."""
    for name in of:
        certificates.make(stack.state, certificates.wanted(stack.services)[name])
