"""The IAM compiler: what `access` of lakehouse.yaml means in AWS. Pure: no CDK, no calls, values in and values out.

A verb on a catalog, namespace or table becomes exactly the Glue actions on its ARNs and the S3 actions on its prefix.
``write`` includes ``read``, and ``manage`` includes ``write``. No action has a wildcard; a resource has one only where
the thing granted is a set: a namespace's tables, a prefix's objects.

Which resource types an action wants: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lakehouse.aws.names import Names
from lakehouse.spec import AwsStack, Lakehouse, Verb
from lakehouse.spec.claims import PATHS
from lakehouse.spec.model import Table

VERBS: tuple[Verb, ...] = ("read", "write", "manage")  # each includes those before it

# Glue's containers are checked with their contents: GetTable wants its catalog, its database and the table itself.
_GLUE_TABLE: dict[Verb, tuple[str, ...]] = {
    "read": ("glue:GetTable", "glue:GetTables"),
    "write": ("glue:UpdateTable",),  # an Iceberg commit moves the table's pointer to its metadata
    "manage": ("glue:CreateTable", "glue:DeleteTable"),
}
_GLUE_DATABASE: dict[Verb, tuple[str, ...]] = {
    "read": ("glue:GetDatabase", "glue:GetDatabases"),
    "write": (),
    "manage": ("glue:CreateDatabase", "glue:DeleteDatabase", "glue:UpdateDatabase"),
}
_S3_OBJECTS: dict[Verb, tuple[str, ...]] = {
    "read": ("s3:GetObject",),
    # A writer deletes what a failed commit left, and aborts what it did not finish uploading.
    "write": ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:PutObject"),
    "manage": (),
}
_KMS: dict[Verb, tuple[str, ...]] = {"read": ("kms:Decrypt",), "write": ("kms:GenerateDataKey",), "manage": ()}
_S3_TABLES: dict[Verb, tuple[str, ...]] = {
    "read": ("s3tables:GetTable", "s3tables:GetTableData", "s3tables:GetTableMetadataLocation"),
    "write": ("s3tables:PutTableData", "s3tables:UpdateTableMetadataLocation"),
    "manage": ("s3tables:CreateTable", "s3tables:DeleteTable", "s3tables:RenameTable"),
}
_S3_TABLES_BUCKET: dict[Verb, tuple[str, ...]] = {
    "read": ("s3tables:GetNamespace", "s3tables:GetTableBucket", "s3tables:ListNamespaces", "s3tables:ListTables"),
    "write": (),
    "manage": ("s3tables:CreateNamespace", "s3tables:DeleteNamespace"),
}


@dataclass(frozen=True)
class Statement:
    """One statement of an IAM policy that allows."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As IAM's JSON has it."""
        condition = {"Condition": self.conditions} if self.conditions else {}
        return {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
            **condition,
        }


@dataclass(frozen=True)
class Grant:
    """One verb on one thing, and why: the role that grants it."""

    principal: str
    verb: Verb
    target: str  # catalog, catalog.namespace, or catalog.namespace.table
    role: str


def grants(lakehouse: Lakehouse) -> list[Grant]:
    """Every grant of every principal, in the file's order."""
    return [
        Grant(name, verb, target, role)
        for name, principal in lakehouse.access.principals.items()
        for role in dict.fromkeys(principal.roles)
        for target, verbs in lakehouse.access.roles[role].grants.items()
        for verb in VERBS
        if verb in verbs
    ]


_MEANS: dict[tuple[Verb, int], str] = {
    ("read", 1): "query every table; list its namespaces and tables",
    ("read", 2): "query every table; list them",
    ("read", 3): "query it",
    ("write", 1): "query and change the rows of every table",
    ("write", 2): "query and change the rows of every table",
    ("write", 3): "query it and change its rows",
    ("manage", 1): "create, alter and drop namespaces and tables; change and query rows",
    ("manage", 2): "create, alter and drop it and its tables; change and query rows",
    ("manage", 3): "create, alter and drop it; change and query its rows",
}


@dataclass(frozen=True)
class Row:
    """Who may do what, on what, and why."""

    principal: str
    may: str
    on: str
    because: str


def explain(lakehouse: Lakehouse) -> list[Row]:
    """Who may do what and why, one row a principal and thing; who may do nothing has a row that says so."""
    known = grants(lakehouse)
    rows = []
    for principal in lakehouse.access.principals:
        own = [grant for grant in known if grant.principal == principal]
        if not own:
            rows.append(Row(principal, "nothing", "", "none of its roles grants anything"))
        for target in dict.fromkeys(grant.target for grant in own):
            here = [grant for grant in own if grant.target == target]
            highest = max((grant.verb for grant in here), key=VERBS.index)
            roles = dict.fromkeys(grant.role for grant in here if grant.verb == highest)
            level = len(_split(lakehouse, target))
            because = " and ".join(f"role {role}" for role in roles) + f" grants {highest}"
            rows.append(Row(principal, _MEANS[highest, level], target, because))
    return rows


