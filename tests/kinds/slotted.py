"""What tests of replication slots share, on processes and in containers: who names a slot that nobody reads, and what
takes it away."""

from __future__ import annotations

from typing import Any

from lakehouse.spec import load, ports
from tests.integration.deployment import Deployment, kept, until
from tests.kinds.shop import Shop

PORTS = ("stacks", "local", "ports")


def assert_named_without_pipelines_until_both_keys(stack: Deployment, shop: Shop) -> None:
    """All of `pipelines` leaves the file at once: without Kafka Connect, nobody reads the slot, and the deploy says so.

    Afterwards the file is as it was, and not deployed.
    """
    address = f"slot {shop.slot} of shop at {shop.host}:{shop.port}"
    with kept(stack.file) as text:
        there = ports(load(stack.file), "local")
        stack.edit(text, {("pipelines",): None, ("stacks", "local", "credentials"): None, PORTS: None})
        stack.change(*PORTS, to={name: there[name] for name in ports(load(stack.file), "local")})
        assert f"No pipeline reads the replication {address}" in stack.lakehouse("deploy", "--yes")
        assert not {"kafka", "connect"} & stack.local.runtime.processes().keys()
        assert f"! {address}: no pipeline reads it, and it stays" in stack.lakehouse("plan")
        assert address in stack.lakehouse("drift", code=2)
        assert f"! {address}" in stack.lakehouse("apply")
        assert shop.slots == "1"
        assert f"done: {address}" in stack.lakehouse("apply", "--allow-destroy")
        assert shop.slots == "0"
        assert address not in stack.lakehouse("plan")


def assert_goes_with_its_pipeline(stack: Deployment, shop: Shop, left: dict[str, Any]) -> None:
    """A pipeline leaves the file, where others are ``left``: its slot stays until both keys are there."""
    assert shop.slots == "1"
    stack.change("pipelines", to=left)
    stack.lakehouse("apply")
    assert shop.slots == "1"
    stack.lakehouse("apply", "--allow-destroy")
    until(lambda: shop.slots == "0", 60)


def assert_goes_with_the_data(stack: Deployment, shop: Shop) -> None:
    """Nothing is left in the database then."""
    until(lambda: shop.slots == "1", 120)
    said = stack.lakehouse("destroy", "--yes")
    assert f"its replication slot {shop.slot} stays in shop at {shop.host}:{shop.port}" in said
    assert shop.slots == "1"
    stack.lakehouse("destroy", "--data", "--yes")
    assert shop.slots == "0"
    assert shop.sql("SELECT count(*) FROM pg_publication") == "0"
