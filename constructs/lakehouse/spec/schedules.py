"""Rules of a stack with `schedule`."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.spec.eventbridge import expression
from lakehouse.spec.kinds import known
from lakehouse.spec.model import Lakehouse, Maintenance
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.schedule import Schedule
from lakehouse.spec.stacks import AwsStack, LocalStack


def check_schedule(name: str, stack: LocalStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """What a task would do without an effect, or could not do."""
    if stack.schedule is not None:
        yield from _without_effect(name, stack, stack.schedule, lakehouse)


def check_schedule_in_aws(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """The same in AWS, where each task is a build of CodeBuild, on a machine that has only the file and its role."""
    found, at = stack.schedule, ("stacks", name, "schedule")
    if found is None:
        return
    if stack.store_has_tables:
        rule = f"its tables are in {known().stores[stack.store.kind].label}, which maintains them by itself and whose "
        yield Problem(at, f"no task has anything to do here: {rule}contents are not compared with the file. Remove it")
        return
    yield from _without_effect(name, stack, found, lakehouse)
    for task, cron in found.times.items():
        try:
            expression(cron)
        except ValueError as error:
            yield Problem((*at, task), str(error))
    if found.notify.webhook is not None or found.notify.mail is not None:
        rule = "in AWS who is told is in `alerts` of the stack, and no file of this machine is read"
        message = f"{rule}. Add the addresses there, and remove this"
        yield Problem((*at, "notify"), message, ((*at[:2], "alerts"),))
    if found.backup is not None:
        rule = "a backup copies all data through one machine, whose disk and hours a build does not have"
        message = f"{rule}. Run `lakehouse backup create` on a machine of yours (docs/backup.md), and remove this"
        yield Problem((*at, "backup"), message)
    if found.drift is not None and stack.backend is None:
        rule = "Terraform's state is a file on this machine, which a build does not have"
        message = f"{rule}. Add backend: {{bucket: ...}} to stacks.{name}, or remove this"
        yield Problem((*at, "drift"), message, ((*at[:2], "backend"),))
    if found.maintenance is not None:
        yield from _maintained(name, stack, lakehouse)


def _maintained(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Policies that `lakehouse maintain` cannot carry out in AWS: each run would fail."""
    at: KeyPath = ("stacks", name, "schedule", "maintenance")
    if stack.optimizers:
        rule = (
            "with `optimizers` AWS maintains the tables at times of its own, and `lakehouse maintain` only sets it up"
        )
        yield Problem(at, f"{rule}. Remove one of them", ((*at[:2], "optimizers"),))
        return
    athena = stack.engines == "managed" and lakehouse.engines.trino is not None
    for where, policy in _policies(lakehouse):
        if policy.rewrite_manifests:
            rule = f"stacks.{name}.schedule has maintenance, and Athena rewrites no manifests"
            message = f"{rule}. Remove it here, or `maintenance` there"
            yield Problem((*where, "maintenance", "rewrite_manifests"), message, (at,))
        if policy.compact is not None and not athena:
            rule = f"stacks.{name}.schedule has maintenance, but no Athena, which compacts tables in AWS"
            fix = "Use `engines: managed` and engines.trino, or remove it here, or `maintenance` there"
            yield Problem((*where, "maintenance", "compact"), f"{rule}. {fix}", (at,))


def _without_effect(
    name: str, stack: LocalStack | AwsStack, found: Schedule, lakehouse: Lakehouse
) -> Iterator[Problem]:
    at = ("stacks", name, "schedule")
    if found.metadata is not None and stack.metadata is None:
        message = f"nobody gets the metadata: name the DataHub under stacks.{name}.metadata, or remove this"
        yield Problem((*at, "metadata"), message)
    if found.maintenance is not None and not any(_policies(lakehouse)):
        message = "nothing is maintained: no catalog, namespace or table has `maintenance`. Add one, or remove this"
        yield Problem((*at, "maintenance"), message)


def _policies(lakehouse: Lakehouse) -> Iterator[tuple[KeyPath, Maintenance]]:
    """Each policy of the file, and whose it is."""
    for name, catalog in lakehouse.catalogs.items():
        of: list[tuple[KeyPath, Maintenance | None]] = [(("catalogs", name), catalog.maintenance)]
        for namespace, inner in catalog.namespaces.items():
            at: KeyPath = ("catalogs", name, "namespaces", namespace)
            of.append((at, inner.maintenance))
            of += [((*at, "tables", table), each.maintenance) for table, each in inner.tables.items()]
        yield from ((at, each) for at, each in of if each)
