"""Metadata files: how pyiceberg reaches them, and which files are refused."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from bootstrap.catalogs.metadata_files import MetadataFiles, file_settings, parsed
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Refused

LOCAL = StoreConnection("http://127.0.0.1:1", "us-east-1", "key", "secret")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "shell")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "its secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    ("store", "wanted"),
    [
        (LOCAL, ("http://127.0.0.1:1", "key", "secret", None)),
        (StoreConnection(None, "us-east-1"), ("http://127.0.0.1:2", "shell", "its secret", "token")),
    ],
)
def test_pyiceberg_has_the_keys_that_boto3_has(store: StoreConnection, wanted: tuple[str | None, ...]) -> None:
    connections = Connections(store, {})
    found = MetadataFiles(connections).io.properties
    assert found == file_settings(connections)
    names = ("s3.endpoint", "s3.access-key-id", "s3.secret-access-key", "s3.session-token")
    assert tuple(found.get(name) for name in names) == wanted


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.metadata.json", b"{"),
        ("a.metadata.json", b"\xff\xfe\xfd"),
        ("a.gz.metadata.json", b"{}"),
        ("a.gz.metadata.json", gzip.compress(b"{}", mtime=0)[:-9]),
    ],
)
def test_a_damaged_file_is_refused_with_its_name(name: str, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    files = MetadataFiles(Connections(LOCAL, {}))
    anything: Any = type("Objects", (), {"read": lambda self, location: data})()
    monkeypatch.setattr(files, "_objects", anything)
    with pytest.raises(Refused, match=f"s3://b/{name} is damaged"):
        files.read(f"s3://b/{name}")


@pytest.mark.parametrize("content", [{}, {"format-version": 9}, {"format-version": 2, "location": "s3://b/t"}])
def test_metadata_of_an_unknown_form_is_refused_with_its_place(content: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="s3://b/v1.metadata.json is not a table's metadata that can be read: "):
        parsed("s3://b/v1.metadata.json", content)
