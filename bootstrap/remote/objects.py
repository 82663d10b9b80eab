"""Single objects of a store, read and written by the thousand.

For a store that we run, urllib3 sends requests that botocore signs. That takes a third of boto3's processor time for
each request, as measured, which limits how fast thousands of tables are handled. For AWS itself boto3 is used, because
it knows AWS's addresses, proxies and credentials.
"""

from __future__ import annotations

from urllib.parse import quote, urlparse

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from urllib3 import exceptions

from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing, Refused, RemoteError, Throttled, UnknownState, Unreachable
from bootstrap.remote.retry import retried
from bootstrap.remote.s3 import client, typed

_ATTEMPTS = 4


class Objects:
    """Objects by their ``s3://`` addresses. Raises the errors of :mod:`bootstrap.remote.errors`.

    A failed request is sent again, even a write: an object written here has a name that nobody else writes to.
    """

    def __init__(self, connections: Connections) -> None:
        store = connections.store
        self._endpoint = store.endpoint
        self._what = f"s3.{store.region}.amazonaws.com"
        if store.endpoint is None:
            self._boto = client(store, patience=connections.patience, parallel=connections.parallel)
            return
        keys = Credentials(store.access_key or "", store.secret_key or "")
        self._auth = S3SigV4Auth(keys, "s3", store.region)
        self._pool = urllib3.PoolManager(
            maxsize=connections.parallel,
            retries=False,
            timeout=urllib3.Timeout(connect=min(5.0, connections.patience), read=connections.patience),
            ca_certs=store.trust,
        )

    def read(self, location: str) -> bytes:
        """The content of an object. Raises Missing if there is no such object."""
        if self._endpoint is not None:
            return self._sent("GET", location)
        bucket, key = _place(location)
        with typed(self._what):
            return self._boto.get_object(Bucket=bucket, Key=key)["Body"].read()

    def write(self, location: str, data: bytes) -> None:
        if self._endpoint is not None:
            self._sent("PUT", location, data)
            return
        bucket, key = _place(location)
        with typed(self._what):
            self._boto.put_object(Bucket=bucket, Key=key, Body=data)

    def _sent(self, method: str, location: str, data: bytes | None = None) -> bytes:
        return retried(lambda: self._once(method, location, data), _ATTEMPTS, Throttled, UnknownState)

    def _once(self, method: str, location: str, data: bytes | None) -> bytes:
        bucket, key = _place(location)
        url = f"{self._endpoint}/{bucket}/{quote(key, safe='/~')}"
        request = AWSRequest(method=method, url=url, data=data)
        self._auth.add_auth(request)
        try:
            answer = self._pool.request(method, url, body=data, headers=dict(request.headers.items()))
        except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError, exceptions.NameResolutionError) as error:
            raise Unreachable("the object store", str(self._endpoint), type(error).__name__) from None
        except (exceptions.HTTPError, OSError) as error:
            raise UnknownState(f"the object store: no answer to {method} {location} ({type(error).__name__})") from None
        if answer.status < 300:
            return answer.data
        raise _failure(answer.status, f"the object store: {method} {location}: HTTP {answer.status}")


def _failure(status: int, text: str) -> RemoteError:
    if status == 404:
        return Missing(text)
    if status in (429, 503):
        return Throttled(text)
    return UnknownState(text) if status >= 500 and status != 501 else Refused(text)


def _place(location: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://`` address."""
    parts = urlparse(location)
    return parts.netloc, parts.path.removeprefix("/")
