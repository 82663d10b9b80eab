"""What `properties` of a kind say is in effect in its server. tests/integration has those of REST and Trino."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from botocore.auth import SIGV4_TIMESTAMP, S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.behaviour.servers import REGION, Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


def test_nessie_sends_the_header(servers: Servers) -> None:
    assert requests.get(f"{servers.catalog}/api/v2/config", timeout=30).headers["X-Lakehouse"] == "here"


@pytest.mark.parametrize("servers", ["s3proxy"], indirect=True)
@pytest.mark.parametrize(("minutes", "status"), [(45, 200), (75, 403)])
def test_s3proxy_takes_older_signatures(
    servers: Servers, minutes: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself it takes a quarter of an hour, the file says an hour."""
    then = datetime.now(UTC) - timedelta(minutes=minutes)
    url = f"{servers.store}/"
    request = AWSRequest("GET", url)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: then)
    S3SigV4Auth(Credentials(servers.access_key, servers.secret_key), "s3", REGION).add_auth(request)
    assert request.headers["X-Amz-Date"] == then.strftime(SIGV4_TIMESTAMP)
    assert requests.get(url, headers=dict(request.headers), timeout=30).status_code == status
