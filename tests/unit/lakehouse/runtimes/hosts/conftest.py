from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.kinds.compose import services
from lakehouse.runtimes.hosts.place import HostsPlace, Layout
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.ports import listeners
from tests.unit.lakehouse.spec.test_placed import ENGINES, STACK


@pytest.fixture
def placed() -> tuple[HostsPlace, tuple[Service, ...]]:
    """The services of a stack on two hosts, and their place."""
    lakehouse = Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
            "engines": ENGINES,
            "stacks": {"prod": STACK},
        }
    )
    stack = lakehouse.stacks["prod"]
    assert isinstance(stack, LocalStack)
    layout = Layout("demo-prod")
    place = HostsPlace(layout, stack.hosts, stack.place, "s3proxy", listeners(lakehouse, stack), Path("/project"))
    return place, services(lakehouse, stack, place)
