"""Kills, lost answers, repeated requests, two applies at once, other writers: the next apply loses nothing."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog

from bootstrap import catalogs
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Unreachable
from tests.behaviour.conftest import lakehouse, table_of
from tests.behaviour.faults import faulty
from tests.behaviour.reconciling import apply, make_plan, reconcile
from tests.behaviour.servers import REGION, Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(600)]

#: How many times an apply is killed; `make matrix` and nightly runs want more.
KILLS = int(os.environ.get("LAKEHOUSE_KILLS", "6"))
REPOSITORY = Path(__file__).parents[2]


def stage(root: str, number: int) -> dict[str, Any]:
    """A file's namespaces; each stage adds a bit to every table."""
    columns: dict[str, Any] = {"id": {"type": "long", "required": True}, "n": "int" if number < 2 else "long"}
    columns |= {f"c{added}": "string" for added in range(number)}
    table = {"columns": columns, "partition_by": [f"bucket({number + 2}, id)"], "properties": {"stage": str(number)}}
    return {f"{root}.n{space}": {"tables": {f"t{t}": table for t in range(4)}} for space in range(3)}


def through(connections: Connections, proxy: str) -> Connections:
    [catalog] = connections.catalogs.values()
    return replace(
        connections,
        catalogs={"lake": replace(catalog, uri=f"{proxy}/iceberg", api=f"{proxy}/api/v2")},
        patience=5.0,
    )


def check(root: str, wanted: dict[str, Any], servers: Servers) -> None:
    """Exactly the wanted columns, each once and with its own id; one table each; the rows of the first stage."""
    catalog = load_catalog("lake", **servers.pyiceberg())
    for space, content in wanted.items():
        assert {name[-1] for name in catalog.list_tables(space)} == set(content["tables"])
        for name, table in content["tables"].items():
            schema = table_of(servers, f"{space}.{name}").schema()
            assert schema.column_names == list(table["columns"])
            assert len({field.field_id for field in schema.fields}) == len(schema.fields)
            assert max(schema.field_ids) == len(schema.fields), "no id was given twice, and none was skipped"
    assert table_of(servers, f"{root}.n0.t0").scan().to_arrow().column("id").to_pylist() == [1, 2]


def first_rows(root: str, servers: Servers) -> None:
    table = load_catalog("lake", **servers.pyiceberg()).load_table(f"{root}.n0.t0")
    table.append(pa.table({"id": [1, 2], "n": [1, 2]}, schema=table.schema().as_arrow()))


def test_killed_at_any_moment_the_next_apply_converges(servers: Servers, root: str) -> None:
    connections = servers.connections()
    assert reconcile(lakehouse(stage(root, 0)), connections).exit_code == 0
    first_rows(root, servers)
    chance = random.Random(7)
    with faulty(servers.catalog, share=0.4, seed=7) as proxy, faulty(servers.store, share=0.1, seed=7) as store:
        [catalog] = through(connections, proxy.address).catalogs.values()
        whole = 0.0  # the time of an apply that is not killed, in seconds
        for kill in range(KILLS + 1):
            given = {
                "store": [store.address, REGION, servers.access_key, servers.secret_key],
                "catalog": [catalog.kind, catalog.uri, catalog.warehouse, catalog.api],
                "lakehouse": lakehouse(stage(root, 1 + kill)).model_dump(mode="json"),
            }
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.behaviour.reconcile_once"],
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'constructs'}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(given))
            process.stdin.close()
            assert process.stdout.readline() == "began\n"
            began = time.monotonic()
            if kill:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(chance.uniform(0.0, whole))
                process.kill()
            process.wait()
            process.stdout.close()
            whole = whole or time.monotonic() - began
        assert len(proxy.met) > 3, f"the proxy did its worst: {proxy.met}"
        assert len(store.met) > 3, f"so did the store's: {store.met}"
    last = stage(root, KILLS + 2)
    assert reconcile(lakehouse(last), connections).exit_code == 0
    assert not make_plan(lakehouse(last), connections).steps
    check(root, last, servers)


