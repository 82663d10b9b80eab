"""What a stack in AWS consists of, as the account shows it to the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from bootstrap.session import aws
from bootstrap.session.target import Target
from lakehouse.access.names import OPERATORS, Names
from lakehouse.runtimes.hosts import nodes
from lakehouse.spec import AwsStack
from lakehouse.spec.aws import RESULTS, SOFTWARE, SOURCES

UNKNOWN = "not shown to you"
MISSING = "missing"
FAILED = "Failed"  # AWS's word for instances of which one did not become what it should
_ABSENT = ("404", "NoSuchBucket", "EntityNotFoundException", "NotFoundException", "InvalidRequestException")


@dataclass(frozen=True)
class AwsPart:
    """A part of the stack. ``state`` is AWS's word, or "there", "missing" or "not shown to you"."""

    kind: str
    name: str
    state: str

    @property
    def well(self) -> bool:
        """Whether nothing is known to be wrong with it."""
        return self.state != MISSING and not self.state.startswith(FAILED)


@dataclass(frozen=True)
class AwsParts:
    """The stack in the account of the caller."""

    target: Target
    own: Names
    caller: str  # ARN
    principal: str  # whose role the caller has; empty: nobody's

    @classmethod
    def of(cls, target: Target) -> AwsParts:
        """Raises LakehouseError if there are no credentials, UsageError if they are for another account."""
        caller = aws.caller(target.lakehouse, target.stack)
        return cls(target, caller.own, caller.arn, caller.principal)

    @property
    def options(self) -> AwsStack:
        found = self.target.lakehouse.stacks[self.target.stack]
        assert isinstance(found, AwsStack)
        return found

    @property
    def spark(self) -> bool:
        return self.options.engines == "managed" and self.target.lakehouse.engines.spark is not None

    @property
    def athena(self) -> bool:
        managed = self.options.engines == "managed" and not self.options.store_has_tables
        return managed and self.target.lakehouse.engines.trino is not None

    @property
    def instances(self) -> bool:
        return self.options.engines == "ec2"

    @property
    def principals(self) -> list[str]:
        """Those whose work the caller sees: their own, or all."""
        return [self.principal] if self.principal else list(self.target.lakehouse.access.principals)

    def client(self, service: str) -> Any:
        return aws.client(service, self.own.region)

    def parts(self) -> Iterator[AwsPart]:
        """Each part with its state. Raises LakehouseError if AWS does not answer."""
        with aws.plainly(f"stacks.{self.target.stack} is in AWS", "to show the stack", self.own.region):
            yield from self._store()
            if not self.options.store_has_tables:
                glue = self.client("glue")
                for content in self.target.lakehouse.catalogs.values():
                    for namespace in content.namespaces:
                        name = self.own.database(namespace)
                        yield AwsPart("Glue database", name, _there(partial(glue.get_database, Name=name)))
            if self.athena:
                yield from self._workgroups()
            if self.spark:
                yield from self._applications()
            if self.instances:
                yield from self._instances()

    def _store(self) -> Iterator[AwsPart]:
        s3 = self.client("s3")
        tables = {each.location.bucket for each in self.target.lakehouse.catalogs.values()}
        in_tables = tables if self.options.store_has_tables else set()
        further = [RESULTS] if self.athena or self.spark else [SOFTWARE] if self.instances else []
        further += [SOURCES] if self.options.schedule else []
        for bucket in [*(each for each in self.target.lakehouse.buckets if each not in in_tables), *further]:
            name = self.own.bucket(bucket)
            yield AwsPart("bucket", name, _there(partial(s3.head_bucket, Bucket=name)))
        if in_tables:
            s3tables = self.client("s3tables")
            for bucket in sorted(in_tables):
                name = self.own.table_bucket(bucket)
                arn = self.own.arn("s3tables", f"bucket/{name}")
                state = _there(partial(s3tables.get_table_bucket, tableBucketARN=arn))
                yield AwsPart("table bucket", name, state)

    def _workgroups(self) -> Iterator[AwsPart]:
        athena = self.client("athena")
        for each in self.principals if self.principal else [*self.principals, OPERATORS]:
            name = self.own.workgroup(each)
            yield AwsPart("Athena workgroup", name, _there(partial(athena.get_work_group, WorkGroup=name)))

    def _applications(self) -> Iterator[AwsPart]:
        known: dict[str, str] = {}

        def listed() -> None:
            there = aws.applications(self.client("emr-serverless"))
            known.update({name: each["state"] for name, each in there.items()})

        denied = _there(listed) == UNKNOWN
        for each in self.principals:
            name = self.own.workgroup(each)
            yield AwsPart("EMR application", name, known.get(name, UNKNOWN if denied else MISSING))

    def _instances(self) -> Iterator[AwsPart]:
        """For each kind, what came of making its instances what they are: AWS's word, and by word how many."""
        known: dict[str, str] = {}

        def listed() -> None:
            asked = [{"key": "Name", "value": self.own.document}]
            for each in self.client("ssm").list_associations(AssociationFilterList=asked)["Associations"]:
                overview = each.get("Overview", {})
                counts = overview.get("AssociationStatusAggregatedCount", {})
                numbers = ", ".join(f"{word} {number}" for word, number in sorted(counts.items()))
                known[each["AssociationName"]] = overview.get("Status", "there") + (f" ({numbers})" if numbers else "")

        denied = _there(listed) == UNKNOWN
        for kind in nodes.kinds(self.target.lakehouse):
            name = f"{self.own.prefix}-{kind}"
            yield AwsPart("instances", name, known.get(name, UNKNOWN if denied else MISSING))

    def url(self, service: str) -> str:
        return str(self.client(service).meta.endpoint_url)


def _there(ask: Callable[[], object]) -> str:
    """The state that AWS answers, or what its refusal means."""
    try:
        found = ask()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in aws.DENIED:
            return UNKNOWN
        if code in _ABSENT:
            return MISSING
        raise
    group = found.get("WorkGroup", {}) if isinstance(found, dict) else {}
    return str(group.get("State", "there"))