@dataclass(frozen=True)
class _Scope:
    """What one verb reaches: Glue databases and tables, and prefixes as (bucket, key)."""

    databases: tuple[str, ...]  # those that the verb is on as a whole
    around: tuple[str, ...]  # and those that only hold a table that it is on
    tables: tuple[str, ...]  # DATABASE/TABLE or DATABASE/*
    prefixes: tuple[tuple[str, str], ...]


def statements(lakehouse: Lakehouse, names: Names, principal: str, *, key: str) -> tuple[Statement, ...]:
    """What a principal may do, by IAM; ``key`` is the ARN of the key that encrypts the lakehouse's buckets."""
    return compile_grants(
        lakehouse,
        names,
        [(grant.target, grant.verb) for grant in grants(lakehouse) if grant.principal == principal],
        key,
    )


def everything(lakehouse: Lakehouse, names: Names, *, key: str) -> tuple[Statement, ...]:
    """``manage`` on every catalog: what the bootstrap and an engine that serves all principals need."""
    return compile_grants(lakehouse, names, [(catalog, "manage") for catalog in lakehouse.catalogs], key)


def compile_grants(
    lakehouse: Lakehouse, names: Names, wanted: Iterable[tuple[str, Verb]], key: str
) -> tuple[Statement, ...]:
    """Statements for (target, verb) pairs; the same grants in another order give the same statements."""
    stack = lakehouse.stacks[names.stack]
    assert isinstance(stack, AwsStack)
    targets: dict[Verb, list[str]] = {verb: [] for verb in VERBS}
    for target, verb in wanted:
        for included in VERBS[: VERBS.index(verb) + 1]:
            targets[included].append(target)
    found: list[Statement] = []
    for verb in VERBS:
        if targets[verb]:
            scope = _scope(lakehouse, targets[verb])
            if stack.store == "s3tables":
                found += _s3_tables(lakehouse, names, verb, targets[verb], key)
            elif scope.tables:  # a catalog without a namespace gives nothing to grant
                found += [*_glue(names, verb, scope), *_s3(names, verb, scope, key)]
    return tuple(found)


def _split(lakehouse: Lakehouse, target: str) -> tuple[str, ...]:
    """``(catalog,)``, ``(catalog, namespace)`` or ``(catalog, namespace, table)``; a namespace may hold dots."""
    catalog, _, rest = target.partition(".")
    if not rest:
        return (catalog,)
    if rest in lakehouse.catalogs[catalog].namespaces:
        return (catalog, rest)
    namespace, _, table = rest.rpartition(".")
    return (catalog, namespace, table)


def _scope(lakehouse: Lakehouse, targets: Sequence[str]) -> _Scope:
    databases: set[str] = set()
    around: set[str] = set()
    tables: set[str] = set()
    prefixes: set[tuple[str, str]] = set()
    for target in targets:
        catalog, *path = _split(lakehouse, target)
        content = lakehouse.catalogs[catalog]
        if len(path) == 2:
            namespace, table = path
            around.add(namespace)
            tables.add(f"{namespace}/{table}")
            definition = content.namespaces[namespace].tables[table]
            prefixes.add(_prefix(definition.location or f"{content.location}/{namespace}/{table}"))
            prefixes.update(_written(definition))
            continue
        for namespace in path or content.namespaces:
            databases.add(namespace)
            tables.add(f"{namespace}/*")
            prefixes.add(_prefix(f"{content.location}/{namespace}"))
            inner = content.namespaces[namespace].tables.values()
            prefixes.update(_prefix(table.location) for table in inner if table.location)
            prefixes.update(prefix for table in inner for prefix in _written(table))
    whole = {f"{database}/*" for database in databases}
    return _Scope(
        databases=tuple(sorted(databases)),
        around=tuple(sorted(around - databases)),
        tables=tuple(sorted(whole | {table for table in tables if table.partition("/")[0] not in databases})),
        prefixes=_outermost(prefixes),
    )


def _written(table: Table) -> set[tuple[str, str]]:
    """Where engines write besides the table's own folder."""
    return {_prefix(table.properties[key]) for key in PATHS if key in table.properties}


