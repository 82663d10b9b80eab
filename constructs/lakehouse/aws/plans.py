"""The permissions to plan a stack: its configuration, its state and tables' metadata, and no data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lakehouse.access.iam import through_s3
from lakehouse.access.names import Names
from lakehouse.access.policy import PolicyStatement
from lakehouse.aws.ci_reads import configuration
from lakehouse.text.iam import literal


def planning(
    names: Names,
    *,
    buckets: Sequence[str],
    tables: Sequence[str],
    key: str,
    contents: Sequence[PolicyStatement],
    state: tuple[str, str],
    instances: bool,
    sources: str = "",
) -> list[PolicyStatement | Mapping[str, Any]]:
    """What Terraform's plan and `lakehouse plan` read, and nothing else of S3.

    ``buckets`` and ``tables`` are ARNs of S3 and S3 Tables, ``state`` is the backend's bucket and key. ``contents`` are
    the permissions to read the catalogs and all tables, of which those on metadata are taken. ``sources`` is the ARN
    of the object with the sources of builds; empty if the stack has no schedule.
    """
    return [
        *state_read(names, state),
        *configuration(names, key, instances=instances, tables=bool(tables), sources=sources),
        *metadata_read(names, contents, buckets, key),
        *_no_data(names, buckets, tables, state, sources),
    ]


def state_read(names: Names, state: tuple[str, str]) -> list[PolicyStatement]:
    """To read Terraform's state."""
    bucket, key = names.arn("s3", state[0], region=False, account=False), state_object(names, state)
    return [
        PolicyStatement("StateBucket", ("s3:ListBucket",), (bucket,)),
        PolicyStatement("StateRead", ("s3:GetObject",), (key,)),
    ]


def state_object(names: Names, state: tuple[str, str]) -> str:
    """The ARN of the object with Terraform's state, whose key may be any text."""
    return names.arn("s3", literal("/".join(state)), region=False, account=False)


def metadata_read(
    names: Names, contents: Sequence[PolicyStatement], buckets: Sequence[str], key: str
) -> list[PolicyStatement]:
    """For `lakehouse plan`, which reads catalogs and tables' metadata files. The key encrypts them."""
    catalogs = [each for each in contents if each.actions[0].startswith("glue:")]
    databases = sorted({arn for each in catalogs for arn in each.resources if ":database/" in arn})
    found = list(catalogs)
    if databases:
        found.append(PolicyStatement("DatabaseTags", ("glue:GetTags",), tuple(databases)))
    if buckets:
        files = tuple(f"{arn}/*/metadata/*.metadata.json" for arn in buckets)
        found.append(PolicyStatement("MetadataFiles", ("s3:GetObject",), files))
        found.append(PolicyStatement("MetadataKey", ("kms:Decrypt",), (key,), through_s3(names, buckets)))
    return found


def _no_data(
    names: Names, buckets: Sequence[str], tables: Sequence[str], state: tuple[str, str], sources: str
) -> list[Mapping[str, Any]]:
    """Deny all objects but tables' metadata files (not manifests, which contain values), the state, and sources."""
    left = [f"{arn}/*/metadata/*.metadata.json" for arn in buckets]
    left += [state_object(names, state), *([sources] if sources else [])]
    reads = ["s3:GetObject", "s3:GetObjectVersion"]
    shut: list[Mapping[str, Any]] = [{"Sid": "NoData", "Effect": "Deny", "Action": reads, "NotResource": left}]
    if tables:
        of_tables = [f"{arn}/table/*" for arn in tables]
        shut.append({"Sid": "NoTables", "Effect": "Deny", "Action": ["s3tables:GetTableData"], "Resource": of_tables})
    return shut