@pytest.mark.parametrize("seed", range(3))
def test_lost_late_and_repeated_requests_change_nothing_twice(servers: Servers, root: str, seed: int) -> None:
    connections = servers.connections()
    with faulty(servers.catalog, share=0.4, seed=seed) as proxy:
        for number in (0, 1, 2):
            for _ in range(4):  # an apply gives up after a few rounds, and says so
                if reconcile(lakehouse(stage(root, number)), through(connections, proxy.address)).exit_code == 0:
                    break
            else:
                pytest.fail("no apply came through")
            assert not make_plan(lakehouse(stage(root, number)), connections).steps
            if number == 0:
                first_rows(root, servers)
    check(root, stage(root, 2), servers)


def test_two_applies_at_once_end_in_the_same_state(servers: Servers, root: str) -> None:
    connections = servers.connections()
    for number in (0, 1, 2):
        wanted = lakehouse(stage(root, number))
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda _, wanted=wanted: reconcile(wanted, connections), range(2)))
        assert [outcome.exit_code for outcome in outcomes] == [0, 0], outcomes
        if number == 0:
            first_rows(root, servers)
    check(root, stage(root, 2), servers)


def test_a_writer_between_plan_and_apply_is_noticed(servers: Servers, root: str) -> None:
    connections = servers.connections()
    reconcile(lakehouse(stage(root, 0)), connections)
    first_rows(root, servers)
    late = make_plan(lakehouse(stage(root, 1)), connections)
    reconcile(lakehouse(stage(root, 2)), connections)
    outcome = apply(late, connections)
    assert len(outcome.failed) == 12
    assert all(failure.again for failure in outcome.failed)
    check(root, stage(root, 2), servers)


def test_one_failure_does_not_stop_the_others_and_is_counted(servers: Servers, root: str) -> None:
    connections = servers.connections()
    spaces = stage(root, 0)
    spaces[f"{root}.n1"]["tables"]["t1"] = {"columns": {"s": "struct<a: int>"}, "partition_by": ["s.a"]}
    rest = servers.connections(kind="nessie-rest")  # which does not know beforehand what Nessie cannot do
    outcome = reconcile(lakehouse(spaces), rest)
    assert outcome.exit_code == 1
    assert [failure.address for failure in outcome.failed] == [f"table lake.{root}.n1.t1"]
    assert len([done for done in outcome.done if done.address.startswith("table")]) == 11
    assert reconcile(lakehouse(spaces), connections).exit_code == 0, "Nessie's own API takes it"
    live, name = catalogs.connect("lake", connections), f"{root}.n1.t1"
    there = live.facts({name}, lambda count, of: None).tables[name]
    live.drop_table(name, there.uuid, purge=False)  # its REST endpoint cannot read it, and other tests read everything


def test_no_answer_is_reported_with_the_address_and_the_fix(servers: Servers, root: str, free_port: int) -> None:
    nowhere = through(servers.connections(), f"http://127.0.0.1:{free_port}")
    with pytest.raises(
        Unreachable, match=rf'catalog "lake" at http://127.0.0.1:{free_port}.*connection refused.*`lakehouse deploy`'
    ):
        make_plan(lakehouse(stage(root, 0)), nowhere)
    store = replace(servers.connections().store, endpoint=f"http://127.0.0.1:{free_port}")
    with pytest.raises(Unreachable, match=rf"object store at http://127.0.0.1:{free_port}"):
        make_plan(lakehouse(stage(root, 0)), replace(servers.connections(), store=store))


def test_kept_facts_never_make_a_plan_wrong(servers: Servers, root: str, tmp_path: Path) -> None:
    kept = servers.connections(tmp_path)
    wanted = lakehouse(stage(root, 0))
    assert reconcile(wanted, kept).exit_code == 0
    assert not make_plan(wanted, kept).steps
    reconcile(lakehouse(stage(root, 2)), servers.connections())  # behind its back
    fresh = make_plan(wanted, servers.connections())
    assert make_plan(wanted, kept).digest == fresh.digest
    assert fresh.exit_code == 1, "long does not become int again"
    [file] = tmp_path.iterdir()
    file.write_bytes(b"damaged" * 1000)
    assert make_plan(wanted, kept).digest == fresh.digest
    (tmp_path / "blocked").write_text("")
    assert make_plan(wanted, replace(kept, cache=tmp_path / "blocked" / "no")).digest == fresh.digest
