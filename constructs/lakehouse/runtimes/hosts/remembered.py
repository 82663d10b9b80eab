"""What this machine remembers of the hosts of a stack, in its state folder: how each was set up, and who is where.

So a host can be cleared that the file no longer has, and one that does not answer is not taken for an empty one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lakehouse.runtimes import definitions
from lakehouse.runtimes.hosts.place import Layout
from lakehouse.runtimes.incarnation import NONE, Incarnation
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Drain, Service
from lakehouse.spec.hosts import Host

_HOST, _SERVICE = ".host.json", ".on"


@dataclass(frozen=True)
class HostMemory:
    """A host as it was set up. ``firewall`` is a digest."""

    host: Host
    layout: Layout
    incarnation: Incarnation
    firewall: str


def folder(state: State) -> Path:
    """What a deploy keeps of the hosts, in the state folder."""
    return state.root / "hosts"


def path_of(state: State, host: str) -> Path:
    """The file with what a host was when it was set up."""
    return folder(state) / f"{host}{_HOST}"


def keep(state: State, host: str, memory: HostMemory) -> None:
    """Remember how a host was set up."""
    content = {
        "host": memory.host.model_dump(mode="json"),
        "id": memory.layout.id,
        "incarnation": asdict(memory.incarnation),
        "firewall": memory.firewall,
    }
    write_private(path_of(state, host), json.dumps(content))


def recall(state: State, host: str) -> HostMemory | None:
    """How a host was set up; None if it was not, or was cleared since."""
    try:
        content = json.loads(path_of(state, host).read_text())
    except FileNotFoundError:
        return None
    made = content.get("incarnation")  # an earlier version kept none
    incarnation = Incarnation(**made) if made else NONE
    return HostMemory(
        Host.model_validate(content["host"]), Layout(content["id"]), incarnation, content.get("firewall", "")
    )


def forget(state: State, host: str) -> None:
    """Forget a host that was cleared, and the services on it."""
    for service in of_host(state, host):
        left(state, service)
    path_of(state, host).unlink(missing_ok=True)


def names(state: State) -> list[str]:
    """The hosts that were set up and not cleared since."""
    return [each.name.removesuffix(_HOST) for each in sorted(folder(state).glob(f"*{_HOST}"))]


def came(state: State, service: Service, host: str) -> None:
    """Remember on which host a service is, and how it is drained as it is now."""
    content = {"host": host, "drain": service.drain and asdict(service.drain)}
    write_private(folder(state) / f"{service.name}{_SERVICE}", json.dumps(content))


def left(state: State, service: str) -> None:
    """Forget a service that is on no host."""
    (folder(state) / f"{service}{_SERVICE}").unlink(missing_ok=True)


def drain(state: State, service: str) -> Drain | None:
    """How a service is drained, as it was started last; None if it cannot be."""
    return _places(state).get(service, ("", None))[1]


def of_host(state: State, host: str) -> list[str]:
    """The services that were last on a host."""
    return [name for name, (where, _) in _places(state).items() if where == host]


def _places(state: State) -> dict[str, tuple[str, Drain | None]]:
    found: dict[str, tuple[str, Drain | None]] = {}
    for each in sorted(folder(state).glob(f"*{_SERVICE}")):
        content = json.loads(each.read_text())
        known = content["drain"]
        found[each.name.removesuffix(_SERVICE)] = (content["host"], definitions.drain(known) if known else None)
    return found
