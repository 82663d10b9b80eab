"""boto3's clients of an object store, for every module that needs one."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from bootstrap.connections import StoreConnection

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# A local store has its own keys: what the shell says of AWS (AWS_PROFILE above all) must not matter to it.
_NOT_FROM_THE_SHELL = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def client(store: StoreConnection, *, patience: float = 30.0, parallel: int = 10, attempts: int = 5) -> S3Client:
    """A client; one with an endpoint of its own heeds no AWS settings of the shell or of ~/.aws.

    ``patience`` is in seconds a request, ``parallel`` the connections that are kept, ``attempts`` how often a request
    is sent before its failure counts.
    """
    made: S3Client = _client("s3", store, patience, parallel, attempts)
    return made


def sts(store: StoreConnection, *, patience: float = 30.0) -> Any:
    """A client of the store's Security Token Service, which local stores have at the same address."""
    return _client("sts", store, patience, 1, 1)


def glue(store: StoreConnection, address: str, *, patience: float, parallel: int) -> Any:
    """A client of the Glue Data Catalog beside the store; ``address`` where it is not AWS's own."""
    return _client("glue", replace(store, endpoint=address or None), patience, parallel, 5)


def _client(service: str, store: StoreConnection, patience: float, parallel: int, attempts: int) -> Any:
    own = store.endpoint is not None
    session = botocore.session.Session(session_vars=_NOT_FROM_THE_SHELL if own else None)
    # Checksum trailers are refused by many S3-compatible stores: only where an operation demands them.
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
    )
