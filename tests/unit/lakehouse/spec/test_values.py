"""Single values: sizes of memory and locations."""

import pytest

from lakehouse.spec import megabytes
from lakehouse.spec.model import Catalog


@pytest.mark.parametrize(("text", "mb"), [("640m", 640), ("1g", 1024), ("16g", 16384)])
def test_megabytes(text: str, mb: int) -> None:
    assert megabytes(text) == mb


@pytest.mark.parametrize("text", ["", "1", "1G", "0g", "-1g", "1.5g", "1gb", "g", "1 g", "٣g"])
def test_wrong_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size of memory"):
        megabytes(text)


@pytest.mark.parametrize("location", ["s3://b/lake", "s3://b/lake/a.b/date=1", "s3://b/_x-y@z"])
def test_locations(location: str) -> None:
    assert Catalog(location=location).location == location


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("s3a://b/lake", 'Write "s3://b/lake"'),
        ("s3n://b/lake/", 'Write "s3://b/lake"'),
        ("/b/lake", "it begins with s3://"),
        ("gs://b/lake", "it begins with s3://"),
        ("s3://b", "a bucket and a prefix in it"),
        ("s3:///lake", "a bucket and a prefix in it"),
        ("s3://b/lake/", 'Write "s3://b/lake"'),
        ("s3://b/a//b", "between single slashes"),
        ("s3://b/a/../b", "between single slashes"),
        ("s3://b/my lake", "between single slashes"),
    ],
)
def test_wrong_locations(location: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        Catalog(location=location)
    assert why in str(caught.value)
