"""Pipelines that failed, or that are behind. Only decisions."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap.session.pipelines import FAILED, MISSING, RUNNING, UNKNOWN, PipelineStatus
from lakehouse.kinds import PIPELINES
from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.spec import Lakehouse
from lakehouse.spec.monitoring import Thresholds

_GIB, _MIB = 1024**3, 1024**2


def limits(lakehouse: Lakehouse, stack: str) -> Thresholds:
    """Those of the stack's monitoring; the usual ones if it has none."""
    monitoring = getattr(lakehouse.stacks[stack], "monitoring", None)
    return Thresholds() if monitoring is None else monitoring.thresholds


def finding(found: Sequence[PipelineStatus], limits: Thresholds) -> Finding:
    """The worst that is seen of them: what failed, what fills a database's disk, what is late, what is not there."""
    if failed := [each for each in found if each.state == FAILED]:
        first, *more = failed
        fix = f"`lakehouse pipelines logs {first.name}` has all of it. Once the cause is gone it goes on by itself, "
        fix += f"within 5 minutes, or at once by `lakehouse pipelines start {first.name}`"
        also = f" (failed too: {', '.join(each.name for each in more)})" if more else ""
        return error(f"{first.name} has failed: {first.problem}{also}", PIPELINES[first.engine].failure, fix)
    if unknown := [each for each in found if each.state == UNKNOWN]:
        names = ", ".join(each.name for each in unknown)
        return error(f"{names}: not known", unknown[0].problem, "`lakehouse status`, then `lakehouse deploy`")
    for each in found:
        if each.kept is not None and each.kept > limits.slot_mib * _MIB:
            said = f"the database keeps {each.kept / _GIB:.1f} GiB of its log for {each.name}, which is {each.state}"
            fix = f"`lakehouse pipelines start {each.name}`, or remove it from the file with both keys and apply"
            return warning(said, "what a pipeline has not read stays there, until the disk is full", fix)
    for each in found:
        if each.lag is not None and each.lag > limits.lag_messages:
            said = f"the table of {each.name} lacks {each.lag:,} messages, and it is {each.state}"
            fix = f"`lakehouse pipelines status` again in a minute; `lakehouse pipelines logs {each.name}`"
            return warning(said, "messages come faster than they are written, or it was stopped", fix)
    if lost := [each.name for each in found if each.state == MISSING]:
        return warning(f"{', '.join(lost)}: not there", "the file has what was never applied", "`lakehouse apply`")
    running = sum(each.state == RUNNING for each in found)
    others = [f"{each.name} is {each.state}" for each in found if each.state != RUNNING]
    return ok(", ".join((f"{running} running", *others)))
