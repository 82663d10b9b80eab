from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bootstrap.operations.endpoints import of_stack
from bootstrap.operations.status import combine, duration, scheduled
from bootstrap.session.target import Target, find
from lakehouse.runtimes import owner
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.runs import FAILED, Runs
from lakehouse.runtimes.runtime import Process
from lakehouse.spec import Lakehouse, load
from tests.unit.lakehouse.services.place import PROJECT


def test_what_probes_supervisor_and_system_say_becomes_one_status(target: Target) -> None:
    services = target.local.services
    health = {each.name: each.name == "trino" for each in services}
    processes = {
        "trino": Process("trino", "RUNNING", 42, 3700, ""),
        "nessie": Process("nessie", "BACKOFF", 0, 9, "exited too quickly"),
    }
    by_name = {each.name: each for each in combine(target.local, health, processes, {"trino": 300 << 20})}
    trino, nessie, store = by_name["trino"], by_name["nessie"], by_name["s3proxy"]
    assert list(by_name) == [each.name for each in services]
    assert (trino.healthy, trino.state, trino.pid, trino.uptime_seconds, trino.memory_mb) == (
        True, "RUNNING", 42, 3700, 300,
    )  # fmt: skip
    assert (nessie.healthy, nessie.state, nessie.pid, nessie.uptime_seconds) == (False, "BACKOFF", None, None)
    assert (store.healthy, store.state, store.pid, store.memory_mb) == (False, "DOWN", None, None)
    assert trino.endpoints[0].external.endswith("/ui/")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "-"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m 0s"),
        (3599, "59m 59s"),
        (3600, "1h 0m"),
        (86399, "23h 59m"),
        (273600, "3d 4h"),
    ],
)
def test_durations(seconds: int | None, expected: str) -> None:
    assert duration(seconds) == expected


def test_every_endpoint_has_a_description_and_both_addresses(target: Target) -> None:
    found = of_stack(target.local)
    assert {"Trino", "Spark Connect", "S3 endpoint", "Iceberg REST (lake)", "Nessie API (lake)"} <= {
        each.name for each in found
    }
    assert all(each.meaning and each.internal for each in found)
    [trino] = [each for each in found if each.name == "Trino"]
    assert "any name, no password" in trino.meaning
    assert {urlsplit(each.external).hostname for each in found} == {"127.0.0.1", "localhost"}
    assert len({each.external for each in found}) == len(found)


def test_a_trino_that_asks_for_passwords_has_https_and_its_own_description(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    content = (PROJECT / "lakehouse.yaml").read_text()
    file.write_text(content.replace("trino: {", "trino: {authentication: password, "))
    found = of_stack(locate(load(file), "local", file))
    [trino] = [each for each in found if each.name == "Trino"]
    assert trino.external == "https://127.0.0.1:8085/ui/"
    assert "`lakehouse endpoints --for trino` says how to log in" in trino.meaning


def test_catalogs_of_one_server_share_its_address(tmp_path: Path) -> None:
    catalogs = {name: {"kind": "polaris", "home": "here"} for name in ("lake", "pond")}
    lakehouse = Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {name: {"location": f"s3://warehouse/{name}"} for name in catalogs},
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": catalogs}},
        }
    )
    found = of_stack(locate(lakehouse, "local", tmp_path / "lakehouse.yaml"))
    assert len(found) == len(set(found))
    assert {each.name for each in found} >= {"Polaris", "Iceberg REST (lake)", "Iceberg REST (pond)"}


def test_the_address_of_connect_takes_a_token(target: Target) -> None:
    local = target.local
    (connect,) = (each for each in of_stack(local) if each.name == "Spark Connect")
    number = local.ports["spark-connect"]
    assert connect.external == connect.internal == f"sc://localhost:{number}"


def test_the_schedule_is_a_line_that_names_what_failed(file: Path) -> None:
    assert scheduled(find(file, "local")) == ""
    file.write_text(file.read_text().rstrip().removesuffix("}") + ', schedule: {drift: "0 4 * * *"}}\n')
    target = find(file, "local")
    owner.mark(target.located.state, target.located.claim)
    runs = Runs(target.local.state)
    assert scheduled(target) == "the scheduler does not run: `lakehouse deploy` starts it"
    with runs.serving():
        assert scheduled(target) == "drift"
        runs.record(replace(runs.begin("drift", 1.0), ended=2.0, code=1, outcome=FAILED))
        assert scheduled(target) == "drift; the last run failed of drift: `lakehouse schedule history`"
