from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from lakehouse.runtimes.hosts import remembered
from lakehouse.runtimes.hosts.place import Layout
from lakehouse.runtimes.hosts.remembered import HostMemory
from lakehouse.runtimes.incarnation import NONE, Incarnation
from lakehouse.runtimes.state import State
from lakehouse.services.service import Drain, Probe, Service
from lakehouse.spec.hosts import Host
from lakehouse.text.placeholders import Basic, Secret

NESSIE = Service("nessie", "", (), (), Probe("tcp"))
WORKER = replace(NESSIE, name="trino-worker-1", drain=Drain("trino-worker", 8080, "/state", done="DRAINED", put="IT"))
_BY_TLS = Drain("trino-worker", 8443, "/state", done="DRAINED", trust="a.pem", shows=Basic(Secret("password"), "ann"))
SECURED = replace(NESSIE, name="trino-worker-2", drain=_BY_TLS)
A = HostMemory(Host(address="10.0.0.11", user="admin"), Layout("demo-prod"), Incarnation("d", "s", "why"), "rules")


def test_a_host_is_remembered_until_it_is_cleared(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert remembered.recall(state, "a") is None
    remembered.keep(state, "a", A)
    for service, host in ((replace(WORKER, name="trino", drain=None), "a"), (NESSIE, "a"), (WORKER, "b")):
        remembered.came(state, service, host)
    assert remembered.recall(state, "a") == A
    assert remembered.names(state) == ["a"]
    remembered.left(state, "nessie")
    assert remembered.of_host(state, "a") == ["trino"]
    remembered.forget(state, "a")
    assert remembered.names(state) == []
    assert remembered.of_host(state, "a") == []
    assert remembered.of_host(state, "b") == ["trino-worker-1"]


def test_a_service_is_drained_as_it_was_started_last(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert remembered.drain(state, "trino-worker-1") is None
    for each in (WORKER, NESSIE, SECURED):
        remembered.came(state, each, "a")
    assert remembered.drain(state, "trino-worker-1") == WORKER.drain
    assert remembered.drain(state, "trino-worker-2") == SECURED.drain
    assert remembered.drain(state, "nessie") is None


def test_what_an_earlier_version_remembered_is_set_up_again(tmp_path: Path) -> None:
    state = State(tmp_path)
    remembered.keep(state, "a", A)
    path = remembered.path_of(state, "a")
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: content[key] for key in ("host", "id")}))
    found = remembered.recall(state, "a")
    assert found is not None
    assert (found.host, found.incarnation) == (A.host, NONE)
