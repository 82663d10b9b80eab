"""JSON over HTTP; every failure gets its type (:mod:`bootstrap.remote.errors`).

It uses urllib3 directly, without the library requests: this takes a third of the processor time, and most of the time
of a plan that reads thousands of tables is spent in the client.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3 import exceptions

from bootstrap.remote.auth import NONE, Auth
from bootstrap.remote.errors import (
    Conflict,
    Exists,
    Missing,
    Refused,
    RemoteError,
    Throttled,
    UnknownState,
    Unreachable,
)
from bootstrap.remote.retry import retried

Query = Mapping[str, str | None]

_READS = ("GET", "HEAD")
_ATTEMPTS = 6
_UNPROVEN = (401, 419)  # the second is the Iceberg REST specification's for a token that has ended
#: Servers send these with any status; nothing was done, and nothing will be.
_FINAL = ("UnsupportedOperationException", "IllegalArgumentException", "ValidationException", "BadRequestException")


class Http:
    """A pool of connections to one server. ``what`` names it in errors (``the catalog "lake"``)."""

    def __init__(
        self,
        what: str,
        base: str,
        headers: Mapping[str, str] | None = None,
        patience: float = 30.0,
        parallel: int = 8,
        *,
        auth: Auth = NONE,
        trust: str | None = None,
    ) -> None:
        """``trust`` is the file of an authority's certificate, if the system does not trust it."""
        self.what, self.base, self._auth = what, base.rstrip("/"), auth
        self._pool = urllib3.PoolManager(
            maxsize=parallel,
            retries=False,
            timeout=urllib3.Timeout(connect=min(5.0, patience), read=patience),
            headers={"Accept": "application/json", **(headers or {})},
            ca_certs=trust,
        )

    def get(self, path: str, **query: str | None) -> Any:
        return self.request("GET", path, query=query)

    def post(self, path: str, body: Any, **query: str | None) -> Any:
        return self.request("POST", path, body, query=query)

    def request(self, method: str, path: str, body: Any = None, *, query: Query | None = None) -> Any:
        """The answer's JSON, or None if it is empty.

        Reads are sent again after any failure that may pass, writes only if the server says that it did nothing.
        """
        passing = (Throttled, UnknownState) if method in _READS else (Throttled,)
        return retried(lambda: self._once(method, path, body, query or {}), _ATTEMPTS, *passing)

    def _once(self, method: str, path: str, body: Any, query: Query) -> Any:
        asked = urlencode({key: value for key, value in query.items() if value is not None})
        url = f"{self.base}{path}{'?' + asked if asked else ''}"
        data = None if body is None else json.dumps(body).encode()
        sent = {**self._pool.headers, **({} if data is None else {"Content-Type": "application/json"})}
        proof = self._auth.headers(method, url, sent, data)
        answer = self._answer(method, path, url, data, {**sent, **proof})
        if answer.status in _UNPROVEN and self._auth.renewed(proof):  # nothing was done, so a write is sent again too
            proof = self._auth.headers(method, url, sent, data)
            answer = self._answer(method, path, url, data, {**sent, **proof})
        if answer.status < 300:
            return self._content(method, path, answer.data) if answer.data else None
        raise self._failure(method, path, answer)

    def _answer(
        self, method: str, path: str, url: str, data: bytes | None, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(method, url, body=data, headers=headers)
        except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError, exceptions.NameResolutionError) as error:
            raise Unreachable(self.what, self.base, _reason(error)) from None
        except exceptions.SSLError as error:
            text = f"{self.what}: {self.base} cannot be trusted ({_reason(error)}), so nothing was sent"
            raise Refused(f"{text}. Name its authority's certificate, or have the server use another") from None
        except (exceptions.HTTPError, OSError) as error:
            raise UnknownState(f"{self.what}: no answer to {method} {path} ({_reason(error)})") from None

    def _content(self, method: str, path: str, data: bytes) -> Any:
        try:
            return json.loads(data)
        except ValueError:
            # A proxy's page, for example. Whether the server behind it received a write is not known.
            kind = Refused if method in _READS else UnknownState
            text = f"{self.what}: the answer to {method} {path} is not JSON. Is {self.base} its address?"
            raise kind(text) from None

    def _failure(self, method: str, path: str, answer: urllib3.BaseHTTPResponse) -> RemoteError:
        kind, message = _error(answer.data)
        text = f"{self.what}: {message or f'{method} {path}'} (HTTP {answer.status}{', ' + kind if kind else ''})"
        status, patience = answer.status, answer.headers.get("Retry-After")
        if status == 404:
            return Missing(text)
        if status == 409:
            return Exists(text) if "exist" in kind.lower() else Conflict(text)
        if status == 429 or (status == 503 and (patience or method in _READS)):
            return Throttled(text, float(patience) if patience and patience.isdigit() else 0.0)
        if kind in _FINAL:
            return Refused(text)
        if status >= 500 and status != 501:
            # The Iceberg REST specification: after 500, 502, 503 and 504 a commit may still have been made.
            return UnknownState(text)
        if status in (*_UNPROVEN, 403):
            return Refused(f"{text}. Check the credentials that the stack gave the bootstrap")
        return Refused(text)


def _error(data: bytes) -> tuple[str, str]:
    """Type and message of an Iceberg REST or Nessie error."""
    try:
        answer = json.loads(data)
        answer = answer.get("error", answer)
        return str(answer.get("type") or answer.get("errorCode") or ""), str(answer.get("message") or "")
    except (ValueError, AttributeError):
        return "", data[:200].decode(errors="replace").strip()


def _reason(error: Exception) -> str:
    text = str(getattr(error, "reason", None) or error)
    return text.split(": ", 1)[-1] if text.startswith("<") else text
