"""Which engines a verification tries."""

from __future__ import annotations

from contextlib import suppress

from bootstrap.session.target import Target
from bootstrap.verify.athena import VerifiedAthena
from bootstrap.verify.engines import Batch, PyIceberg, VerifiedConnect, VerifiedEngine, VerifiedTrino
from lakehouse.errors import LakehouseError
from lakehouse.spec import AwsStack


def engines(target: Target) -> list[VerifiedEngine]:
    """The engines of the file, the slowest to start first; in AWS no Spark job is started."""
    there = target.lakehouse.stacks[target.stack]
    if isinstance(there, AwsStack):
        managed = there.engines == "managed" and target.lakehouse.engines.trino is not None
        return [*([VerifiedAthena(target)] if managed else []), PyIceberg(target)]
    spark, trino = target.lakehouse.engines.spark, target.lakehouse.engines.trino
    found: list[VerifiedEngine] = []
    try:
        if spark is not None:
            found.append(Batch(target))
            if spark.connect:
                found.append(VerifiedConnect(target))
        if trino is not None:
            found.append(VerifiedTrino(target))
        found.append(PyIceberg(target))
    except BaseException:
        for each in found:
            with suppress(LakehouseError):
                each.stop()
        raise
    return found
