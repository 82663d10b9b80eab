"""The services of Spark's cluster."""

from __future__ import annotations

from lakehouse.kinds.engines.spark import spark
from lakehouse.kinds.engines.spark_cluster import cluster
from lakehouse.spec import load
from tests.unit.lakehouse.services.place import PROJECT, Somewhere

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
