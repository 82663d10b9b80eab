"""Operations on objects that a probe tries: each raises Wrong if the answer is not S3's.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore import exceptions

from bootstrap.probe.room import ProbeRoom, expect, expect_refusal

_PART = 5 << 20  # the smallest size that a part of an upload may have, except the last


def put_and_get(room: ProbeRoom) -> None:
    room.put("put", b"one\ntwo", ContentType="text/plain", Metadata={"source": "probe"})
    answer = room.s3.get_object(Bucket=room.bucket, Key="put")
    expect(answer["Body"].read() == b"one\ntwo", "other bytes come back")
    expect(answer["ContentType"] == "text/plain", f"its type is {answer['ContentType']}")
    expect(answer["Metadata"] == {"source": "probe"}, f"its metadata is {answer['Metadata']}")


def empty_object(room: ProbeRoom) -> None:
    room.put("empty", b"")
    expect(room.read("empty") == b"", "bytes come back")


def replace(room: ProbeRoom) -> None:
    room.put("replace", b"first")
    room.put("replace", b"second")
    expect(room.read("replace") == b"second", "the former content comes back")


def head(room: ProbeRoom) -> None:
    room.put("head", b"12345")
    answer = room.s3.head_object(Bucket=room.bucket, Key="head")
    expect(answer["ContentLength"] == 5, f"its length is {answer['ContentLength']}")
    expect(answer["ETag"] == _etag(b"12345"), f"its ETag {answer['ETag']} is not its MD5")
    expect_refusal(lambda: room.s3.head_object(Bucket=room.bucket, Key="missing"), "there is one that is not", 404)


def get_missing(room: ProbeRoom) -> None:
    expect_refusal(lambda: room.read("missing"), "there is one that is not", 404)


def get_range(room: ProbeRoom) -> None:
    room.put("range", b"0123456789")
    for asked, wanted in (("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89")):
        answer = room.s3.get_object(Bucket=room.bucket, Key="range", Range=asked)
        expect(answer["Body"].read() == wanted, f"{asked} brings other bytes")
        expect(answer["ResponseMetadata"]["HTTPStatusCode"] == 206, f"{asked} is not answered by 206")
    expect_refusal(lambda: room.read("range", Range="bytes=20-30"), "a range behind the end is answered", 416)


def conditional_get(room: ProbeRoom) -> None:
    etag = room.put("conditional-get")["ETag"]
    expect(room.read("conditional-get", IfMatch=etag) == b"content", "other bytes come back")
    expect_refusal(lambda: room.read("conditional-get", IfMatch='"x"'), "If-Match has no effect", 412)
    expect_refusal(lambda: room.read("conditional-get", IfNoneMatch=etag), "If-None-Match has no effect", 304)


def delete(room: ProbeRoom) -> None:
    room.put("delete")
    room.s3.delete_object(Bucket=room.bucket, Key="delete")
    expect_refusal(lambda: room.read("delete"), "it is still there", 404)
    room.s3.delete_object(Bucket=room.bucket, Key="delete")  # of a missing object: no error


def delete_many(room: ProbeRoom) -> None:
    keys = [f"delete-many/{number}" for number in range(3)]
    for key in keys:
        room.put(key)
    asked: Any = {"Objects": [{"Key": key} for key in (*keys, "delete-many/missing")]}
    answer = room.s3.delete_objects(Bucket=room.bucket, Delete=asked)
    expect(len(answer.get("Deleted", [])) == 4 and not answer.get("Errors"), "not all are reported as deleted")
    expect(_listed(room, Prefix="delete-many/") == [], "some are still there")


def copy(room: ProbeRoom) -> None:
    room.put("copy", b"copied", Metadata={"a": "1"})
    source: Any = {"Bucket": room.bucket, "Key": "copy"}
    room.s3.copy_object(Bucket=room.bucket, Key="copy-2", CopySource=source)
    kept = room.s3.head_object(Bucket=room.bucket, Key="copy-2")
    expect(kept["Metadata"] == {"a": "1"}, "the metadata is not copied")
    changed: Any = {"MetadataDirective": "REPLACE", "Metadata": {"b": "2"}}
    room.s3.copy_object(Bucket=room.bucket, Key="copy-3", CopySource=source, **changed)
    other = room.s3.head_object(Bucket=room.bucket, Key="copy-3")
    expect(other["Metadata"] == {"b": "2"}, "the metadata is not replaced")
    expect(room.read("copy-3") == b"copied", "other bytes come back")


def odd_names(room: ProbeRoom) -> None:
    names = [
        "odd/with space",
        "odd/100%",
        "odd/a+b=c&d",
        "odd/naïve/Zürich/東京",
        "odd/quote'\"",
        "odd/date=2026-01-14/x",
    ]
    for name in names:
        room.put(name, name.encode())
    for name in names:
        expect(room.read(name) == name.encode(), f"{name!r} is not read back")
    found = _listed(room, Prefix="odd/")
    expect(found == sorted(names, key=str.encode), f"the listing is {found}")


def folder_marker(room: ProbeRoom) -> None:
    room.put("folder/", b"")
    room.put("folder/inside")
    expect(_listed(room, Prefix="folder/") == ["folder/", "folder/inside"], "the marker or the object is not listed")
    expect(room.read("folder/") == b"", "the marker is not read back")


def name_and_folder(room: ProbeRoom) -> None:
    """An object whose name is also the folder of another: on a file system, a file and a folder cannot share a name."""
    room.put("both", b"object")
    room.put("both/inside", b"inside")
    expect(room.read("both") == b"object" and room.read("both/inside") == b"inside", "one of them is not read back")


def list_pages(room: ProbeRoom) -> None:
    names = _five(room, "pages")
    first = room.s3.list_objects_v2(Bucket=room.bucket, Prefix="pages/", MaxKeys=2)
    expect(first["IsTruncated"] and first["KeyCount"] == 2, "the first page is not cut")
    found = [each["Key"] for each in first["Contents"]]
    while first["IsTruncated"]:
        token = first["NextContinuationToken"]
        first = room.s3.list_objects_v2(Bucket=room.bucket, Prefix="pages/", MaxKeys=2, ContinuationToken=token)
        found += [each["Key"] for each in first["Contents"]]
    expect(found == names, f"the pages hold {found}")
    after = _listed(room, Prefix="pages/", StartAfter=names[2])
    expect(after == names[3:], f"StartAfter gives {after}")


def list_version_1(room: ProbeRoom) -> None:
    names = _five(room, "version-1")
    page = room.s3.list_objects(Bucket=room.bucket, Prefix="version-1/", MaxKeys=3)
    rest = room.s3.list_objects(Bucket=room.bucket, Prefix="version-1/", Marker=page["Contents"][-1]["Key"])
    found = [each["Key"] for each in (*page["Contents"], *rest["Contents"])]
    expect(found == names, f"the pages hold {found}")


def list_folders(room: ProbeRoom) -> None:
    for name in ("folders/a/1", "folders/a/2", "folders/b/1", "folders/c"):
        room.put(name)
    whole = room.s3.list_objects_v2(Bucket=room.bucket, Prefix="folders/", Delimiter="/")
    folders = [each["Prefix"] for each in whole.get("CommonPrefixes", [])]
    expect(folders == ["folders/a/", "folders/b/"], f"the folders are {folders}")
    expect([each["Key"] for each in whole.get("Contents", [])] == ["folders/c"], "the object is not listed")
    pages = room.s3.get_paginator("list_objects_v2").paginate(
        Bucket=room.bucket, Prefix="folders/", Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    paged = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
    expect(paged == folders, f"by pages of one, the folders are {paged}")


def multipart(room: ProbeRoom) -> None:
    parts = [b"a" * _PART, b"b"]
    _upload(room, "multipart", parts)
    answer = room.s3.head_object(Bucket=room.bucket, Key="multipart")
    expect(answer["ContentLength"] == _PART + 1, f"its length is {answer['ContentLength']}")
    wanted = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()  # noqa: S324 - S3's ETag
    expect(answer["ETag"] == f'"{wanted}-2"', f"its ETag {answer['ETag']} is not that of two parts")
    expect(room.read("multipart", Range=f"bytes={_PART - 1}-") == b"ab", "the parts are not in order")


def multipart_abort(room: ProbeRoom) -> None:
    upload = room.s3.create_multipart_upload(Bucket=room.bucket, Key="aborted")["UploadId"]
    room.s3.upload_part(Bucket=room.bucket, Key="aborted", UploadId=upload, PartNumber=1, Body=b"part")
    parts = room.s3.list_parts(Bucket=room.bucket, Key="aborted", UploadId=upload).get("Parts", [])
    expect([part["PartNumber"] for part in parts] == [1], "its part is not listed")
    expect(upload in _uploads(room), "the upload is not listed")
    room.s3.abort_multipart_upload(Bucket=room.bucket, Key="aborted", UploadId=upload)
    expect(upload not in _uploads(room), "it is still listed")


def multipart_small_part(room: ProbeRoom) -> None:
    expect_refusal(lambda: _upload(room, "small", [b"too small", b"last"]), "a part of 9 bytes is taken", 400)


def part_copy(room: ProbeRoom) -> None:
    room.put("part-copy", b"0123456789")
    upload = room.s3.create_multipart_upload(Bucket=room.bucket, Key="part-copy-2")["UploadId"]
    where: Any = {"Bucket": room.bucket, "Key": "part-copy-2", "UploadId": upload, "PartNumber": 1}
    source: Any = {"Bucket": room.bucket, "Key": "part-copy"}
    part = room.s3.upload_part_copy(CopySource=source, CopySourceRange="bytes=2-5", **where)
    done: Any = {"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]}
    room.s3.complete_multipart_upload(Bucket=room.bucket, Key="part-copy-2", UploadId=upload, MultipartUpload=done)
    expect(room.read("part-copy-2") == b"2345", "other bytes come back")


def put_if_absent(room: ProbeRoom) -> None:
    room.put("absent", b"first", IfNoneMatch="*")
    expect_refusal(lambda: room.put("absent", b"second", IfNoneMatch="*"), "it is replaced", 412)
    expect(room.read("absent") == b"first", "the refused content is there")


def put_if_unchanged(room: ProbeRoom) -> None:
    etag = room.put("unchanged", b"first")["ETag"]
    room.put("unchanged", b"second", IfMatch=etag)
    expect_refusal(lambda: room.put("unchanged", b"third", IfMatch=etag), "it is replaced", 412)
    expect(room.read("unchanged") == b"second", "the refused content is there")


def one_of_many_writers(room: ProbeRoom) -> None:
    """Eight writers at once, each only if nobody was first: locks and commits depend on this."""

    def write(number: int) -> bool:
        try:
            room.put("race", str(number).encode(), IfNoneMatch="*")
        except exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
                raise
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, success in enumerate(pool.map(write, range(8))) if success]
    expect(len(won) == 1, f"{len(won)} of eight writers were first")
    expect(room.read("race") == str(won[0]).encode(), "another's content is there")


def checksum(room: ProbeRoom) -> None:
    crc = b64encode(zlib.crc32(b"content").to_bytes(4, "big")).decode()
    room.put("checksum", ChecksumCRC32=crc)
    answer = room.s3.head_object(Bucket=room.bucket, Key="checksum", ChecksumMode="ENABLED")
    expect(answer.get("ChecksumCRC32") == crc, "it is not kept")


def wrong_checksum(room: ProbeRoom) -> None:
    crc = b64encode(zlib.crc32(b"another").to_bytes(4, "big")).decode()
    expect_refusal(lambda: room.put("wrong-checksum", ChecksumCRC32=crc), "damaged content is taken", 400)


def wrong_md5(room: ProbeRoom) -> None:
    digest = b64encode(hashlib.md5(b"another").digest()).decode()  # noqa: S324 - the header that S3 has
    expect_refusal(lambda: room.put("wrong-md5", ContentMD5=digest), "damaged content is taken", 400)


def tags(room: ProbeRoom) -> None:
    room.put("tags", Tagging="a=1&b=2")
    found = room.s3.get_object_tagging(Bucket=room.bucket, Key="tags")["TagSet"]
    expect({each["Key"]: each["Value"] for each in found} == {"a": "1", "b": "2"}, f"its tags are {found}")
    changed: Any = {"TagSet": [{"Key": "c", "Value": "3"}]}
    room.s3.put_object_tagging(Bucket=room.bucket, Key="tags", Tagging=changed)
    found = room.s3.get_object_tagging(Bucket=room.bucket, Key="tags")["TagSet"]
    expect([each["Key"] for each in found] == ["c"], f"then its tags are {found}")


def attributes(room: ProbeRoom) -> None:
    room.put("attributes", b"12345")
    answer = room.s3.get_object_attributes(Bucket=room.bucket, Key="attributes", ObjectAttributes=["ObjectSize"])
    expect(answer.get("ObjectSize") == 5, f"its size is {answer.get('ObjectSize')}")


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'  # noqa: S324 - S3's ETag


def _five(room: ProbeRoom, folder: str) -> list[str]:
    names = [f"{folder}/{number}" for number in range(5)]
    for name in names:
        room.put(name)
    return names


def _listed(room: ProbeRoom, **asked: Any) -> list[str]:
    return [each["Key"] for each in room.s3.list_objects_v2(Bucket=room.bucket, **asked).get("Contents", [])]


def _uploads(room: ProbeRoom) -> list[str]:
    return [each["UploadId"] for each in room.s3.list_multipart_uploads(Bucket=room.bucket).get("Uploads", [])]


def _upload(room: ProbeRoom, key: str, parts: list[bytes]) -> None:
    upload = room.s3.create_multipart_upload(Bucket=room.bucket, Key=key)["UploadId"]
    where: Any = {"Bucket": room.bucket, "Key": key, "UploadId": upload}
    done = []
    for number, part in enumerate(parts, 1):
        answer = room.s3.upload_part(PartNumber=number, Body=part, **where)
        done.append({"PartNumber": number, "ETag": answer["ETag"]})
    finished: Any = {"Parts": done}
    room.s3.complete_multipart_upload(MultipartUpload=finished, **where)
