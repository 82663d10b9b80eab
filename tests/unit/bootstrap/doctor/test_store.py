from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from bootstrap.doctor import store
from bootstrap.doctor.store import Answer

ENDPOINT = "http://127.0.0.1:9000"
REFUSAL = Answer(403, {"x-amz-request-id": "1"}, "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>")


@pytest.mark.parametrize(
    ("answer", "severity", "cause"),
    [
        (REFUSAL, "ok", ""),
        (Answer(403, {}, REFUSAL.body), "ok", ""),
        (Answer(200, {}, "<ListAllMyBucketsResult/>"), "ok", ""),
        (Answer(200, {"server": "SimpleHTTP"}, "<html>"), "error", "another program listens"),
        (Answer(reason="connection refused"), "error", "does not run"),
        (Answer(unresolved=True, reason="the name does not resolve"), "error", "only inside Docker's network"),
    ],
)
def test_reached(answer: Answer, severity: str, cause: str) -> None:
    found = store.reached(ENDPOINT, answer, "s3proxy", "local")
    assert found.severity == severity
    assert cause in found.cause
    assert bool(found.fix) == (severity == "error")


NOW = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "severity", "word"),
    [
        (0, "ok", ""),
        (299, "ok", ""),
        (-299, "ok", ""),
        (600, "warning", "10 min ahead of"),
        (-600, "warning", "10 min behind"),
        (901, "error", "15 min ahead of"),
        (-7200, "error", "2 h behind"),
        (86400, "error", "24 h ahead of"),
    ],
)
def test_the_clock(seconds: int, severity: str, word: str) -> None:
    answer = Answer(403, {"date": format_datetime(NOW, usegmt=True)})
    found = store.clock(answer, NOW.timestamp() + seconds)
    assert found.severity == severity
    assert word in found.found
    assert ("timedatectl" in found.fix) == (severity != "ok")


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_a_store_that_does_not_say_its_time(headers: dict[str, str]) -> None:
    assert store.clock(Answer(403, headers), NOW.timestamp()).severity == "ok"


@pytest.mark.parametrize(
    ("missing", "refused", "stale", "severity", "cause"),
    [
        ((), "", (), "ok", ""),
        (("store-secret-key",), "", (), "error", "removed the store's keys"),
        ((), "SignatureDoesNotMatch", ("s3proxy", "trino"), "error", "replaced after s3proxy, trino had been started"),
        ((), "InvalidAccessKeyId", (), "error", "keeps other keys"),
        ((), "", ("trino",), "error", "not every service was restarted"),
    ],
)
def test_keys(missing: tuple[str, ...], refused: str, stale: tuple[str, ...], severity: str, cause: str) -> None:
    found = store.keys(missing, refused, stale, "/state/secrets", "local")
    assert found.severity == severity
    assert cause in found.cause
    assert ("`lakehouse destroy`, then `lakehouse deploy`" in found.fix) == (severity == "error")


def test_other_secrets() -> None:
    assert store.secrets([], [], "/state/secrets", "local").severity == "ok"
    missing = store.secrets(["postgres-rest"], [], "/state/secrets", "local")
    stale = store.secrets([], ["postgres", "rest"], "/state/secrets", "local")
    assert missing.found == "postgres-rest missing in /state/secrets"
    assert stale.found == "postgres, rest started with other secrets than those in /state/secrets"
    for found in (missing, stale):
        assert found.severity == "error"
        assert "`lakehouse destroy`, then `lakehouse deploy`" in found.fix


def test_buckets() -> None:
    assert store.buckets(["staging", "warehouse", "others"], ["warehouse", "staging"]).severity == "ok"
    assert store.buckets([], []).severity == "ok"
    found = store.buckets(["warehouse"], ["warehouse", "staging"])
    assert (found.severity, found.found) == ("error", "missing: staging")
    assert found.fix.startswith("`lakehouse apply`")
