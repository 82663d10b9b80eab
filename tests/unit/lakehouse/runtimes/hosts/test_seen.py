from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.seen import asked, look
from lakehouse.runtimes.hosts.ssh import HostError, Ssh
from lakehouse.services.service import Service

RAW = {
    "ActiveState": "active",
    "SubState": "running",
    "Result": "success",
    "pid": 42,
    "uptime": 1,
    "memory": 1,
    "ready": True,
    "edited": False,
    "missing": [],
}


def test_each_host_is_asked_for_its_services_and_one_that_is_down_is_named(
    placed: tuple[HostsPlace, tuple[Service, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, services = placed
    asked: dict[str, dict[str, Any]] = {}

    def python(ssh: Ssh, _: Path, given: dict[str, Any]) -> Any:
        asked[ssh.name] = given
        if ssh.name == "b":
            raise HostError("down")
        # A worker that moved to b is still on a.
        return {
            "units": {"trino": RAW, "trino-worker-1": RAW},
            "missing": ["/opt/x.1"],
            "firewall": "rules",
            "facts": {"lacks": [], "time": time.time() - 1000},
        }

    monkeypatch.setattr(Ssh, "python", python)
    hosts = {name: Ssh(name, each, Path(), Path()) for name, each in place.hosts.items()}
    found = look(hosts, place, services)
    assert "trino" in asked["a"]["services"]
    assert "trino-worker-1" not in asked["a"]["services"]
    assert list(found.down) == ["b"]
    there = found.hosts["a"]
    assert (there.firewall, there.missing, there.units) == ("rules", ("/opt/x.1",), ("trino", "trino-worker-1"))
    assert round(there.facts["clock"]) == -1000
    assert {name: each.well for name, each in found.units.items()} == {"trino": True, "trino-worker-1": False}


def test_a_probe_by_tls_knows_whom_to_trust_on_its_host(secured: tuple[HostsPlace, tuple[Service, ...]]) -> None:
    place, services = secured
    there = {each.name: each for each in services}
    trino = asked(there["trino"], place)
    assert (trino["kind"], trino["trust"]) == ("https", "/etc/lakehouse/demo-prod/trino/authority.pem")
    assert asked(there["s3proxy"], place)["trust"] == ""
