"""Workers of EMR Serverless for the file's sizes, and the capacity that they need together. Pure.

https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/app-behavior.html#worker-configs
"""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.spec import Spark
from lakehouse.spec.stacks import Executors

# vCPU of a worker -> its least and most memory and the steps between, in GB
SIZES = {1: (2, 8, 1), 2: (4, 16, 1), 4: (8, 30, 1), 8: (16, 60, 4), 16: (32, 120, 8)}
DISK_GB = 20  # of each worker; no more is charged for it
_DRIVER_CORES = 2
_LEAST_OVERHEAD_MB = 384  # beside the heap, and at least a tenth of it


@dataclass(frozen=True)
class Worker:
    """A worker, and the heap of its Java process in MiB. All other memory is the process's too, as for Python."""

    cores: int
    memory_gb: int
    heap_mb: int

    @property
    def overhead_mb(self) -> int:
        return self.memory_gb * 1024 - self.heap_mb


def worker(cores: int, heap_mb: int) -> Worker:
    """The smallest worker with these cores and this heap. Raises ValueError if EMR Serverless has none."""
    wanted = -(-(heap_mb + max(_LEAST_OVERHEAD_MB, -(-heap_mb // 10))) // 1024)
    for cpus, (least, most, step) in SIZES.items():
        memory = least + max(0, -(-(wanted - least) // step)) * step
        if cpus >= cores and memory <= most:
            return Worker(cpus, memory, heap_mb)
    cpus, (_, most, _) = list(SIZES.items())[-1]
    raise ValueError(
        f"EMR Serverless has workers of at most {cpus} vCPU and {most} GB, of which a heap has ten elevenths"
    )


def driver(spark: Spark) -> Worker:
    """The worker of a job's driver."""
    return worker(_DRIVER_CORES, spark.driver_memory.mb)


def executor(spark: Spark) -> Worker:
    """The worker of each of a job's executors."""
    return worker(spark.cores, spark.memory.mb)


def executors(spark: Spark, asked: Executors | None) -> Executors:
    """How many executors a job has."""
    return asked or Executors(min=1, max=spark.workers)


def properties(spark: Spark, number: Executors) -> dict[str, str]:
    """Spark's properties for the workers of a job. Without them it asks for EMR's own: 4 vCPU and 16 GB each."""
    return {
        **_of("driver", driver(spark)),
        **_of("executor", executor(spark)),
        "spark.executor.instances": str(_initial(spark, number)),
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.initialExecutors": str(_initial(spark, number)),
        "spark.dynamicAllocation.minExecutors": str(number.min),
        "spark.dynamicAllocation.maxExecutors": str(number.max),
    }


def _initial(spark: Spark, number: Executors) -> int:
    """`workers` if there may be so many. The first jobs of a session would wait for each one by one."""
    return min(max(spark.workers, number.min), number.max)


def capacity(spark: Spark, number: Executors) -> dict[str, str]:
    """What the driver and all executors of a job have together."""
    first, others = driver(spark), executor(spark)
    return {
        "cpu": f"{first.cores + number.max * others.cores} vCPU",
        "memory": f"{first.memory_gb + number.max * others.memory_gb} GB",
        "disk": f"{(1 + number.max) * DISK_GB} GB",
    }


def _of(kind: str, size: Worker) -> dict[str, str]:
    return {
        f"spark.{kind}.cores": str(size.cores),
        f"spark.{kind}.memory": f"{size.heap_mb}m",
        f"spark.{kind}.memoryOverhead": f"{size.overhead_mb}m",
        f"spark.emr-serverless.{kind}.disk": f"{DISK_GB}G",
    }
