"""Rules for a stack in AWS, in addition to the rules for every stack."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.iceberg import types
from lakehouse.spec.claims import PATHS
from lakehouse.spec.kinds import known
from lakehouse.spec.model import Lakehouse, Table
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import AwsStack
from lakehouse.spec.table_buckets import BUCKET_ENDS, BUCKET_STARTS, check_names

ACCESS_LOGS = "access-logs"
RESULTS = "query-results"
SOFTWARE = "software"  # what instances make themselves of
SOURCES = "sources"  # only with a schedule
_RESERVED_BUCKETS = (ACCESS_LOGS, RESULTS, SOFTWARE)  # buckets that the stack creates in addition to those of the file
_RESERVED_PRINCIPALS = ("engines", "flow_logs", "operators")  # roles and workgroups that it creates
_BUCKET = 63  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_ROLE = 64  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_ACCOUNT = 12
_ONLY_TABLES = ("aws",)  # a start that ordinary buckets may have
_DATABASE = 255  # https://docs.aws.amazon.com/glue/latest/webapi/API_DatabaseInput.html
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
_GROUP_START = "sg-"
# How the regions of GovCloud begin, and those of parts of AWS (China, the European sovereign cloud, isolated ones) with
# other domains and other names of services, which the stack would have to know:
# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_GOVCLOUD = "us-gov-"
_OTHER_PARTS = ("cn-", "us-iso", "eu-iso", "eusc-")
# https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/release-version-emr-spark-8.0.0.html
_WITHOUT_RELEASE = {"emr-spark-8.0.0": ("me-central-1", "me-south-1")}
_OTHER_JAVA = ("3.5",)  # versions of Spark for a Java that no package has
# https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/app-behavior.html#worker-configs
_WORKER_CORES, _WORKER_GB = 16, 120
# botocore's SensitivePropertiesMap. What a stack sets beside the file's: tests compare these numbers with the stack.
_PROPERTIES, _OWN_PROPERTIES, _CATALOG_PROPERTIES, _TABLES_CATALOG_PROPERTIES = 100, 16, 10, 13


def check_aws(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Problems of options that need each other, of long names, and of contents that cannot be held there."""
    if stack.github and stack.backend is None:
        whole: KeyPath = ("stacks", name)
        message = (
            "runs would keep Terraform's state on a runner, which forgets it, and create everything again each time"
        )
        fix = ". Add backend: {bucket: ...}, an existing bucket"
        yield Problem(
            (*whole, "github"), f'"{stack.github.repository}" needs a backend: {message}{fix}', ((*whole, "backend"),)
        )
    if stack.optimizers and stack.store_has_tables:
        message = (
            f"{known().stores[stack.store.kind].label} maintains its tables itself, as `maintenance` says. Remove it"
        )
        yield Problem(("stacks", name, "optimizers"), message)
    if stack.zone_names:
        at = ("stacks", name, "zone_names")
        if len(set(stack.zone_names)) != len(stack.zone_names) or len(stack.zone_names) != stack.zones:
            yield Problem(
                at, f"name {stack.zones} different zones, as many as `zones` says", (("stacks", name, "zones"),)
            )
        for zone in stack.zone_names:
            if zone[:-1] != stack.region:
                yield Problem(at, f'"{zone}" is not in {stack.region}, the region of the stack. Name its zones')
    yield from _region(name, stack, lakehouse)
    yield from _instances(name, stack, lakehouse)
    yield from _sizes(name, stack, lakehouse)
    yield from _properties(name, stack, lakehouse)
    yield from _names(name, stack, lakehouse)
    yield from _reserved(name, stack, lakehouse)
    yield from _contents(name, stack, lakehouse)


