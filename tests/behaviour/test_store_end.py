"""The end of a store, as a runtime makes it: asked to stop while clients write, and killed if that takes too long."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.s3 import client
from lakehouse import packages
from lakehouse.kinds.compose import services
from lakehouse.kinds.needed import needed
from lakehouse.runtimes import certificates
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.spec import ports as named_ports
from tests.behaviour.servers import REGION, awaited, bare, local, started
from tests.integration.deployment import until
from tests.ports import free

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    "kind", ["seaweedfs", *(pytest.param(each, marks=pytest.mark.matrix) for each in ("s3proxy", "minio"))]
)
def test_what_a_store_acknowledged_outlives_its_end_and_nothing_is_left_outside_the_state_folder(
    kind: str, tmp_path: Path
) -> None:
    lakehouse, state = bare(kind), State(tmp_path / "state")
    state.prepare()
    packages.set_up(needed(lakehouse).packages, needed(lakehouse).javas, progress=False)
    place = ProcessPlace(state, dict(zip(names := named_ports(lakehouse, "local"), free(len(names)), strict=True)))
    service = next(each for each in services(lakehouse, local(lakehouse), place) if each.name == kind)
    certificates.issue(state, [service])
    keys = {"store-access-key": "behaviour", "store-secret-key": "b" * 40}
    store = StoreConnection(f"http://127.0.0.1:{place.port(kind)}", REGION, *keys.values())
    acknowledged: dict[str, bytes] = {}

    def write(writer: int) -> None:
        s3 = client(store, patience=5, attempts=1)
        with suppress(ClientError, BotoCoreError):
            for number in range(10_000):
                key, body = f"{writer}/{number}", os.urandom(20_000)
                s3.put_object(Bucket="warehouse", Key=key, Body=body)
                acknowledged[key] = body

    before = set(map(str, Path("/tmp").glob("*.sock"))) - set(service.leaves)  # of servers that were killed
    with started(service, state, keys) as process:
        awaited(service, process, state)
        client(store).create_bucket(Bucket="warehouse")
        with ThreadPoolExecutor(4) as pool:
            for writer in range(4):
                pool.submit(write, writer)
            until(lambda: len(acknowledged) > 100)
            numbers = {str(port.number) for port in service.ports}
            outside = {
                str(each) for each in Path("/tmp").glob("*.sock") if numbers & set(re.findall(r"\d+", each.name))
            }
            assert outside - before == set(service.leaves)
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(service.stop_seconds)
            process.kill()
    assert not any(map(os.path.exists, service.leaves))
    with started(service, state, keys) as process:
        awaited(service, process, state)
        s3 = client(store)
        for key, body in acknowledged.items():
            assert s3.get_object(Bucket="warehouse", Key=key)["Body"].read() == body, key
