"""Real lines of services' logs, and their meaning."""

from __future__ import annotations

import pytest

from bootstrap.doctor import logs


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("java.lang.OutOfMemoryError: Java heap space", "memory is too small"),
        ("Terminating due to java.lang.OutOfMemoryError: GC overhead limit exceeded", "memory is too small"),
        ("There is insufficient memory for the Java Runtime Environment to continue.", "memory is too small"),
        ("[error][aot] Out of memory. Please run with a larger Java heap, current MaxHeapSize = 16M", "too small"),
        ("Initial heap size set to a larger value than the maximum heap size", "memory is too small"),
        ("Caused by: java.net.BindException: Address already in use", "holds its port"),
        ("listen tcp 127.0.0.1:9000: bind: address already in use", "holds its port"),
        ("java.net.UnknownHostException: minio", "does not resolve"),
        ("dial tcp: lookup minio: no such host", "does not resolve"),
        ("java.io.IOException: No space left on device", "disk is full"),
        ("S3Exception: The difference ... (Service: S3, Status Code: 403) RequestTimeTooSkewed", "clock"),
        ("Error Code: SignatureDoesNotMatch", "refuses its keys"),
        ("NoSuchBucketException: The specified bucket does not exist (NoSuchBucket)", "a bucket is missing"),
        ("java.lang.UnsupportedClassVersionError: io/trino has been compiled by a more recent", "another Java"),
        ("Error: Unable to access jarfile /cache/nessie.jar", "a part of its package"),
        ("Error: Could not find or load main class org.apache.spark.deploy.master.Master", "a part of its package"),
        ("RocksDBException: While lock file: /data/LOCK: Resource temporarily unavailable", "has its data folder open"),
        ("1) Error: Configuration property 's3.nonsense' was not used", "a property that lakehouse.yaml sets"),
        ("java.nio.file.AccessDeniedException: /data/nessie", "may not read or write"),
    ],
)
def test_a_line_shows_the_cause(line: str, cause: str) -> None:
    found = logs.reason(["INFO starting", line, "\tat some.Frame(Frame.java:1)", ""], "nessie", "local")
    assert found is not None
    assert cause in found.cause
    assert found.line == line
    assert "`" in found.fix
    assert "{" not in found.fix


def test_the_last_line_that_means_something_counts() -> None:
    lines = ["java.lang.OutOfMemoryError: Java heap space", "restarted", "BindException: Address already in use", "end"]
    found = logs.reason(lines, "trino", "local")
    assert found is not None
    assert "port" in found.cause


@pytest.mark.parametrize("lines", [[], ["INFO all is well", "SERVER STARTED", "retention of 512 snapshots"]])
def test_lines_that_say_nothing(lines: list[str]) -> None:
    assert logs.reason(lines, "trino", "local") is None


def test_a_long_line_is_cut() -> None:
    found = logs.reason([f"OutOfMemoryError {'x' * 1000}"], "trino", "local")
    assert found is not None
    assert len(found.line) == 200
    assert logs.last(["one", "  two  words ", "", " "]) == "two words"
    assert logs.last([]) == ""


def test_a_line_that_only_names_a_request_says_nothing() -> None:
    line = '[26/Nov/2026:17:43:11 +0000] "GET /api/catalog/v1/lake/namespaces/NoSuchBucket HTTP/1.1" 200 41'
    assert logs.is_request(f"2026-11-26 17:43:11,226 INFO  [io.qu.ht.access-log] 127.0.0.1 - root {line}")
    assert not logs.is_request("2026-11-26 17:43:06,485 WARN  [or.ap.po.se.co.ProductionReadinessChecks] Refer to")