def _region(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Parts of AWS that differ from the others, and regions that lack what the stack asks for."""
    if stack.region.startswith(_OTHER_PARTS):
        rule = "it is in a part of AWS with domains and names of services of its own, which stacks do not know"
        fix = "Choose a region of AWS's general part, as eu-west-1, or of GovCloud, as us-gov-west-1"
        yield Problem(("stacks", name, "region"), f'"{stack.region}" is not supported: {rule}. {fix}')
        return
    part = "aws-us-gov" if stack.region.startswith(_GOVCLOUD) else "aws"
    for principal, content in lakehouse.access.principals.items():
        for nth, entry in enumerate(content.trust or ()):
            arn = entry if isinstance(entry, str) else entry.arn
            if not arn.startswith(f"arn:{part}:"):
                rule = f"it is in another part of AWS than stacks.{name}, and IAM trusts nobody there"
                fix = f"Name users and roles that begin with arn:{part}:"
                at: KeyPath = ("access", "principals", principal, "trust", nth)
                yield Problem(at, f'"{arn}" cannot take a role: {rule}. {fix}', (("stacks", name, "region"),))
    if stack.budget_usd is not None and stack.region.startswith(_GOVCLOUD):
        message = "an account of GovCloud has no bills and no budgets. Remove it, and make one in the account that pays"
        yield Problem(("stacks", name, "budget_usd"), message, (("stacks", name, "region"),))
    managed = stack.engines == "managed" and lakehouse.engines.spark is not None
    if managed and stack.region in (without := _WITHOUT_RELEASE.get(stack.emr_release, ())):
        message = f"AWS has no {stack.emr_release} in {' and '.join(without)}. Choose another release"
        yield Problem(("stacks", name, "emr_release"), message, (("stacks", name, "region"),))


def _instances(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    at: KeyPath = ("stacks", name)
    if stack.engines != "ec2":
        for key in ("spot", "max_workers"):
            if getattr(stack, key):
                message = "it is for workers on instances, which this stack lacks. Remove it, or use `engines: ec2`"
                yield Problem((*at, key), message, ((*at, "engines"),))
        return
    spark, trino = lakehouse.engines.spark, lakehouse.engines.trino
    if spark is not None and spark.version in _OTHER_JAVA:
        message = f"Spark {spark.version} needs Java 17, which no package has, and instances get Java from packages. "
        yield Problem((*at, "engines"), f"{message}Write version: 4.1", (("engines", "spark", "version"),))
    if lakehouse.sources and spark is not None:
        yield Problem(
            (*at, "engines"), "`sources` are not supported for Spark on instances. Remove them", (("sources",),)
        )
    for engine, asks in (("spark", spark), ("trino", trino)):
        if asks is not None and stack.max_workers is not None and asks.workers > stack.max_workers:
            message = f"{stack.max_workers} is less than {asks.workers}, the least number of workers. Raise it"
            yield Problem((*at, "max_workers"), message, (("engines", engine, "workers"),))


def _sizes(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    spark = lakehouse.engines.spark
    if stack.executors and (spark is None or stack.engines != "managed"):
        message = "there is no Spark on EMR Serverless here. Remove it, or use `engines: managed` and engines.spark"
        yield Problem(("stacks", name, "executors"), message, (("engines", "spark"),))
    if spark is None or stack.engines != "managed":
        return
    heap = _WORKER_GB * 1024 * 10 // 11
    for key, size in (("memory", spark.memory), ("driver_memory", spark.driver_memory)):
        if size.mb > heap:
            rule = f"stacks.{name} runs Spark on EMR Serverless, whose workers have at most {_WORKER_GB} GB"
            fix = f"A heap has ten elevenths of it: write {heap // 1024}g or less"
            yield Problem(("engines", "spark", key), f'"{size}" is too much: {rule}. {fix}', (("stacks", name),))
    if spark.cores > _WORKER_CORES:
        rule = f"stacks.{name} runs Spark on EMR Serverless, whose workers have at most {_WORKER_CORES} vCPU"
        message = f"{spark.cores} is too many: {rule}. Add workers instead"
        yield Problem(("engines", "spark", "cores"), message, (("stacks", name),))


def _properties(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """The number of Spark's properties in an application: those that the stack sets, those of catalogs, the file's."""
    spark = lakehouse.engines.spark
    if spark is None or stack.engines != "managed":
        return
    each = _TABLES_CATALOG_PROPERTIES if stack.store_has_tables else _CATALOG_PROPERTIES
    own = _OWN_PROPERTIES + each * len(lakehouse.catalogs)
    count = own + len(spark.properties)
    if count > _PROPERTIES:
        rule = f"stacks.{name} runs Spark on EMR Serverless, which takes {_PROPERTIES} properties, and sets up to {own}"
        fix = f"Leave at most {max(0, _PROPERTIES - own)} here; a job can set the others itself"
        if own > _PROPERTIES:
            fix = "Use fewer catalogs"
        message = (
            f"{len(spark.properties)} properties are too many: {rule} for {len(lakehouse.catalogs)} catalogs. {fix}"
        )
        yield Problem(("engines", "spark", "properties"), message, (("stacks", name),))


def _names(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    about: tuple[KeyPath, ...] = (("name",), ("stacks", name))
    room = _BUCKET - len(f"{lakehouse.name}-{name}--{'0' * _ACCOUNT}-{stack.region}")
    for bucket in lakehouse.buckets:
        if bucket in (*_RESERVED_BUCKETS, *([SOURCES] if stack.schedule else [])):
            message = f'"{bucket}" is a bucket that stacks.{name} creates for itself. Choose another name'
            yield Problem(("buckets", bucket), message, about[1:])
        if len(bucket) > room:
            message = f'"{bucket}" is too long: stacks.{name} names it NAME-STACK-BUCKET-ACCOUNT-REGION, of at most'
            fix = f" {_BUCKET} characters, which leaves {max(room, 0)} for BUCKET. Shorten it, or the lakehouse's name"
            yield Problem(("buckets", bucket), message + fix, about)
    runs = stack.engines == "managed" and (lakehouse.engines.spark or lakehouse.engines.trino)
    if len(own := RESULTS if runs else ACCESS_LOGS) > room:
        message = f'"{lakehouse.name}" is too long: stacks.{name} makes a bucket NAME-STACK-{own}-ACCOUNT-REGION, of at'
        fix = f" most {_BUCKET} characters, which leaves {room + len(lakehouse.name) - len(own)} for NAME. Shorten it"
        yield Problem(("name",), f"{message}{fix}, or the stack's name", about[1:])
    room = _ROLE - len(f"{lakehouse.name}-{name}--{stack.region}")
    reserved = (*_RESERVED_PRINCIPALS, *(["maintenance"] if stack.optimizers else []))
    for principal in lakehouse.access.principals:
        if principal in reserved:
            message = f'"{principal}" is a name that stacks.{name} uses itself. Choose another'
            yield Problem(("access", "principals", principal), message, about[1:])
        if len(principal) > room:
            message = f'"{principal}" is too long: stacks.{name} names its IAM role NAME-STACK-PRINCIPAL-REGION, of at'
            fix = f" most {_ROLE} characters, which leaves {max(room, 0)} for PRINCIPAL. Shorten it"
            yield Problem(("access", "principals", principal), message + fix, about)


def _reserved(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    """How the names NAME-STACK-BUCKET of table buckets and NAME-STACK-BUCKET-ACCOUNT-REGION of others begin and end.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-buckets-naming.html and
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    about: tuple[KeyPath, ...] = (("stacks", name),)
    allowed = () if stack.store_has_tables else _ONLY_TABLES
    if start := next((each for each in BUCKET_STARTS if lakehouse.name.startswith(each) and each not in allowed), None):
        message = f'"{lakehouse.name}" begins with "{start}", and so would the names of buckets in stacks.{name}, '
        yield Problem(("name",), message + "which AWS refuses. Choose another name", about)
    if lakehouse.name.startswith(_GROUP_START):
        message = f'"{lakehouse.name}" begins with "{_GROUP_START}", and so would the names of security groups in '
        yield Problem(("name",), f"{message}stacks.{name}, which AWS refuses. Choose another name", about)
    tables = {each.location.bucket for each in lakehouse.catalogs.values()} if stack.store_has_tables else set()
    for bucket in lakehouse.buckets:
        if bucket not in tables:
            continue
        called = f"{lakehouse.name}-{name}-{bucket}"
        if end := next((each for each in BUCKET_ENDS if called.endswith(each)), None):
            message = f'"{bucket}" is named "{called}" in stacks.{name}, and no table bucket may end with "{end}"'
            yield Problem(("buckets", bucket), f"{message}. Choose another name", about)


def _lower(name: str, table: Table, at: KeyPath) -> Iterator[Problem]:
    """Columns with which Glue and Lake Formation do not take a table from S3 Tables.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-buckets-naming.html
    """
    for column, definition in table.columns.items():
        paths = (f"{column}.{path}" for path, _ in types.fields(definition.iceberg_type))
        if wrong := next((path for path in (column, *paths) if path != path.lower()), None):
            rule = f"AWS's analytics services see no table with such a column in S3 Tables, the store of stacks.{name}"
            message = f'"{wrong}" has upper-case letters: {rule}. Did you mean "{wrong.lower()}"?'
            yield Problem((*at, "columns", column), message, (("stacks", name),))


def _contents(name: str, stack: AwsStack, lakehouse: Lakehouse) -> Iterator[Problem]:
    about: tuple[KeyPath, ...] = (("stacks", name),)
    store = known().stores[stack.store.kind].label
    for catalog, content in lakehouse.catalogs.items():
        if stack.store_has_tables:
            yield from check_names(("catalogs", catalog), content, f"{store}, the store of stacks.{name},", about)
        for namespace, inner in content.namespaces.items():
            at: KeyPath = ("catalogs", catalog, "namespaces", namespace)
            if len(namespace) > _DATABASE:
                message = f"{len(namespace)} characters are too many: it is a database of Glue in stacks.{name}, whose "
                yield Problem(at, f"{message}name has at most {_DATABASE}. Shorten it", about)
            for table, definition in inner.tables.items() if stack.store_has_tables else ():
                yield from _lower(name, definition, (*at, "tables", table))
                if definition.location:
                    message = f"{store}, the store of stacks.{name}, chooses where a table's files are. Remove it"
                    yield Problem((*at, "tables", table, "location"), message, about)
                for key in PATHS:
                    if key in definition.properties:
                        message = f"{store}, the store of stacks.{name}, chooses where a table's files are. Remove it"
                        yield Problem((*at, "tables", table, "properties", key), message, about)
