"""The services of Spark's cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lakehouse.kinds.engines.spark import spark
from lakehouse.kinds.engines.spark_cluster import cluster, defaults
from lakehouse.spec import SpecError, load
from tests.unit.lakehouse.services.place import PROJECT, Somewhere, as_text

# The begin of a worker's page, as Spark 3.5.9 and 4.1.4 write it.
ALONE = (
    '{\n  "id" : "worker-20261126051945-127.0.0.1-7079",\n  "masterurl" : "",\n  "masterwebuiurl" : "",\n  "cores" : 1,'
)
REGISTERED = ALONE.replace('"masterurl" : ""', '"masterurl" : "spark://127.0.0.1:7077"')


def test_a_worker_is_ready_only_once_its_master_has_registered_it() -> None:
    lakehouse = load(PROJECT / "lakehouse.yaml")
    found = spark(Somewhere(lakehouse), cluster(lakehouse), ())
    probes = [each.probe for each in found if each.name.startswith("spark-worker-")]
    assert len(probes) == 2
    assert [(probe.expect in ALONE, probe.expect in REGISTERED) for probe in probes] == [(False, True)] * 2


def test_one_of_several_workers_is_drained_where_services_are_and_drivers_know() -> None:
    lakehouse = load(PROJECT / "lakehouse.yaml")
    for workers, drained in ((1, False), (2, False), (1, True), (2, True)):
        place, settings = Somewhere(lakehouse, drains=drained), replace(cluster(lakehouse), workers=workers)
        found = {each.name: each for each in spark(place, settings, ())}
        for name in ("spark-worker-1", "spark-connect"):
            lines = as_text(found[name].files[0].text).splitlines()
            assert ("spark.decommission.enabled=true" in lines) is (drained and workers > 1)
        drain, probe = found["spark-worker-1"].drain, found["spark-worker-1"].probe
        assert (drain and (drain.signal, drain.port)) == (("PWR", probe.port) if drained and workers > 1 else None)


@pytest.mark.parametrize(
    ("workers", "cores", "of_one", "of_all", "executors"),
    [(1, 1, 1, 1, 1), (1, 2, 1, 2, 2), (2, 3, 1, 4, 4), (2, 8, 4, 16, 4)],
)
def test_executors_that_come_and_go_fit_on_the_workers(
    workers: int, cores: int, of_one: int, of_all: int, executors: int
) -> None:
    """A worker has memory for two executors."""
    lakehouse = load(PROJECT / "lakehouse.yaml")
    place, settings = Somewhere(lakehouse), replace(cluster(lakehouse), workers=workers, cores=cores, dynamic=True)
    found = defaults(place, settings, ())
    assert found["spark.dynamicAllocation.enabled"] == "true"
    assert found["spark.dynamicAllocation.maxExecutors"] == str(executors)
    assert (found["spark.executor.cores"], found["spark.cores.max"]) == (str(of_one), str(of_all))
    fixed = defaults(place, replace(settings, dynamic=False), ())
    assert not [each for each in fixed if each.startswith("spark.dynamicAllocation")]
    assert fixed["spark.executor.cores"] == fixed["spark.cores.max"]


def test_without_a_cluster_connect_does_the_work_of_executors() -> None:
    lakehouse = load(PROJECT / "lakehouse.yaml")
    usual, place = cluster(lakehouse), Somewhere(lakehouse)
    alone = replace(usual, workers=0)
    (connect,) = spark(place, alone, ())
    assert (connect.name, connect.needs, connect.restarts_with) == ("spark-connect", (), ())
    assert "-Xmx2048m" in connect.command
    assert "-XX:TieredStopAtLevel=1" not in connect.command
    found = defaults(place, alone, ())
    assert found["spark.master"] == "local[2]"
    assert not [key for key in found if key.startswith(("spark.executor", "spark.cores"))]
    assert (usual.beside, alone.beside) == ("spark-master", "spark-connect")
    # Batch jobs run in the same container.
    assert connect.memory_mb > 2048 + usual.heap(512, 0) + 512


@pytest.mark.parametrize(
    ("more", "why"), [({"connect": False}, "cluster.*only its Connect server"), ({"dynamic": True}, "dynamic.*none")]
)
def test_what_makes_no_sense_without_a_cluster_is_refused(more: dict[str, bool], why: str, tmp_path: Path) -> None:
    spec = YAML().load((PROJECT / "lakehouse.yaml").read_text())
    spec["engines"]["spark"] |= {"cluster": False, **more}
    with (tmp_path / "lakehouse.yaml").open("w") as file:
        YAML().dump(spec, file)
    with pytest.raises(SpecError, match=why):
        load(tmp_path / "lakehouse.yaml")
