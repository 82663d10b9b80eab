"""How requests are authenticated: not at all, with a token, OAuth2 client credentials, or AWS signatures.

All threads that talk to a server share these objects. They show no secret when they are printed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions

from bootstrap.remote.errors import Refused, Throttled, UnknownState, Unreachable

Headers = Mapping[str, str]

_EARLY = 60.0  # a token is replaced this many seconds before it expires, or after nine tenths of a short lifetime
_FORM = "application/x-www-form-urlencoded"


class Auth(Protocol):
    """Authenticates requests."""

    def headers(self, method: str, url: str, sent: Headers, body: bytes | None) -> Headers:
        """The headers to add to a request that is about to be sent with the headers ``sent``."""

    def renewed(self, used: Headers) -> bool:
        """After a 401: whether another try may succeed. ``used`` is what :meth:`headers` gave for the refused one."""


@dataclass(frozen=True)
class NoAuth:
    """The server asks for nothing."""

    def headers(self, method: str, url: str, sent: Headers, body: bytes | None) -> Headers:
        return {}

    def renewed(self, used: Headers) -> bool:
        return False


NONE = NoAuth()


@dataclass(frozen=True)
class Bearer:
    """A token that was handed out beforehand."""

    token: str = field(repr=False)

    def headers(self, method: str, url: str, sent: Headers, body: bytes | None) -> Headers:
        return {"Authorization": f"Bearer {self.token}"}

    def renewed(self, used: Headers) -> bool:
        return False


class ClientCredentials:
    """OAuth2's grant of that name: an id and a secret are exchanged for a token, and again before the token expires.

    https://datatracker.ietf.org/doc/html/rfc6749#section-4.4. A token that the server refuses is replaced too: it may
    have been revoked, or the server was restarted. ``what`` names the token server in errors, ``uri`` is its address,
    ``extra`` are headers that it requires, such as Polaris' realm.
    """

    def __init__(
        self,
        what: str,
        uri: str,
        client: str,
        secret: str,
        scope: str = "",
        extra: Headers | None = None,
        *,
        trust: str | None = None,
        patience: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._uri, self._client, self._secret, self._scope = what, uri, client, secret, scope
        self._extra, self._now = dict(extra or {}), now
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=min(5.0, patience), read=patience),
            ca_certs=trust,
        )
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0  # from then on it is replaced

    def __repr__(self) -> str:
        return f"ClientCredentials({self._uri!r}, {self._client!r})"

    def headers(self, method: str, url: str, sent: Headers, body: bytes | None) -> Headers:
        """See :class:`Auth`. Raises the errors of :mod:`bootstrap.remote.errors` if it gets no token."""
        with self._lock:  # one thread asks, the others wait for its token
            if not self._token or self._now() >= self._until:
                self._token, self._until = self._asked()
            return {"Authorization": f"Bearer {self._token}"}

    def renewed(self, used: Headers) -> bool:
        with self._lock:
            if used.get("Authorization") == f"Bearer {self._token}":  # else another thread has a newer one already
                self._token = ""
        return True

    def _asked(self) -> tuple[str, float]:
        """A new token, and when to replace it."""
        form = {"grant_type": "client_credentials", "client_id": self._client, "client_secret": self._secret}
        if self._scope:
            form["scope"] = self._scope
        headers = {**self._extra, "Accept": "application/json", "Content-Type": _FORM}
        asked = self._now()
        try:
            answer = self._pool.request("POST", self._uri, body=urlencode(form), headers=headers, redirect=False)
        except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError, exceptions.NameResolutionError) as error:
            raise Unreachable(self._what, self._uri, type(error).__name__) from None
        except exceptions.SSLError as error:
            raise Refused(f"{self._what}: {self._uri} cannot be trusted ({error}), so nothing was sent") from None
        except (exceptions.HTTPError, OSError) as error:
            raise UnknownState(f"{self._what}: no token from {self._uri} ({type(error).__name__})") from None
        if answer.status != 200:
            raise self._failure(answer)
        content = _content(answer.data)
        token, lasts = content.get("access_token"), content.get("expires_in")
        if not isinstance(token, str) or not token:
            raise Refused(f"{self._what}: the answer of {self._uri} has no token. Is it the address for tokens?")
        if not isinstance(lasts, int | float):
            return token, float("inf")  # until it is refused
        return token, asked + lasts - min(_EARLY, lasts / 10)

    def _failure(self, answer: urllib3.BaseHTTPResponse) -> Exception:
        why = str(_content(answer.data).get("error") or "")[:100]
        text = f"{self._what}: no token for {self._client} (HTTP {answer.status}{', ' + why if why else ''})"
        if answer.status in (429, 503):
            patience = answer.headers.get("Retry-After") or ""
            return Throttled(text, float(patience) if patience.isdigit() else 0.0)
        if answer.status >= 500:
            return UnknownState(text)
        return Refused(f"{text}. Check the credentials that the stack gave the bootstrap")


class SigV4:
    """AWS's signature, which the Iceberg endpoints of Glue and S3 Tables require.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html. ``credentials`` are botocore's, which renew
    themselves; ``service`` is the name that is signed for.
    """

    def __init__(self, credentials: Any, service: str, region: str) -> None:
        from botocore.auth import SigV4Auth

        self._credentials, self._service, self._region = credentials, service, region
        self._signer = SigV4Auth

    def __repr__(self) -> str:
        return f"SigV4({self._service!r}, {self._region!r})"

    @classmethod
    def of(cls, access_key: str, secret_key: str, service: str, region: str, token: str | None = None) -> SigV4:
        """The signature with keys that stay as they are."""
        from botocore.credentials import Credentials

        return cls(Credentials(access_key, secret_key, token), service, region)

    def headers(self, method: str, url: str, sent: Headers, body: bytes | None) -> Headers:
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method=method, url=url, data=body, headers=dict(sent))
        # A copy of the present keys: temporary ones may be replaced while the signature is made.
        self._signer(self._credentials.get_frozen_credentials(), self._service, self._region).add_auth(request)
        return {name: value for name, value in request.headers.items() if name not in sent}

    def renewed(self, used: Headers) -> bool:
        return False


def _content(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
