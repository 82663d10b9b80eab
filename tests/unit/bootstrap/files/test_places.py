"""What an address means, and which credentials are used for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.files import places
from bootstrap.ingest.load import TableName, loaded
from bootstrap.remote.connections import StoreConnection
from lakehouse.errors import UsageError
from lakehouse.spec.model import Source

OWN = StoreConnection("http://127.0.0.1:9000", "us-east-1", "own-id", "own-key")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[StoreConnection]:
    """The connections that clients were made for."""
    made: list[StoreConnection] = []
    monkeypatch.setattr(places, "client", made.append)
    return made


def place(address: str, tmp_path: Path, **source: str) -> places.FilePlace:
    return places.place(address, OWN, {"staging": None}, {"flatfiles": Source(**source)}, tmp_path / "lakehouse.yaml")


def test_each_bucket_has_its_own_credentials(tmp_path: Path, opened: list[StoreConnection]) -> None:
    (tmp_path / "keys").write_text("[feed]\naws_access_key_id = feed-id\naws_secret_access_key = feed%key\n")
    place("s3://staging/x", tmp_path)
    place("s3://flatfiles/x", tmp_path, endpoint="https://files.example", credentials="keys", profile="feed")
    place("s3://flatfiles/x", tmp_path, credentials="keys", profile="feed", region="eu-west-1")
    place("s3://flatfiles/x", tmp_path)
    assert [(each.endpoint, each.access_key, each.secret_key) for each in opened] == [
        ("http://127.0.0.1:9000", "own-id", "own-key"),
        ("https://files.example", "feed-id", "feed%key"),
        ("https://s3.eu-west-1.amazonaws.com", "feed-id", "feed%key"),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://other/x", r'"other" is neither in `buckets` nor in `sources` of lakehouse.yaml'),
        ("gs://x/y", "a source is a path, or s3://bucket/key"),
        ("s3://flatfiles/x", r"sources.flatfiles.credentials: .*keys has no section \[default\]"),
    ],
)
def test_a_wrong_address_is_named_and_no_secret(
    tmp_path: Path, opened: list[StoreConnection], address: str, said: str
) -> None:
    (tmp_path / "keys").write_text("aws_secret_access_key = hidden\n")
    with pytest.raises(UsageError, match=said) as caught:
        place(address, tmp_path, credentials="keys")
    assert "hidden" not in str(caught.value)
    assert not opened


def test_credentials_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keys cannot be read: No such file"):
        place("s3://flatfiles/x", tmp_path, credentials="keys")


def test_names_of_tables() -> None:
    name = TableName.parse("lake.a.b.t", ["lake"])
    assert (name.catalog, name.namespace, name.name, name.quoted) == ("lake", "a.b", "t", "`lake`.`a`.`b`.`t`")
    for wrong in ("lake.t", "t", "lake.a.", "sea.a.t"):
        with pytest.raises(UsageError, match="--into"):
            TableName.parse(wrong, ["lake"])


def test_what_was_loaded_is_in_snapshots_and_properties() -> None:
    snapshots = [{"summary": {"ingest.files": "a b"}}, {"summary": {}}, {}]
    assert loaded({"properties": {"ingest.files": "c a"}, "snapshots": snapshots}) == {"a", "b", "c"}
    assert loaded({}) == set()
