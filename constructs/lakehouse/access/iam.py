"""The IAM compiler: what `access` of lakehouse.yaml means in AWS.

A verb on a catalog, namespace or table becomes exactly the Glue actions on its ARNs and the S3 actions on its prefix.
``write`` includes ``read``, and ``manage`` includes ``write``. No action has a wildcard; a resource has one only if
the target is a set: a namespace's tables, a prefix's objects. A table with a filter or mask has no permission: nothing
in this stack of AWS applies them.

Which resource types an action needs: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lakehouse.access.grants import VERBS, plain
from lakehouse.access.names import Names
from lakehouse.access.policy import PolicyStatement
from lakehouse.access.s3 import files
from lakehouse.access.scope import Scope, prefix, scope
from lakehouse.spec import AwsStack, Lakehouse, Verb
from lakehouse.spec.access import split

# Glue's containers are checked with their contents: GetTable needs its catalog, its database and the table itself.
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


def statements(lakehouse: Lakehouse, names: Names, principal: str, *, key: str) -> tuple[PolicyStatement, ...]:
    """The permissions of a principal in IAM. ``key`` is the ARN of the key that encrypts the lakehouse's buckets."""
    return compile_grants(
        lakehouse,
        names,
        [(grant.target, grant.verb) for grant in plain(lakehouse, principal)],
        key,
    )


def everything(lakehouse: Lakehouse, names: Names, *, key: str) -> tuple[PolicyStatement, ...]:
    """``manage`` on every catalog: what the bootstrap and an engine that serves all principals need."""
    return compile_grants(lakehouse, names, [(catalog, "manage") for catalog in lakehouse.catalogs], key)


def compile_grants(
    lakehouse: Lakehouse, names: Names, wanted: Iterable[tuple[str, Verb]], key: str
) -> tuple[PolicyStatement, ...]:
    """Statements for (target, verb) pairs; the same grants in another order give the same statements."""
    stack = lakehouse.stacks[names.stack]
    assert isinstance(stack, AwsStack)
    targets: dict[Verb, list[str]] = {verb: [] for verb in VERBS}
    for target, verb in wanted:
        for included in VERBS[: VERBS.index(verb) + 1]:
            targets[included].append(target)
    found: list[PolicyStatement] = []
    for verb in VERBS:
        if targets[verb]:
            reached = scope(lakehouse, targets[verb])
            if stack.store_has_tables:
                found += _s3_tables(lakehouse, names, verb, targets[verb], key)
            elif reached.tables:  # a catalog without a namespace gives nothing to grant
                found += [*_glue(names, verb, reached), *_s3(names, verb, reached, key)]
    return tuple(found)


def _glue(names: Names, verb: Verb, scope: Scope) -> list[PolicyStatement]:
    catalog = names.arn("glue", "catalog")
    every = [*scope.databases, *scope.around]
    databases = [names.arn("glue", f"database/{names.database(each)}") for each in every]
    tables = [names.arn("glue", f"table/{each}") for each in scope.tables]
    found = []
    if verb == "read":  # a principal that may see a table may see its database, but not everything in it
        found.append(PolicyStatement("GlueDatabasesRead", _GLUE_DATABASE[verb], (catalog, *databases)))
    elif _GLUE_DATABASE[verb] and scope.databases:
        # A database is dropped with its contents, so its tables and functions are checked too.
        owned = [names.arn("glue", f"database/{names.database(each)}") for each in scope.databases]
        inside = [
            names.arn("glue", f"{kind}/{names.database(each)}/*")
            for each in scope.databases
            for kind in ("table", "userDefinedFunction")
        ]
        found.append(PolicyStatement(f"GlueDatabases{verb.title()}", _GLUE_DATABASE[verb], (catalog, *owned, *inside)))
    found.append(PolicyStatement(f"GlueTables{verb.title()}", _GLUE_TABLE[verb], (catalog, *databases, *tables)))
    return found


def _s3(names: Names, verb: Verb, scope: Scope, key: str) -> list[PolicyStatement]:
    buckets = list(dict.fromkeys(bucket for bucket, _ in scope.prefixes))
    return [*files(names.s3, verb, scope.prefixes), *_kms(names, verb, buckets, key)]


def _kms(names: Names, verb: Verb, buckets: Sequence[str], key: str) -> list[PolicyStatement]:
    if not _KMS[verb]:
        return []
    # With bucket keys the encryption context is the bucket: the key opens only these buckets, and only through S3.
    within = {
        "kms:EncryptionContext:aws:s3:arn": [names.s3(bucket) for bucket in buckets],
        "kms:ViaService": f"s3.{names.region}.amazonaws.com",
    }
    return [PolicyStatement(f"Key{verb.title()}", _KMS[verb], (key,), {"StringEquals": within})]


def _s3_tables(
    lakehouse: Lakehouse, names: Names, verb: Verb, targets: Sequence[str], key: str
) -> list[PolicyStatement]:
    """S3 Tables names a table's ARN by a generated id, so names are matched by conditions.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-setting-up.html
    """
    found = []
    buckets: dict[str, bool] = {}  # and whether the verb is on more than single tables in it
    for nth, target in enumerate(sorted(set(targets)), 1):
        catalog, *path = split(lakehouse, target)
        content = lakehouse.catalogs[catalog]
        if not content.namespaces:
            continue  # there is nothing to grant
        bucket, _ = prefix(content.location)
        buckets[bucket] = buckets.get(bucket, False) or len(path) < 2
        arn = names.arn("s3tables", f"bucket/{names.table_bucket(bucket)}")
        where: dict[str, Any] = {"s3tables:namespace": path[:1] or list(content.namespaces)}
        if len(path) == 2:
            where["s3tables:tableName"] = path[1]
        found.append(
            PolicyStatement(
                f"Tables{verb.title()}{nth}", _S3_TABLES[verb], (arn, f"{arn}/table/*"), {"StringEquals": where}
            )
        )
    arns = tuple(
        names.arn("s3tables", f"bucket/{names.table_bucket(bucket)}")
        for bucket, whole in buckets.items()
        if whole or verb == "read"
    )
    if _S3_TABLES_BUCKET[verb] and arns:
        found.append(PolicyStatement(f"TableBuckets{verb.title()}", _S3_TABLES_BUCKET[verb], arns))
    if _KMS[verb] and buckets:
        via = {"StringEquals": {"kms:ViaService": f"s3tables.{names.region}.amazonaws.com"}}
        found.append(PolicyStatement(f"Key{verb.title()}", _KMS[verb], (key,), via))
    return found
