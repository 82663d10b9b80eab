"""Clients of the store: which certificates they trust."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.remote import s3
from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.errors import Refused
from lakehouse.runtimes import certificates
from lakehouse.runtimes.state import State
from tests.unit.lakehouse.runtimes.test_certificates import served, web


def test_a_store_of_the_stacks_own_authority_is_trusted_if_that_is_named(tmp_path: Path) -> None:
    state = State(tmp_path)
    certificates.issue(state, [web()])
    folder = tmp_path / "certificates"
    with served(folder / "web") as port:
        url = f"https://127.0.0.1:{port}"
        trusted = StoreConnection(url, "us-east-1", "key", "word", trust=str(folder / "authority" / "certificate.pem"))
        with s3.typed(url):
            answer = s3.client(trusted, attempts=1).get_object(Bucket="bucket", Key="key")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        unknown = StoreConnection(url, "us-east-1", "key", "word")
        with pytest.raises(Refused, match="cannot be trusted, so nothing was sent"), s3.typed(url):
            s3.client(unknown, attempts=1).get_object(Bucket="bucket", Key="key")
