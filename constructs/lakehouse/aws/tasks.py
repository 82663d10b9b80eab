"""The permissions of a schedule's tasks: each has what its command asks for, on the contents of the stack only."""

from __future__ import annotations

from collections.abc import Sequence

from lakehouse.access.names import OPERATORS, Names
from lakehouse.access.policy import PolicyStatement
from lakehouse.aws.engines_managed import athena_statements
from lakehouse.aws.plans import metadata_read
from lakehouse.cdk import Declared
from lakehouse.spec import Lakehouse
from lakehouse.spec.aws import RESULTS


def maintaining(names: Names, writes: Sequence[PolicyStatement], key: str, *, athena: bool) -> list[PolicyStatement]:
    """`lakehouse maintain`: expires and removes by itself, and compacts by Athena, in the workgroup of operators.

    ``writes`` are the permissions to write to all tables. It makes and drops none.
    """
    return [*writes, *(athena_statements(names, OPERATORS, RESULTS, key) if athena else ())]


def publishing(lakehouse: Lakehouse, names: Names, reads: Sequence[PolicyStatement], key: str) -> list[PolicyStatement]:
    """`lakehouse metadata publish`: reads the catalogs and tables' metadata files, and no rows.

    ``reads`` are the permissions to read all tables, of which those on the catalogs are taken.
    """
    return metadata_read(names, reads, [names.s3(each) for each in lakehouse.buckets], key)


def put_token(secret: Declared) -> str:
    """The command with which a person puts DataHub's token where builds find it."""
    return f"aws secretsmanager put-secret-value --secret-id {secret.ref('name')} --secret-string file://FILE"
