"""PyIceberg's settings for a store whose certificate the system does not trust."""

from __future__ import annotations

from pyiceberg.io import load_file_io

from bootstrap.remote import trust
from bootstrap.remote.trusting import TrustingFileIO

KEYS = {
    "s3.endpoint": "https://127.0.0.1:1",
    "s3.region": "us-east-1",
    "s3.access-key-id": "name",
    "s3.secret-access-key": "value",
    "s3.connect-timeout": "3",
}


def test_without_a_file_pyiceberg_stays_as_it_is() -> None:
    assert trust.of_store(None) == trust.of_store("") == {}
    made = TrustingFileIO(KEYS).fs_by_scheme("s3", "bucket")
    assert made.__reduce__()[1][0]["tls_ca_file_path"] == ""


def test_arrow_trusts_the_file_and_keeps_all_that_pyiceberg_says() -> None:
    made = load_file_io({**KEYS, **trust.of_store("/state/authority.pem")})
    assert isinstance(made, TrustingFileIO)
    [said] = made.fs_by_scheme("s3", "bucket").__reduce__()[1]
    [plain] = TrustingFileIO(KEYS).fs_by_scheme("s3", "bucket").__reduce__()[1]
    assert said == {**plain, "tls_ca_file_path": "/state/authority.pem"}
    assert (said["endpoint_override"], said["access_key"], said["connect_timeout"]) == (KEYS["s3.endpoint"], "name", 3)
