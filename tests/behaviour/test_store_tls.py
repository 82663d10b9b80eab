"""A store of a secure stack: it has only TLS, and who trusts another authority than the stack's sends it nothing."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import urllib3
from urllib3 import exceptions

from bootstrap.remote import trust
from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.errors import Refused
from bootstrap.remote.s3 import client, typed
from bootstrap.remote.trusting import TrustingFileIO
from lakehouse import packages
from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.needed import needed
from lakehouse.runtimes import certificates
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import TRUSTED
from lakehouse.spec import ports as named_ports
from lakehouse.spec.stacks import Secure
from tests.behaviour.servers import REGION, awaited, bare, local, started
from tests.ports import free

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

KEYS = {"store-access-key": "behaviour", "store-secret-key": "b" * 40}
KINDS = ["s3proxy", *(pytest.param(each, marks=pytest.mark.matrix) for each in ("seaweedfs", "minio"))]


@dataclass(frozen=True)
class Secured:
    store: StoreConnection
    ports: dict[str, int]


@contextmanager
def secured(kind: str, folder: Path) -> Iterator[Secured]:
    lakehouse, state = bare(kind), State(folder / "state")
    state.prepare()
    packages.set_up(needed(lakehouse).packages, needed(lakehouse).javas, progress=False)
    ports = dict(zip(names := named_ports(lakehouse, "local"), free(len(names)), strict=True))
    place = ProcessPlace(state, ports, trust=str(state.kept(TRUSTED.kept)))
    stack = local(lakehouse).model_copy(update={"secure": Secure()})
    service = next(each for each in services(lakehouse, stack, place) if each.name == kind)
    certificates.issue(state, [service])
    at = endpoints(lakehouse, stack, place).store
    with started(service, state, KEYS) as process:
        awaited(service, process, state)
        named = {port.name: port.number for port in service.ports}
        access_key, secret_key = KEYS.values()
        yield Secured(StoreConnection(at.external, REGION, access_key, secret_key, trust=at.trust), named)


def in_plain(port: int) -> int:
    """The status of an answer to a request without TLS; 0: there is none."""
    with urllib3.PoolManager(retries=False, timeout=10.0) as pool:
        try:
            return pool.request("GET", f"http://127.0.0.1:{port}/").status
        except exceptions.HTTPError:
            return 0


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_reached_by_tls_alone_and_only_by_who_trusts_its_authority(kind: str, tmp_path: Path) -> None:
    with secured(kind, tmp_path) as found:
        store = found.store
        s3 = client(store)
        s3.create_bucket(Bucket="warehouse")
        s3.put_object(Bucket="warehouse", Key="a", Body=b"content")

        files = {"s3.endpoint": str(store.endpoint), "s3.region": REGION}
        files |= dict(zip(("s3.access-key-id", "s3.secret-access-key"), KEYS.values(), strict=True))
        trusting = TrustingFileIO({**files, **trust.of_store(store.trust)})
        with trusting.new_output("s3://warehouse/b").create() as out:
            out.write(b"written")
        assert s3.get_object(Bucket="warehouse", Key="b")["Body"].read() == b"written"
        with pytest.raises(OSError, match="SSL"):
            TrustingFileIO(files).new_input("s3://warehouse/a").open().read()

        other = State(tmp_path / "other")
        certificates.make(other, TRUSTED)
        stranger = replace(store, trust=str(other.kept(TRUSTED.kept)))
        for each in (stranger, replace(store, trust=None)):
            with pytest.raises(Refused, match="cannot be trusted"), typed(str(store.endpoint)):
                client(each, attempts=1).list_buckets()

        assert {in_plain(number) for number in found.ports.values()} <= {0, 400}
        assert "BEGIN CERTIFICATE" in ssl.get_server_certificate(("127.0.0.1", found.ports[kind]), timeout=10)
