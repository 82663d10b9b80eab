"""boto3's clients of an object store, for every module that needs one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import exceptions
from botocore.config import Config

from bootstrap.remote.connections import AwsAccount, StoreConnection
from bootstrap.remote.errors import Conflict, Exists, Missing, Refused, Throttled, UnknownState, Unreachable

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_ABSENT = {"NoSuchBucket", "404", "NoSuchLifecycleConfiguration", "NoSuchBucketPolicy", "NoSuchKey", "NoSuchEntity"}
_THERE = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
_BUSY = {"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "503"}
_LACKING = {"NotImplemented", "501", "NoSuchPolicy"}  # the last is S3Proxy's, which has no policies
# A local store has its own keys: the shell's AWS settings (above all AWS_PROFILE) must not affect it.
_NOT_FROM_THE_SHELL = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ignore_configured_endpoint_urls": (None, None, True, None),
}


def client(store: StoreConnection, *, patience: float = 30.0, parallel: int = 10, attempts: int = 5) -> S3Client:
    """A client of the store. With its own endpoint, it ignores all AWS settings of the shell and of ~/.aws.

    ``patience`` is in seconds per request, ``parallel`` the number of connections kept, ``attempts`` how often a
    request is sent before its failure counts.
    """
    made: S3Client = _client("s3", store, patience, parallel, attempts)
    return made


def sts(store: StoreConnection, *, patience: float = 30.0) -> Any:
    """A client of the store's Security Token Service, which local stores have at the same address."""
    return _client("sts", store, patience, 1, 1)


def iam(store: StoreConnection, *, patience: float = 30.0, parallel: int = 10) -> Any:
    """A client of the IAM API that a local store has at the same address."""
    return _client("iam", store, patience, parallel, 5)


def glue(
    store: StoreConnection, address: str, account: AwsAccount | None = None, *, patience: float, parallel: int
) -> Any:
    """A client of the Glue Data Catalog; ``address`` if it is not AWS's own. Without an ``account`` it is the store's.

    With one, it ignores all AWS settings of the shell and of ~/.aws.
    """
    at = replace(store, endpoint=address or None)
    if account is not None:
        at = StoreConnection(address or None, account.region, account.access_key, account.secret_key)
    return _client("glue", at, patience, parallel, 5)


def s3tables(store: StoreConnection) -> Any:
    """A client of the API of S3 Tables, which a local store may have at the same address."""
    return _client("s3tables", store, 30.0, 1, 5)


def session() -> botocore.session.Session:
    """A session without the shell's AWS settings, for a library that makes its own clients of a local store."""
    return botocore.session.Session(session_vars=_NOT_FROM_THE_SHELL)


def _client(service: str, store: StoreConnection, patience: float, parallel: int, attempts: int) -> Any:
    own = store.endpoint is not None
    alone = own or store.access_key is not None
    session = botocore.session.Session(session_vars=_NOT_FROM_THE_SHELL if alone else None)
    if alone:
        session.register_component("data_loader", _descriptions())
    # Many S3-compatible stores refuse checksum trailers: they are sent only if an operation demands them.
    config = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=5,
        read_timeout=patience,
        max_pool_connections=parallel,
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "path"} if own else {},
        proxies={} if own else None,
    )
    made: Any = boto3.Session(botocore_session=session)
    return made.client(
        service,
        endpoint_url=store.endpoint,
        region_name=store.region,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        aws_session_token=store.session_token,
        config=config,
        verify=store.trust,
    )


@cache
def _descriptions() -> Any:
    """What botocore knows about AWS's services. Read once: this takes most of the time in which a client is made."""
    return session().get_component("data_loader")


class Lacking(Exception):
    """The store does not have this feature."""


@contextmanager
def typed(endpoint: str) -> Iterator[None]:
    """Turn every failure of boto3 into an error of :mod:`bootstrap.remote.errors`."""
    what = "the object store"
    try:
        yield
    except exceptions.ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        message = f"{what}: {error}"
        if code in _LACKING or status == 501:
            raise Lacking(message) from None
        if code in _THERE:
            raise (Exists if code == "BucketAlreadyOwnedByYou" else Refused)(message) from None
        if code in _ABSENT:
            raise Missing(message) from None
        if code in _BUSY or status in (429, 503):
            raise Throttled(message) from None
        if code == "OperationAborted":
            raise Conflict(message) from None
        raise (UnknownState if status >= 500 else Refused)(message) from None
    except exceptions.SSLError:
        text = f"{what}: {endpoint} cannot be trusted, so nothing was sent"
        raise Refused(f"{text}. Name its authority's certificate, or have the server use another") from None
    except (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError) as error:
        raise Unreachable(what, endpoint, type(error).__name__) from None
    except (exceptions.ReadTimeoutError, exceptions.HTTPClientError) as error:
        raise UnknownState(f"{what}: no answer from {endpoint} ({type(error).__name__})") from None
    except exceptions.BotoCoreError as error:
        raise Refused(f"{what}: {error}") from None
