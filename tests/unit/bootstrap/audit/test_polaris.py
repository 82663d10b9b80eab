"""Polaris's access log. The lines are those of a real Polaris 1.7.0 with the settings of the kind."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.audit.event import AccessEvent
from bootstrap.audit.polaris import PolarisRequests, event

HEAD = "2026-11-26 17:43:11,226 INFO  [io.qu.ht.access-log] 127.0.0.1 - "
LOG = f"""\
2026-11-26 17:43:06,485 WARN  [or.ap.po.se.co.ProductionReadinessChecks] Refer to the documentation.
{HEAD}- [26/Nov/2026:17:43:10 +0000] "POST /api/catalog/v1/oauth/tokens HTTP/1.1" 200 757
{HEAD}root [26/Nov/2026:17:43:11 +0000] "POST /api/management/v1/principals/demo-bi/reset HTTP/1.1" 200 215
{HEAD}root [26/Nov/2026:17:43:11 +0000] "GET /api/catalog/v1/wh/namespaces/a%1Fb%20c/tables HTTP/1.1" 200 41
{HEAD}demo-bi [26/Nov/2026:17:43:11 +0000] "GET /api/catalog/v1/wh/namespaces/a/tables/secret HTTP/1.1" 404 95
{HEAD}demo-bi [26/Nov/2026:17:43:12 +0000] "DELETE /api/management/v1/catalogs/wh HTTP/1.1" 403 187
{HEAD}- [26/Nov/2026:17:43:12 +0000] "GET /api/catalog/v1/wh/namespaces HTTP/1.1" 401 -
{HEAD}root [26/Nov/2026:17:43:12 +0000] "GET /api/catalog/v1/config?warehouse=wh&q=a%22%20b HTTP/1.1" 200 2150
{HEAD}root [26/Nov/2026:17:43:12 +0000] "HEAD /api/catalog/v1/wh/namespaces/a/views/t HTTP/1.1" 404 -
"""
PRINCIPALS, CATALOGS = {"demo-bi": "bi"}, {"wh": "lake"}


def test_each_request_the_newest_first() -> None:
    found = list(PolarisRequests(lambda: LOG, PRINCIPALS, CATALOGS, str).read(None))
    assert [(each.who, each.what, each.on, each.result) for each in found] == [
        ("root", "HEAD /api/catalog/v1/wh/namespaces/a/views/t", "lake.a.t", "failed: HTTP 404"),
        ("root", "GET /api/catalog/v1/config", "", "ok"),
        ("", "GET /api/catalog/v1/wh/namespaces", "lake", "denied"),
        ("bi", "DELETE /api/management/v1/catalogs/wh", "lake", "denied"),
        ("bi", "GET /api/catalog/v1/wh/namespaces/a/tables/secret", "lake.a.secret", "failed: HTTP 404"),
        ("root", "GET /api/catalog/v1/wh/namespaces/a%1Fb%20c/tables", "lake.a.b c", "ok"),
        ("root", "POST /api/management/v1/principals/demo-bi/reset", "demo-bi", "ok"),
        ("", "POST /api/catalog/v1/oauth/tokens", "", "ok"),
    ]
    assert {each.layer for each in found} == {"polaris"}
    assert found[-1].time == datetime(2026, 11, 26, 17, 43, 10, tzinfo=UTC)


def seen(who: str, path: str = "/api/catalog/v1/wh/namespaces") -> AccessEvent | None:
    line = f'{HEAD}{who} [26/Nov/2026:12:13:14 +0200] "GET {path} HTTP/1.1" 200 9'
    return event(line, PRINCIPALS, CATALOGS, lambda text: text.replace("hunter2", "********"))


def test_the_time_has_its_zone_and_a_known_secret_is_not_shown() -> None:
    found = seen("root", "/api/management/v1/principals/hunter2")
    assert found is not None
    assert found.time == datetime(2026, 11, 26, 10, 13, 14, tzinfo=UTC)
    assert "hunter2" not in found.what


@pytest.mark.parametrize("who", ["ann lee", "a - b [x]", '"ann"', "ünal"])
def test_a_principal_may_have_any_name(who: str) -> None:
    found = seen(who)
    assert found is not None
    assert found.who == who


@given(st.text())
def test_any_other_line_is_left_out(line: str) -> None:
    assert event(line, {}, {}, str) is None


@pytest.mark.parametrize(
    "line",
    [
        LOG.splitlines()[1].replace("access-log", "other"),
        LOG.splitlines()[1].removeprefix("2026"),
        f"2026-11-26 17:43:06,485 WARN  [or.ap.po.Handler] said {LOG.splitlines()[1]}",
        LOG.splitlines()[1] + " and more",
    ],
)
def test_a_line_that_only_looks_like_it_is_left_out(line: str) -> None:
    if line.startswith("-"):
        line = f" {line}"
    assert event(line, {}, {}, str) is None
