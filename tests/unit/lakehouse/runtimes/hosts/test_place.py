"""A secure stack on hosts: whose name certificates have, and what listens where."""

from __future__ import annotations

from bootstrap.operations.doors import doors
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.services.service import LOOPBACK, Service
from lakehouse.spec.ports import is_plain
from lakehouse.text.placeholders import issued
from tests.unit.lakehouse.services.place import as_text

Placed = tuple[HostsPlace, tuple[Service, ...]]


def named(services: tuple[Service, ...]) -> dict[str, Service]:
    return {each.name: each for each in services}


def names(service: Service) -> set[str]:
    """The names in a service's own certificate."""
    return {name for file in service.files for part in issued(file.text) for name in part.names}


def test_a_certificate_has_the_addresses_of_its_host_inside_and_outside(secured: Placed) -> None:
    place, services = secured
    own = [each for each in services if names(each)]
    assert {each.name for each in own} >= {"s3proxy", "nessie", "trino", "trino-worker-1", "proxy-a", "proxy-b"}
    for each in own:
        host = place.hosts[place.on(each.name)]
        assert names(each) >= {host.inside, "localhost", LOOPBACK}
        assert {place.external(port.name).host for port in each.ports if not port.inner} <= names(each)
    assert "b.example" in names(named(services)["proxy-b"])


def test_each_host_has_a_proxy_and_what_is_behind_it_listens_only_there(secured: Placed) -> None:
    place, services = secured
    there = named(services)
    files = {host: _text(there[f"proxy-{host}"], "Caddyfile") for host in ("a", "b")}
    assert f":{place.port('spark-connect')} " in files["a"]
    assert f":{place.port('spark-worker-1-ui')} " in files["b"]
    assert f":{place.port('spark-worker-1-ui')} " not in files["a"]
    for host, text in files.items():
        assert place.on(f"proxy-{host}") == host
        assert {line.split("//")[1].split(":")[0] for line in text.splitlines() if "reverse_proxy" in line} == {
            LOOPBACK
        }
    behind = [each for each in services if any(is_plain(port.name) for port in each.ports)]
    assert {each.name for each in behind} == {"spark-master", "spark-connect", "spark-worker-1", "spark-worker-2"}
    assert {dict(each.environment)["SPARK_LOCAL_IP"] for each in behind} == {LOOPBACK}
    connect = _text(there["spark-connect"], "spark-defaults.conf").splitlines()
    assert f"spark.connect.grpc.binding.address={LOOPBACK}" in connect
    assert there["spark-master"].needs == ("proxy-a",)


def _text(service: Service, path: str) -> str:
    return next(as_text(each.text) for each in service.files if each.path == path)


def test_only_ports_behind_a_proxy_have_no_tls_and_they_are_shown_as_what_they_are(secured: Placed) -> None:
    place, services = secured
    plain = {port.name for each in services for port in each.ports if not port.encrypted}
    assert plain == {port.name for each in services for port in each.ports if is_plain(port.name)}
    shown = {each.port: each.address for each in doors(services, place)}
    assert {shown[name].rpartition(":")[0] for name in plain} == {LOOPBACK}
    assert shown["trino-worker-1"].startswith("10.0.0.12:")
