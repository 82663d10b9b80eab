"""boto3's client of an object store, for every module that needs one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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


def client(store: StoreConnection, *, patience: float = 30.0, parallel: int = 10) -> S3Client:
    """A client; one with an endpoint of its own heeds no AWS settings of the shell or of ~/.aws.

    ``patience`` is in seconds a request, ``parallel`` the connections that are kept.
    """
    own = store.endpoint is not None
    session = botocore.session.Session(session_vars=_NOT_FROM_THE_SHELL if own else None)
    # Checksum trailers are refused by many S3-compatible stores: only where an operation demands them.
    config = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=5,
        read_timeout=patience,
        max_pool_connections=parallel,
        retries={"mode": "standard", "max_attempts": 4},
        s3={"addressing_style": "path"} if own else {},
        proxies={} if own else None,
    )
    return boto3.Session(botocore_session=session).client(
        "s3",
        endpoint_url=store.endpoint,
        region_name=store.region,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        config=config,
    )
