"""``lakehouse store probe``: what a running store really does with about fifty operations of S3."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from botocore import exceptions
from urllib3.exceptions import HTTPError

from bootstrap.probe import buckets, objects
from bootstrap.probe.room import PATIENCE, ProbeRoom, Wrong, code, room
from bootstrap.remote.connections import StoreConnection

ProbeOutcome = Literal["works", "refused", "wrong"]


@dataclass(frozen=True)
class Operation:
    """A question to the store; ``capability`` is the flag of the compatibility matrix that it decides, if any."""

    name: str
    run: Callable[[ProbeRoom], None]
    capability: str = ""


@dataclass(frozen=True)
class ProbeResult:
    """The answer. ``refused``: the store says that it does not do it; ``wrong``: it does not answer as S3 does."""

    operation: str
    outcome: ProbeOutcome
    milliseconds: float
    remark: str = ""


OPERATIONS = (
    Operation("list buckets", buckets.list_buckets),
    Operation("head a bucket", buckets.head_bucket),
    Operation("create a bucket again", buckets.create_again),
    Operation("delete a bucket that is not empty", buckets.delete_full_bucket),
    Operation("put and get, with type and metadata", objects.put_and_get),
    Operation("an empty object", objects.empty_object),
    Operation("replace an object", objects.replace),
    Operation("head: length, MD5 as ETag", objects.head),
    Operation("get what is not there", objects.get_missing),
    Operation("get a range", objects.get_range),
    Operation("get on a condition", objects.conditional_get),
    Operation("delete, twice", objects.delete),
    Operation("delete many at once", objects.delete_many),
    Operation("copy", objects.copy),
    Operation("names with spaces, signs and Unicode", objects.odd_names),
    Operation("a name that ends with a slash", objects.folder_marker),
    Operation("a name that is another's folder", objects.name_and_folder),
    Operation("list, by pages", objects.list_pages),
    Operation("list, version 1", objects.list_version_1),
    Operation("list folders, by pages", objects.list_folders),
    Operation("multipart upload", objects.multipart),
    Operation("multipart upload, aborted", objects.multipart_abort),
    Operation("a part that is too small", objects.multipart_small_part),
    Operation("upload part copy", objects.part_copy),
    Operation("put if absent (If-None-Match)", objects.put_if_absent, "conditional_writes"),
    Operation("put if unchanged (If-Match)", objects.put_if_unchanged, "conditional_writes"),
    Operation("put if absent, eight at once", objects.one_of_many_writers, "conditional_writes"),
    Operation("checksum (CRC32) kept", objects.checksum),
    Operation("checksum (CRC32) verified", objects.wrong_checksum),
    Operation("Content-MD5 verified", objects.wrong_md5),
    Operation("tags of an object", objects.tags),
    Operation("attributes of an object", objects.attributes),
    Operation("tags of a bucket", buckets.bucket_tags),
    Operation("versions", buckets.versioning, "versioning"),
    Operation("delete markers", buckets.delete_marker, "versioning"),
    Operation("lifecycle: expire objects", buckets.lifecycle, "lifecycle"),
    Operation("lifecycle: expire replaced versions", buckets.lifecycle_of_versions, "lifecycle"),
    Operation("bucket policy, enforced", buckets.bucket_policy, "policies"),
    Operation("block of public access", buckets.public_access_block),
    Operation("CORS", buckets.cors),
    Operation("encryption asked for (SSE-S3)", buckets.encryption),
    Operation("encryption by default", buckets.default_encryption),
    Operation("object lock (legal hold)", buckets.object_lock),
    Operation("presigned GET", buckets.presigned_get),
    Operation("presigned PUT", buckets.presigned_put),
    Operation("presigned for another object, refused", buckets.changed_url),
    Operation("wrong secret, refused", buckets.wrong_secret),
    Operation("unknown key, refused", buckets.unknown_key),
    Operation("no keys, refused", buckets.without_keys),
    Operation("a key's name without a signature, refused", buckets.unsigned_stream),
    Operation("STS AssumeRole, scoped by a policy", buckets.assume_role, "sts"),
)


def probe(store: StoreConnection, operations: Iterable[Operation] = OPERATIONS) -> Iterator[ProbeResult]:
    """Each operation's result, as soon as it is known; the temporary buckets are gone when the last one is.

    Raises Unreachable if the store does not answer, LakehouseError if it creates no bucket.
    """
    with room(store) as where:
        for operation in operations:
            yield _one(operation, where)


def _one(operation: Operation, where: ProbeRoom) -> ProbeResult:
    began = time.perf_counter()
    outcome: ProbeOutcome = "works"
    remark = ""
    try:
        operation.run(where)
    except Wrong as error:
        outcome, remark = "wrong", str(error)
    except exceptions.ClientError as error:
        outcome, remark = "refused", f"{error.operation_name}: {code(error)}"
    except exceptions.ReadTimeoutError:
        outcome, remark = "wrong", f"a request is not answered within {PATIENCE:.0f} s"
    except (exceptions.BotoCoreError, HTTPError, ValueError, KeyError) as error:
        # No answer, or one that is not what S3's protocol says.
        outcome, remark = "wrong", f"{type(error).__name__}: {error}"
    return ProbeResult(operation.name, outcome, round((time.perf_counter() - began) * 1000, 1), remark)


def capabilities(results: Iterable[ProbeResult]) -> dict[str, bool]:
    """The flags of the compatibility matrix (:class:`lakehouse.spec.kinds.Capabilities`) as they were measured."""
    outcomes: Mapping[str, str] = {each.operation: each.outcome for each in results}
    found: dict[str, bool] = {}
    for operation in OPERATIONS:
        if operation.capability:
            works = outcomes.get(operation.name) == "works"
            found[operation.capability] = found.get(operation.capability, True) and works
    return found
