"""A stack on this machine as a picture: its services in the order in which they come up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bootstrap.diagram.picture import Arrow, Card, Family, Group, Picture
from bootstrap.diagram.references import addresses
from bootstrap.session.synthesised import Synthesised

_FAMILIES: tuple[tuple[str, Family], ...] = (  # by how a service's name begins
    ("spark", "engine"),
    ("trino", "engine"),
    ("nessie", "catalog"),
    ("polaris", "catalog"),
    ("hive", "catalog"),
    ("iceberg-rest", "catalog"),
    ("postgres", "catalog"),
    ("s3proxy", "store"),
    ("minio", "store"),
    ("rustfs", "store"),
    ("aistor", "store"),
)
_KINDS: Mapping[Family, str] = {"engine": "Engine", "catalog": "Catalog", "store": "Object store", "step": "Step"}


def picture(stack: Synthesised) -> Picture:
    """The picture of a local stack: columns from what comes first to what waits for all of it."""
    blocks = stack.resources
    services = {str(each["name"]): each for each in stack.services}
    needs = {
        address: {each for each in addresses(block) if each in blocks and each != address}
        for address, block in blocks.items()
    }
    direct = _reduced(needs)
    levels = _levels(needs)
    cards = {address: _card(address, block, services) for address, block in blocks.items()}
    columns = [
        Group(
            f"column-{level}",
            "",
            "other",
            tuple(cards[address] for address in cards if levels[address] == level),
            gap=32,
        )
        for level in sorted(set(levels.values()))
    ]
    frame = Group("machine", "This machine", "watch", tuple(columns), len(columns))
    total = sum(int(each["memory_mb"]) for each in services.values())
    return Picture(
        title=f"The stack {stack.name} on this machine",
        subtitle=f"{len(blocks)} resources, {len(services)} services, at most {total / 1024:.1f} GiB of memory",
        root=Group("stack", "", "other", (frame,)),
        arrows=tuple(Arrow(need, address) for address in blocks for need in sorted(direct[address])),
        notes=("An arrow leads from what comes up first to what waits for it. Nothing listens beyond 127.0.0.1.",),
    )


def _card(address: str, block: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]) -> Card:
    name = _name(address, block)
    service = services.get(name)
    family: Family = "step"
    if service is not None:
        family = next((each for start, each in _FAMILIES if name.startswith(start)), "other")
    lines = []
    if service is not None:
        # Those that a person opens have a label; where none has, the first one.
        ports = [port for port in service["ports"] if port["label"]] or list(service["ports"])[:1]
        lines = [f"{port['number']}  {port['label'] or port['name']}" for port in ports]
        lines.append(f"at most {service['memory_mb']} MiB")
    elif "name" in block:  # an image or a network, as others know it
        lines = [str(block["name"])]
    type = address.partition(".")[0]
    kind = _KINDS.get(family, "Service") if type == "terraform_data" else type.replace("_", " ")
    return Card(address, name, kind, family, tuple(lines), (address,))


def _name(address: str, block: Mapping[str, Any]) -> str:
    path = str(block.get("//", {}).get("metadata", {}).get("path", ""))
    return path.rpartition("/")[2] or address.partition(".")[2]


def _levels(needs: Mapping[str, set[str]]) -> dict[str, int]:
    """How many must come up before, one after the other."""
    levels: dict[str, int] = {}

    def level(address: str) -> int:
        if address not in levels:
            levels[address] = max((level(need) + 1 for need in needs[address]), default=0)
        return levels[address]

    for address in needs:
        level(address)
    return levels


def _reduced(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Without the needs that others bring with them."""
    reach: dict[str, set[str]] = {}

    def reached(address: str) -> set[str]:
        if address not in reach:
            reach[address] = set(needs[address]).union(*(reached(need) for need in needs[address]))
        return reach[address]

    return {
        address: {need for need in wanted if not any(need in reached(other) for other in wanted if other != need)}
        for address, wanted in needs.items()
    }
