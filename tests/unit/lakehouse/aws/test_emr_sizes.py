from __future__ import annotations

import pytest

from lakehouse.aws.emr_sizes import Worker, capacity, executors, properties, worker
from lakehouse.spec import Lakehouse
from lakehouse.spec.stacks import Executors


@pytest.mark.parametrize(
    ("cores", "heap", "found"),
    [
        (1, 1024, Worker(1, 2, 1024)),
        (2, 1024, Worker(2, 4, 1024)),  # the least that a worker of two has
        (3, 4096, Worker(4, 8, 4096)),
        (2, 14_000, Worker(2, 16, 14_000)),
        (2, 16_384, Worker(4, 18, 16_384)),  # more memory than a worker of two may have
        (8, 17_408, Worker(8, 20, 17_408)),  # in steps of four
        (16, 111_709, Worker(16, 120, 111_709)),
    ],
)
def test_the_smallest_worker(cores: int, heap: int, found: Worker) -> None:
    assert worker(cores, heap) == found
    assert found.overhead_mb >= max(384, heap // 10)


@pytest.mark.parametrize(("cores", "heap"), [(17, 1024), (1, 111_710)])
def test_no_worker_is_large_enough(cores: int, heap: int) -> None:
    with pytest.raises(ValueError, match="at most 16 vCPU and 120 GB"):
        worker(cores, heap)


def test_the_file_of_the_example(lakehouse: Lakehouse) -> None:
    spark = lakehouse.engines.spark
    assert spark is not None
    number = executors(spark, None)
    assert capacity(spark, number) == {"cpu": "6 vCPU", "memory": "14 GB", "disk": "60 GB"}
    found = properties(spark, number)
    assert found["spark.executor.memory"] == "4096m"
    assert found["spark.executor.memoryOverhead"] == "1024m"
    assert found["spark.dynamicAllocation.maxExecutors"] == "2"


@pytest.mark.parametrize(("least", "most", "first"), [(1, 8, 2), (4, 8, 4), (1, 1, 1)])
def test_a_stack_sets_how_far_a_job_grows(lakehouse: Lakehouse, least: int, most: int, first: int) -> None:
    spark = lakehouse.engines.spark
    assert spark is not None
    number = executors(spark, Executors(min=least, max=most))
    found = properties(spark, number)
    keys = ("minExecutors", "initialExecutors", "maxExecutors")
    assert [found[f"spark.dynamicAllocation.{key}"] for key in keys] == [str(least), str(first), str(most)]
    assert capacity(spark, number)["cpu"] == f"{2 + 2 * most} vCPU"
    assert capacity(spark, number)["disk"] == f"{20 + 20 * most} GB"
