"""Operations on buckets and on access to them that a probe tries: each raises Wrong if the answer is not S3's.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import datetime
import json
import secrets
import zlib
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

from bootstrap.probe.room import ProbeRoom, expect, expect_refusal
from bootstrap.remote.s3 import sts
from lakehouse.kinds.store import ROLE


def list_buckets(room: ProbeRoom) -> None:
    names = [each["Name"] for each in room.s3.list_buckets()["Buckets"]]
    expect(room.bucket in names, "the probe's bucket is not listed")


def head_bucket(room: ProbeRoom) -> None:
    room.s3.head_bucket(Bucket=room.bucket)
    missing = room.bucket + "-missing"
    expect_refusal(lambda: room.s3.head_bucket(Bucket=missing), "there is one that is not", 404)


def create_again(room: ProbeRoom) -> None:
    """In us-east-1, S3 answers an owner's second creation with success; other stores may answer with a conflict."""
    try:
        room.s3.create_bucket(Bucket=room.bucket)
    except room.s3.exceptions.BucketAlreadyOwnedByYou:
        return


def delete_full_bucket(room: ProbeRoom) -> None:
    bucket = room.further_bucket()
    room.s3.put_object(Bucket=bucket, Key="inside", Body=b"")
    expect_refusal(lambda: room.s3.delete_bucket(Bucket=bucket), "its objects are gone with it", 409)


def bucket_tags(room: ProbeRoom) -> None:
    wanted: Any = [{"Key": "owner", "Value": "probe"}]
    room.s3.put_bucket_tagging(Bucket=room.bucket, Tagging={"TagSet": wanted})
    found = room.s3.get_bucket_tagging(Bucket=room.bucket)["TagSet"]
    expect(found == wanted, f"its tags are {found}")


def versioning(room: ProbeRoom) -> None:
    bucket = _versioned(room)
    for content in (b"first", b"second"):
        room.s3.put_object(Bucket=bucket, Key="object", Body=content)
    found = room.s3.list_object_versions(Bucket=bucket).get("Versions", [])
    expect([each["IsLatest"] for each in found] == [True, False], f"{len(found)} versions are listed")
    former = room.s3.get_object(Bucket=bucket, Key="object", VersionId=found[1]["VersionId"])
    expect(former["Body"].read() == b"first", "the former version is not read back")


def delete_marker(room: ProbeRoom) -> None:
    bucket = _versioned(room)
    room.s3.put_object(Bucket=bucket, Key="object", Body=b"content")
    marker = room.s3.delete_object(Bucket=bucket, Key="object")
    expect(marker.get("DeleteMarker") is True, "deleting leaves no marker")
    expect_refusal(lambda: room.s3.get_object(Bucket=bucket, Key="object"), "it is still there", 404)
    room.s3.delete_object(Bucket=bucket, Key="object", VersionId=marker["VersionId"])
    expect(room.s3.get_object(Bucket=bucket, Key="object")["Body"].read() == b"content", "it does not come back")


def lifecycle(room: ProbeRoom) -> None:
    """Set and read; the probe does not wait days for something to expire."""
    bucket = room.further_bucket()
    rule: Any = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 3}}
    room.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    (found,) = room.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    expect(found["Expiration"]["Days"] == 3 and found["ID"] == "old", f"the rule is {found}")
    room.s3.delete_bucket_lifecycle(Bucket=bucket)
    expect_refusal(lambda: room.s3.get_bucket_lifecycle_configuration(Bucket=bucket), "the rule stays", 404)


def lifecycle_of_versions(room: ProbeRoom) -> None:
    bucket = _versioned(room)
    days: Any = {"NoncurrentDays": 3}
    rule: Any = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": days}
    room.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    (found,) = room.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    expect(found["NoncurrentVersionExpiration"]["NoncurrentDays"] == 3, f"the rule is {found}")


def bucket_policy(room: ProbeRoom) -> None:
    """A bucket that is opened to readers without keys, and closed again."""
    bucket = room.further_bucket()
    room.s3.put_object(Bucket=bucket, Key="open", Body=b"content")
    expect(room.anonymous(bucket, "open") == 403, "it is open to everybody from the beginning")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }
    room.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    expect(room.anonymous(bucket, "open") == 200, "the policy is accepted, but has no effect")
    room.s3.delete_bucket_policy(Bucket=bucket)
    expect(room.anonymous(bucket, "open") == 403, "it stays open")


def public_access_block(room: ProbeRoom) -> None:
    wanted: Any = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True}
    room.s3.put_public_access_block(Bucket=room.bucket, PublicAccessBlockConfiguration=wanted)
    found = room.s3.get_public_access_block(Bucket=room.bucket)["PublicAccessBlockConfiguration"]
    expect(found["BlockPublicPolicy"], f"it is {found}")


def cors(room: ProbeRoom) -> None:
    rule: Any = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"]}
    room.s3.put_bucket_cors(Bucket=room.bucket, CORSConfiguration={"CORSRules": [rule]})
    (found,) = room.s3.get_bucket_cors(Bucket=room.bucket)["CORSRules"]
    expect(found["AllowedOrigins"] == ["https://example.com"], f"the rule is {found}")


