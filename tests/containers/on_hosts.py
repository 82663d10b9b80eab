"""A lakehouse on machines (tests/containers/machines.py), and what its tests ask of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from lakehouse.runtimes.hosts import uploads
from lakehouse.runtimes.hosts.runtime import Hosts
from tests.containers.machines import HOSTS, THIS
from tests.integration.deployment import Changes, Deployment, until

OPEN = {"network": "trusted"}
# Packages of a gigabyte go to each host, and a busy machine takes its time.
_PATIENCE = 1500  # seconds for a command


def made(
    folder: Path,
    key: Path | None,
    engines: Mapping[str, Any],
    options: Mapping[str, Any],
    changes: Changes | None = None,
) -> Deployment:
    """A lakehouse that nobody has deployed yet: S3Proxy and Nessie on two machines, where ``options`` of the stack
    say nothing else. With ``key``, the file with the key by which the machines' users log in, it can be.
    """
    stack = {
        "runtime": "hosts",
        "hosts": HOSTS,
        "clients": [THIS],
        "store": "s3proxy",
        "catalogs": {"lake": "nessie"},
        **options,
    }
    found = Deployment.make(folder, {("stacks",): {"local": stack}, ("engines",): engines, **(changes or {})})
    if key is not None:
        log_in_by(found, key)
    return replace(found, patience=_PATIENCE)


def log_in_by(stack: Deployment, key: Path) -> None:
    """Use the key to log in on the machines."""
    own = stack.folder / "id"  # by this name in HOSTS
    shutil.copy(key, own)
    own.chmod(0o600)


@contextmanager
def mirror(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """A server with the archives of these packages: its URL for the machines, and the paths that were fetched."""
    uploads.publish(names, folder)
    fetched: list[str] = []

    class Answers(SimpleHTTPRequestHandler):
        def log_request(self, *_: object) -> None:
            fetched.append(self.path)

    with ThreadingHTTPServer((THIS, 0), partial(Answers, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{THIS}:{server.server_port}", fetched
        finally:
            server.shutdown()


def hosts(stack: Deployment) -> Hosts:
    runtime = stack.local.runtime
    assert isinstance(runtime, Hosts)
    return runtime


def unit(stack: Deployment, service: str) -> str:
    return hosts(stack).place.layout.unit(service)


def pids(stack: Deployment) -> dict[str, int]:
    return {name: each.pid for name, each in hosts(stack).processes().items()}


def until_all_well(stack: Deployment) -> None:
    until(lambda: all(hosts(stack).healthy().values()), 300, lambda: stack.lakehouse("status", code=None))


def started_again(before: Mapping[str, int], after: Mapping[str, int]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def services_planned(stack: Deployment) -> set[str]:
    """What a deploy would touch, without the steps that any change brings along."""
    return stack.planned() - {"preflight", "bootstrap"}


def active_workers(stack: Deployment) -> dict[str, str]:
    """The addresses of Trino's workers that take part."""
    found = stack.trino("SELECT node_id, http_uri FROM system.runtime.nodes WHERE NOT coordinator AND state = 'active'")
    return {str(name): str(uri).split("//")[1].partition(":")[0] for name, uri in found}
