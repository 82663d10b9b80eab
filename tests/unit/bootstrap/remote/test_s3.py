"""Clients of the store and of Glue: which certificates they trust, and that a shell does not mislead them."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader

from bootstrap.remote import s3
from bootstrap.remote.connections import AwsAccount, StoreConnection
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


def test_the_descriptions_of_services_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    store = StoreConnection("http://store.example", "us-east-1", "key", "word")
    s3.client(store)
    monkeypatch.setattr(JSONFileLoader, "load_file", lambda *_: pytest.fail("read again"))
    assert s3.client(store).meta.endpoint_url == "http://store.example"


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:5000"])
def test_a_glue_with_its_own_account_ignores_the_shell(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere.example")
    store = StoreConnection("http://store.example", "us-east-1", "key", "word")
    s3._descriptions.cache_clear()  # as in a process that makes its first client
    client = s3.glue(store, address, AwsAccount("eu-west-1", "own", "o" * 8), patience=1.0, parallel=1)
    assert client.meta.endpoint_url == (address or "https://glue.eu-west-1.amazonaws.com")
    assert client.meta.region_name == "eu-west-1"
