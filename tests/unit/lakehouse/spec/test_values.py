"""Single values: sizes of memory and locations."""

from ipaddress import IPv4Network

import pytest

from lakehouse.spec.engines import Trino
from lakehouse.spec.model import Catalog, Column, Compact, Source, Table
from lakehouse.spec.stacks import AwsStack
from lakehouse.spec.values import Size, on_loopback


@pytest.mark.parametrize(("text", "mb"), [("640m", 640), ("1g", 1024), ("16g", 16384)])
def test_sizes(text: str, mb: int) -> None:
    assert (Size(text), Size(text).mb, Size(text).bytes) == (text, mb, mb * 1024 * 1024)


def test_what_is_parsed_is_written_as_the_file_has_it() -> None:
    trino = Trino.model_validate({"memory": "1024m"})
    assert trino.memory.mb == 1024
    assert trino.model_dump(mode="python")["memory"] == trino.model_dump(mode="json")["memory"] == "1024m"
    compact = Compact.model_validate({"target_file_size": "128m"})
    assert (compact.target_file_size.bytes, compact.model_dump()["target_file_size"]) == (128 << 20, "128m")
    aws = AwsStack.model_validate({"region": "eu-west-1", "store": "s3", "catalogs": {}, "cidr": "10.0.0.0/16"})
    assert (aws.cidr, aws.model_dump(mode="json")["cidr"]) == (IPv4Network("10.0.0.0/16"), "10.0.0.0/16")


@pytest.mark.parametrize(("text", "bucket", "prefix"), [("s3://b/lake/a", "b", "lake/a"), ("s3://b", "b", "")])
def test_a_location_has_its_parts(text: str, bucket: str, prefix: str) -> None:
    location = Catalog.model_validate({"location": text}).location
    assert (location.bucket, location.prefix) == (bucket, prefix)


@pytest.mark.parametrize("text", ["", "1", "1G", "0g", "-1g", "1.5g", "1gb", "g", "1 g", "٣g"])
def test_wrong_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size of memory"):
        Size(text)


@pytest.mark.parametrize("location", ["s3://b", "s3://b/lake", "s3://b/lake/a.b/date=1", "s3://b/_x-y@z"])
def test_locations(location: str) -> None:
    assert Catalog.model_validate({"location": location}).location == location


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("s3a://b/lake", 'Write "s3://b/lake"'),
        ("s3n://b/lake/", 'Write "s3://b/lake"'),
        ("/b/lake", "it begins with s3://"),
        ("gs://b/lake", "it begins with s3://"),
        ("s3://b/", "a bucket and a prefix in it"),
        ("s3:///lake", "a bucket and a prefix in it"),
        ("s3://b/lake/", 'Write "s3://b/lake"'),
        ("s3://b/a//b", "between single slashes"),
        ("s3://b/a/../b", "between single slashes"),
        ("s3://b/my lake", "between single slashes"),
    ],
)
def test_wrong_locations(location: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        Catalog.model_validate({"location": location})
    assert why in str(caught.value)


def test_a_table_has_a_prefix() -> None:
    with pytest.raises(ValueError, match="a bucket and a prefix in it"):
        Table.model_validate({"columns": {"a": "int"}, "location": "s3://b"})


NAMES = ["order-id", "größe", "2024_total", "with space", "a/b", "a%b", "名前", "a+b=c", "x😀", "-lead", "_x"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_columns(name: str) -> None:
    """Each was written, read, updated, partitioned and sorted by with Spark 4.1 and Trino 476."""
    table = Table.model_validate({"columns": {name: "int", "s": f"struct<{name}: required int, b: list<int>>"}})
    assert list(table.columns) == [name, "s"]
    assert table.columns["s"].type == f"struct<{name}: required int, b: list<int>>"
    assert Column.model_validate({"type": "int", "renamed_from": name}).renamed_from == name


@pytest.mark.parametrize(
    "name", ["a.b", "a,b", "a:b", "a(b", "a[b", 'a"b', "a\\b", " a", "a ", "a  b", "a\tb", "$path", "", "İ", "a\u00a0b"]
)
def test_wrong_names_of_columns(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name for a column"):
        Table.model_validate({"columns": {name: "int"}})


@pytest.mark.parametrize("address", ["https://a", "http://a-b.c_d:9000", "http://127.0.0.1:1", "http://[::1]:9000"])
def test_addresses(address: str) -> None:
    assert Source.model_validate({"endpoint": address}).endpoint == address


@pytest.mark.parametrize(
    "address", ["a", "ftp://a", "http://", "http://a/b", "http://a:", "http://a:70000", "http://[", "http://[::::]"]
)
def test_wrong_addresses(address: str) -> None:
    with pytest.raises(ValueError, match="https://HOST or http://HOST:PORT, and nothing after it"):
        Source.model_validate({"endpoint": address})


@pytest.mark.parametrize("file", ["keys", "~/.aws/credentials", "/etc/keys", "../keys~"])
def test_files_of_sources(file: str) -> None:
    assert Source.model_validate({"credentials": file}).credentials == file


@pytest.mark.parametrize(
    ("file", "why"), [("~somebody/keys", "followed by a slash"), ("", "is not a file"), ("a=b", "is not a file")]
)
def test_wrong_files_of_sources(file: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Source.model_validate({"credentials": file})


@pytest.mark.parametrize(
    ("address", "here"),
    [
        *((f"http://{host}:5000", True) for host in ("localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]")),
        *((f"https://{host}", False) for host in ("files.example", "10.0.0.1", "localhost.example", "[fd00::1]")),
    ],
)
def test_addresses_of_the_machine_itself(address: str, here: bool) -> None:
    assert on_loopback(address) is here
