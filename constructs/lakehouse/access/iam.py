"""The IAM compiler: what `access` of lakehouse.yaml means in AWS.

A verb on a catalog, namespace or table becomes exactly the Glue actions on its ARNs and the S3 actions on its prefix.
``write`` includes ``read``, and ``manage`` includes ``write``. No action has a wildcard; a resource has one only if
the target is a set: a namespace's tables, a prefix's objects. A table with a filter or mask has no permission: nothing
in this stack of AWS applies them.

Which resource types an action needs: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsglue.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
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
    # Glue's Iceberg REST catalog asks for the first: https://docs.aws.amazon.com/glue/latest/dg/iceberg-rest-apis.html
    "read": ("glue:GetCatalog", "glue:GetDatabase", "glue:GetDatabases"),
    "write": (),
    "manage": ("glue:CreateDatabase", "glue:DeleteDatabase", "glue:UpdateDatabase"),
}
_KMS: dict[Verb, tuple[str, ...]] = {"read": ("kms:Decrypt",), "write": ("kms:GenerateDataKey",), "manage": ()}
_S3_TABLES: dict[Verb, tuple[str, ...]] = {
    "read": ("s3tables:GetTable", "s3tables:GetTableData", "s3tables:GetTableMetadataLocation"),
    "write": ("s3tables:PutTableData", "s3tables:UpdateTableMetadataLocation"),
    "manage": ("s3tables:DeleteTable",),
}
# These know no condition for a table's name, so a grant on a single table does not give them.
_S3_TABLES_NAMED: dict[Verb, tuple[str, ...]] = {
    "read": (),
    "write": (),
    "manage": ("s3tables:CreateTable", "s3tables:RenameTable"),
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
    if stack.store_has_tables:
        return tuple(
            statement
            for verb in VERBS
            if targets[verb]
            for statement in _s3_tables(lakehouse, names, verb, targets[verb], key)
        )
    scopes = {verb: scope(lakehouse, targets[verb], one_folder=True) for verb in VERBS}
    if not scopes["read"].tables:
        return ()  # a catalog without a namespace gives nothing to grant
    on_files = (each for verb in VERBS if targets[verb] for each in _s3(names, verb, scopes[verb], key))
    return (*_glue(names, scopes), *on_files)


def _glue(names: Names, scopes: Mapping[Verb, Scope]) -> Iterator[PolicyStatement]:
    """One statement for each database or table with a verb, which has all that the verb's actions need."""
    catalog = names.arn("glue", "catalog")
    databases = {each: verb for verb in VERBS for each in scopes[verb].databases}  # the highest verb of each
    tables = {each: verb for verb in VERBS for each in scopes[verb].tables if not each.endswith("/*")}
    around = dict.fromkeys(each for verb in VERBS for each in scopes[verb].around if each not in databases)

    def statement(sid: str, verb: Verb, actions: Sequence[Mapping[Verb, tuple[str, ...]]], *of: str) -> PolicyStatement:
        included = VERBS[: VERBS.index(verb) + 1]
        found = tuple(sorted(action for each in included for by_verb in actions for action in by_verb[each]))
        return PolicyStatement(f"{sid}{verb.title()}", found, (catalog, *(names.arn("glue", each) for each in of)))

    for database, verb in databases.items():
        name = names.database(database)
        # A database is dropped with its contents, so its tables and functions are checked too.
        inside = [f"{kind}/{name}/*" for kind in ("table", *(["userDefinedFunction"] if verb == "manage" else []))]
        yield statement("GlueDatabases", verb, (_GLUE_DATABASE, _GLUE_TABLE), f"database/{name}", *inside)
    for database in around:  # a principal that may see a table may see its database, but not everything in it
        yield statement("GlueAround", "read", (_GLUE_DATABASE,), f"database/{names.database(database)}")
    for table, verb in tables.items():
        database = table.partition("/")[0]
        if database not in databases or VERBS.index(databases[database]) < VERBS.index(verb):
            yield statement(
                "GlueTables", verb, (_GLUE_TABLE,), f"database/{names.database(database)}", f"table/{table}"
            )


def _s3(names: Names, verb: Verb, scope: Scope, key: str) -> list[PolicyStatement]:
    buckets = list(dict.fromkeys(bucket for bucket, _ in scope.prefixes))
    found = files(names.s3, verb, scope.prefixes)
    # By resource, so that a prefix with several verbs is named once.
    alone = [replace(each, resources=(resource,)) for each in found for resource in each.resources]
    return [*alone, *_kms(names, verb, buckets, key)]


def _kms(names: Names, verb: Verb, buckets: Sequence[str], key: str) -> list[PolicyStatement]:
    if not _KMS[verb]:
        return []
    within = through_s3(names, [names.s3(bucket) for bucket in buckets])
    return [PolicyStatement(f"Key{verb.title()}", _KMS[verb], (key,), within)]


def through_s3(names: Names, buckets: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The condition with which a key opens only these buckets, given by their ARNs, and only through S3.

    With bucket keys the encryption context is the bucket.
    """
    via = f"s3.{names.region}.amazonaws.com"
    return {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": list(buckets), "kms:ViaService": via}}


def _s3_tables(
    lakehouse: Lakehouse, names: Names, verb: Verb, targets: Sequence[str], key: str
) -> list[PolicyStatement]:
    """S3 Tables names a table's ARN by a generated id, so names are matched by conditions.

    Its key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-kms-permissions.html.
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
        actions = _S3_TABLES[verb]
        if len(path) == 2:
            where["s3tables:tableName"] = path[1]
        else:
            actions += _S3_TABLES_NAMED[verb]
        found.append(
            PolicyStatement(f"Tables{verb.title()}{nth}", actions, (arn, f"{arn}/table/*"), {"StringEquals": where})
        )
    arns = tuple(
        names.arn("s3tables", f"bucket/{names.table_bucket(bucket)}")
        for bucket, whole in buckets.items()
        if whole or verb == "read"
    )
    if _S3_TABLES_BUCKET[verb] and arns:
        found.append(PolicyStatement(f"TableBuckets{verb.title()}", _S3_TABLES_BUCKET[verb], arns))
    if _KMS[verb] and buckets:
        # Files are read and written through S3, with the table as the context; a new table's key is looked at.
        within = [f"{names.arn('s3tables', f'bucket/{names.table_bucket(bucket)}')}/*" for bucket in buckets]
        conditions: dict[str, dict[str, Any]] = {
            "StringEquals": {"kms:ViaService": f"s3.{names.region}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": within},
        }
        found.append(PolicyStatement(f"Key{verb.title()}", _KMS[verb], (key,), conditions))
    if verb == "manage" and buckets:
        via = {"StringEquals": {"kms:ViaService": f"s3tables.{names.region}.amazonaws.com"}}
        found.append(PolicyStatement("KeyOfTables", ("kms:DescribeKey",), (key,), via))
    return found