def encryption(room: ProbeRoom) -> None:
    room.put("encrypted", ServerSideEncryption="AES256")
    found = room.s3.head_object(Bucket=room.bucket, Key="encrypted").get("ServerSideEncryption")
    expect(found == "AES256", "it is taken, and nothing says that it is encrypted")


def default_encryption(room: ProbeRoom) -> None:
    bucket = room.further_bucket()
    rule: Any = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    room.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    room.s3.put_object(Bucket=bucket, Key="encrypted", Body=b"content")
    found = room.s3.head_object(Bucket=bucket, Key="encrypted").get("ServerSideEncryption")
    expect(found == "AES256", "it is taken, and nothing says that objects are encrypted")


def object_lock(room: ProbeRoom) -> None:
    bucket = room.further_bucket(ObjectLockEnabledForBucket=True)
    version = room.s3.put_object(Bucket=bucket, Key="held", Body=b"content")["VersionId"]
    room.s3.put_object_legal_hold(Bucket=bucket, Key="held", LegalHold={"Status": "ON"})
    try:
        expect_refusal(
            lambda: room.s3.delete_object(Bucket=bucket, Key="held", VersionId=version), "it is deleted", 400, 403
        )
    finally:
        room.s3.put_object_legal_hold(Bucket=bucket, Key="held", LegalHold={"Status": "OFF"})


def presigned_get(room: ProbeRoom) -> None:
    room.put("presigned", b"content")
    asked = {"Bucket": room.bucket, "Key": "presigned"}
    url = room.s3.generate_presigned_url("get_object", Params=asked, ExpiresIn=60)
    answer = room.http.request("GET", url)
    expect(answer.status == 200 and answer.data == b"content", f"it is answered by {answer.status}")
    expect(room.anonymous(room.bucket, "presigned") == 403, "the object is open without a signature")


def presigned_put(room: ProbeRoom) -> None:
    asked = {"Bucket": room.bucket, "Key": "presigned-put"}
    url = room.s3.generate_presigned_url("put_object", Params=asked, ExpiresIn=60)
    status = room.http.request("PUT", url, body=b"content").status
    expect(status == 200, f"it is answered by {status}")
    expect(room.read("presigned-put") == b"content", "other bytes come back")


def changed_url(room: ProbeRoom) -> None:
    """A signature is for one object: it must not open another."""
    room.put("signed")
    room.put("signed-other")
    url = room.s3.generate_presigned_url("get_object", Params={"Bucket": room.bucket, "Key": "signed"}, ExpiresIn=60)
    status = room.http.request("GET", url.replace("/signed?", "/signed-other?")).status
    expect(status == 403, f"it is answered by {status}")


def wrong_secret(room: ProbeRoom) -> None:
    other = room.as_another(secret_key=secrets.token_urlsafe(20))
    expect_refusal(lambda: other.list_objects_v2(Bucket=room.bucket), "its signature is not checked", 403)


def unknown_key(room: ProbeRoom) -> None:
    other = room.as_another(access_key=f"unknown{secrets.token_hex(6)}")
    expect_refusal(lambda: other.list_objects_v2(Bucket=room.bucket), "an unknown key is accepted", 401, 403)


def unsigned_stream(room: ProbeRoom) -> None:
    """An unsigned chunked upload that names a key in its address: the name of a key is not a secret."""
    today = datetime.datetime.now(datetime.UTC)
    scope = f"{room.store.access_key}/{today:%Y%m%d}/{room.store.region}/s3/aws4_request"
    claimed = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": scope,
        "X-Amz-Date": f"{today:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "0" * 64,
    }
    headers = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": "7",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    crc = b64encode(zlib.crc32(b"content").to_bytes(4, "big"))
    body = b"7\r\ncontent\r\n0\r\nx-amz-checksum-crc32:" + crc + b"\r\n\r\n"
    url = f"{room.store.endpoint}/{room.bucket}/unsigned?{urlencode(claimed)}"
    status = room.http.request("PUT", url, body=body, headers=headers).status
    expect(status >= 400, "whoever knows the name of a key can write")
    expect_refusal(lambda: room.read("unsigned"), "it is refused, and written all the same", 404)


def without_keys(room: ProbeRoom) -> None:
    room.put("closed")
    status = room.anonymous(room.bucket, "closed")
    expect(status in (401, 403), f"it is answered by {status}")


def assume_role(room: ProbeRoom) -> None:
    """Temporary keys that may do only what the policy given with the request allows."""
    room.put("scoped/in")
    room.put("outside")
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{room.bucket}/scoped/*"]}
    keys = sts(room.store).assume_role(
        RoleArn=ROLE,
        RoleSessionName="probe",
        DurationSeconds=900,
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Credentials"]
    expect(keys["Expiration"] > datetime.datetime.now(datetime.UTC), "the keys have expired already")
    given = room.as_another(
        access_key=keys["AccessKeyId"], secret_key=keys["SecretAccessKey"], session_token=keys["SessionToken"]
    )
    given.get_object(Bucket=room.bucket, Key="scoped/in")
    expect_refusal(
        lambda: given.get_object(Bucket=room.bucket, Key="outside"), "the keys open more than asked for", 403
    )


def _versioned(room: ProbeRoom) -> str:
    bucket = room.further_bucket()
    room.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket
