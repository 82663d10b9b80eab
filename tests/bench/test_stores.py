"""What each local store costs: ready time, memory, and the rates of large and small objects, all in one run.

The stores take turns, so that the machine's load meets all of them alike. The client is boto3 with eight threads; on a
machine of two cores it takes more processor time than the servers. Seconds depend on the load; what counts are the
ratios and the processor time of the server. LAKEHOUSE_BENCH_STORES and LAKEHOUSE_BENCH_ROUNDS choose kinds and rounds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest

from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.s3 import client
from lakehouse import packages
from lakehouse.kinds.compose import services
from lakehouse.kinds.needed import needed
from lakehouse.runtimes import certificates
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
from lakehouse.spec import ports
from offline.go import build
from tests.behaviour.servers import REGION, awaited, bare, local, started
from tests.ports import free

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

KINDS = os.environ.get("LAKEHOUSE_BENCH_STORES", "s3proxy,seaweedfs,minio").split(",")
ROUNDS = int(os.environ.get("LAKEHOUSE_BENCH_ROUNDS", "3"))
PARALLEL = 8
LARGE, SMALL = (64, 8 << 20), (2000, 4 << 10)  # objects, and the bytes of each
KEYS = {"store-access-key": "behaviour", "store-secret-key": "b" * 40}

Measured = dict[str, float]


def timed(work: Callable[[str], object], keys: Iterable[str]) -> float:
    began = time.monotonic()
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(work, keys))
    return time.monotonic() - began


def prepared(kind: str, folder: Path) -> tuple[Service, State]:
    lakehouse, state = bare(kind), State(folder)
    state.prepare()
    asked = needed(lakehouse)
    packages.set_up(asked.packages, asked.javas, progress=False, build=build)
    names = ports(lakehouse, "local")
    place = ProcessPlace(state, dict(zip(names, free(len(names)), strict=True)))
    service = next(each for each in services(lakehouse, local(lakehouse), place) if each.name == kind)
    certificates.issue(state, [service])
    return service, state


def measured(service: Service, state: State) -> Measured:
    """One start with all the work, on an empty folder."""
    found: Measured = {}
    began = time.monotonic()
    with started(service, state, KEYS) as process:
        awaited(service, process, state)
        found["ready s"] = time.monotonic() - began
        server = psutil.Process(process.pid)
        found["MiB at ready"] = server.memory_full_info().pss / 2**20
        address = f"http://127.0.0.1:{service.probe.port}"
        s3 = client(StoreConnection(address, REGION, *KEYS.values()), parallel=PARALLEL)
        s3.create_bucket(Bucket="warehouse")

        def rates(name: str, count: int, size: int) -> None:
            body = os.urandom(size)
            keys = [f"{name}/{number}" for number in range(count)]

            def put(key: str) -> Any:
                return s3.put_object(Bucket="warehouse", Key=key, Body=body)

            def get(key: str) -> None:
                assert len(s3.get_object(Bucket="warehouse", Key=key)["Body"].read()) == size

            for verb, work in (("put", put), ("get", get)):
                before = cpu(server)
                seconds = timed(work, keys)
                unit, amount = ("MiB/s", count * size / 2**20) if name == "large" else ("/s", count)
                found[f"{verb} {name}, {unit}"] = amount / seconds
                found[f"{verb} {name}, server's CPU ms each"] = (cpu(server) - before) * 1000 / count

        rates("large", *LARGE)
        rates("small", *SMALL)
        found["MiB after the work"] = server.memory_full_info().pss / 2**20
        ending = time.monotonic()
    found["stop s (at most 3)"] = time.monotonic() - ending
    return found


def cpu(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.user + times.system)


def test_stores(tmp_path: Path) -> None:
    runs: dict[str, list[Measured]] = {kind: [] for kind in KINDS}
    print(f"\nload before {os.getloadavg()[0]:.1f}")
    for nth in range(ROUNDS):
        for kind in KINDS[nth % len(KINDS) :] + KINDS[: nth % len(KINDS)]:
            runs[kind].append(measured(*prepared(kind, tmp_path / f"{kind}-{nth}")))
            print(f"round {nth}, {kind}, load {os.getloadavg()[0]:.1f}: {runs[kind][-1]}")
    print(f"| | {' | '.join(KINDS)} |\n|{'---|' * (len(KINDS) + 1)}")
    for name in runs[KINDS[0]][0]:
        values = [median(run[name] for run in runs[kind]) for kind in KINDS]
        ratios = [f"{value:.4g} ({value / values[0]:.2f})" if values[0] else f"{value:.4g}" for value in values]
        print(f"| {name} | {' | '.join(ratios)} |")