def _prefix(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def _outermost(prefixes: set[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Without those that lie in another one."""
    return tuple(
        (bucket, key)
        for bucket, key in sorted(prefixes)
        if not any(bucket == other and key.startswith(f"{outer}/") for other, outer in prefixes)
    )


def _glue(names: Names, verb: Verb, scope: _Scope) -> list[Statement]:
    catalog = names.arn("glue", "catalog")
    every = [*scope.databases, *scope.around]
    databases = [names.arn("glue", f"database/{names.database(each)}") for each in every]
    tables = [names.arn("glue", f"table/{each}") for each in scope.tables]
    found = []
    if verb == "read":  # to see a table is to see the database around it, not all that is in it
        found.append(Statement("GlueDatabasesRead", _GLUE_DATABASE[verb], (catalog, *databases)))
    elif _GLUE_DATABASE[verb] and scope.databases:
        # A database goes with what is in it, so that its tables and functions are asked for too.
        owned = [names.arn("glue", f"database/{names.database(each)}") for each in scope.databases]
        inside = [
            names.arn("glue", f"{kind}/{names.database(each)}/*")
            for each in scope.databases
            for kind in ("table", "userDefinedFunction")
        ]
        found.append(Statement(f"GlueDatabases{verb.title()}", _GLUE_DATABASE[verb], (catalog, *owned, *inside)))
    found.append(Statement(f"GlueTables{verb.title()}", _GLUE_TABLE[verb], (catalog, *databases, *tables)))
    return found


def on_files(lakehouse: Lakehouse, principal: str, arn: Callable[..., str]) -> tuple[Statement, ...]:
    """What a principal may do with tables' files, for a store with S3's policies; ``arn`` is as :meth:`Names.s3`."""
    own = [grant for grant in grants(lakehouse) if grant.principal == principal]
    found: list[Statement] = []
    for nth, verb in enumerate(VERBS):
        targets = [grant.target for grant in own if VERBS.index(grant.verb) >= nth]
        if scope := _scope(lakehouse, targets).prefixes:
            found += _files(arn, verb, scope)
    return tuple(found)


def _s3(names: Names, verb: Verb, scope: _Scope, key: str) -> list[Statement]:
    buckets = list(dict.fromkeys(bucket for bucket, _ in scope.prefixes))
    return [*_files(names.s3, verb, scope.prefixes), *_kms(names, verb, buckets, key)]


def _files(arn: Callable[..., str], verb: Verb, scope: Sequence[tuple[str, str]]) -> list[Statement]:
    """What a verb on these prefixes, (bucket, key), means for S3."""
    buckets = list(dict.fromkeys(bucket for bucket, _ in scope))
    found = []
    if _S3_OBJECTS[verb]:
        objects = tuple(arn(bucket, f"{prefix}/*") for bucket, prefix in scope)
        found.append(Statement(f"S3Objects{verb.title()}", _S3_OBJECTS[verb], objects))
    if verb == "read":
        arns = tuple(arn(bucket) for bucket in buckets)
        found.append(Statement("S3BucketsWhere", ("s3:GetBucketLocation",), arns))
        for nth, bucket in enumerate(buckets, 1):
            prefixes = [prefix for other, prefix in scope if other == bucket]
            within = [pattern for prefix in prefixes for pattern in (prefix, f"{prefix}/*")]
            condition = {"StringLike": {"s3:prefix": within}}
            found.append(Statement(f"S3List{nth}", ("s3:ListBucket",), (arn(bucket),), condition))
    return found


def _kms(names: Names, verb: Verb, buckets: Sequence[str], key: str) -> list[Statement]:
    if not _KMS[verb]:
        return []
    # With bucket keys the encryption context is the bucket: the key opens these buckets, through S3, and nothing else.
    within = {
        "kms:EncryptionContext:aws:s3:arn": [names.s3(bucket) for bucket in buckets],
        "kms:ViaService": f"s3.{names.region}.amazonaws.com",
    }
    return [Statement(f"Key{verb.title()}", _KMS[verb], (key,), {"StringEquals": within})]


def _s3_tables(lakehouse: Lakehouse, names: Names, verb: Verb, targets: Sequence[str], key: str) -> list[Statement]:
    """S3 Tables names a table's ARN by an id that it makes itself, so that names are told by conditions.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-setting-up.html
    """
    found = []
    buckets: dict[str, bool] = {}  # and whether the verb is on more than single tables of it
    for nth, target in enumerate(sorted(set(targets)), 1):
        catalog, *path = _split(lakehouse, target)
        content = lakehouse.catalogs[catalog]
        if not content.namespaces:
            continue  # there is nothing to grant
        bucket, _ = _prefix(content.location)
        buckets[bucket] = buckets.get(bucket, False) or len(path) < 2
        arn = names.arn("s3tables", f"bucket/{names.table_bucket(bucket)}")
        where: dict[str, Any] = {"s3tables:namespace": path[:1] or list(content.namespaces)}
        if len(path) == 2:
            where["s3tables:tableName"] = path[1]
        found.append(
            Statement(f"Tables{verb.title()}{nth}", _S3_TABLES[verb], (arn, f"{arn}/table/*"), {"StringEquals": where})
        )
    arns = tuple(
        names.arn("s3tables", f"bucket/{names.table_bucket(bucket)}")
        for bucket, whole in buckets.items()
        if whole or verb == "read"
    )
    if _S3_TABLES_BUCKET[verb] and arns:
        found.append(Statement(f"TableBuckets{verb.title()}", _S3_TABLES_BUCKET[verb], arns))
    if _KMS[verb] and buckets:
        via = {"StringEquals": {"kms:ViaService": f"s3tables.{names.region}.amazonaws.com"}}
        found.append(Statement(f"Key{verb.title()}", _KMS[verb], (key,), via))
    return found


def document(found: Iterable[Statement | Mapping[str, Any]]) -> dict[str, Any]:
    """A policy of these statements, as IAM's JSON has it."""
    return {
        "Version": "2012-10-17",
        "Statement": [each.document() if isinstance(each, Statement) else dict(each) for each in found],
    }
