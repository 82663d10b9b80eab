"""Which ports are shown as open."""

from __future__ import annotations

from pathlib import Path

from bootstrap.operations.doors import CHOSEN, Door, doors
from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.services.service import Port, Probe, Service
from lakehouse.spec.kinds import Listener
from tests.unit.lakehouse.services.place import Somewhere, default

SOMEWHERE = Somewhere(default())
TRINO = SOMEWHERE.external("trino")


def service(port: Port, further: Port | None = None) -> Service:
    probe = Probe("tcp", port.number)
    return Service("one", "", packages=(), command=(), probe=probe, ports=(port,), further=further)


def test_only_a_port_with_a_login_and_tls_is_closed() -> None:
    closed = service(Port("trino", 1, "https", gives=""))
    plain = service(Port("trino", 1, gives=""))
    public = service(Port("trino", 1, "https", gives="its version"))
    assert list(doors([closed, plain, public], SOMEWHERE)) == [
        Door("trino", "one", str(TRINO), "", tls=False),
        Door("trino", "one", str(TRINO), "its version", tls=True),
    ]


def test_tls_that_the_scheme_does_not_say_counts() -> None:
    assert list(doors([service(Port("trino", 1, "tcp", gives="", tls=True))], SOMEWHERE)) == []


def test_a_port_of_which_nobody_has_said_it_is_not_closed() -> None:
    [door] = doors([service(Port("trino", 1, "https"))], SOMEWHERE)
    assert door.tls


def test_ports_that_a_service_chooses_are_one_line() -> None:
    chosen = Port("one-*", 0, "tcp", gives="rows")
    closed = service(Port("trino", 1, "https", gives=""), chosen)
    assert list(doors([closed], SOMEWHERE)) == [Door("one-*", "one", CHOSEN, "rows", tls=False)]
    assert (
        list(doors([service(Port("trino", 1, "https", gives=""), Port("one-*", 0, gives="", tls=True))], SOMEWHERE))
        == []
    )


def test_a_port_for_other_services_only_is_shown_where_they_find_it() -> None:
    listeners = {"one-plain": Listener("one-plain", 18181, 18181)}
    place = DockerPlace(listeners, Path("/"), trust="ca.pem")
    [door] = doors([service(Port("one-plain", 18181, gives="", inner=True))], place)
    assert door.address == "one:18181", "it is not published on this machine"
