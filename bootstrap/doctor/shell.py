"""Variables of the shell that affect clients of the lakehouse. Only decisions; no value of a key is shown."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from requests.utils import should_bypass_proxies

from lakehouse.runtimes.findings import Finding, ok, warning

# gRPC, and so Spark Connect, takes https_proxy for every address.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
_LOOPBACK = "http://127.0.0.1"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


def proxies(environment: Mapping[str, str]) -> Finding:
    """The lakehouse's commands bypass proxies for this machine; Trino's client, PyIceberg and Spark Connect do not."""
    named = sorted(name for name, value in environment.items() if name.lower() in _PROXIES and value)
    spared = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if not named:
        return ok("no proxy is set")
    if should_bypass_proxies(_LOOPBACK, no_proxy=spared):
        return ok(f"{', '.join(named)} set, and no_proxy names 127.0.0.1")
    return warning(
        f"{', '.join(named)} set, but no_proxy does not name 127.0.0.1",
        "notebooks and other clients ask the proxy for 127.0.0.1, and the proxy's own 127.0.0.1 is another machine",
        "`export no_proxy=localhost,127.0.0.1 NO_PROXY=localhost,127.0.0.1`",
    )


def aws(environment: Mapping[str, str], endpoint: str, access_key: str) -> Finding:
    """The lakehouse's commands ignore these; `aws`, boto3, Spark and others that are started by hand do not."""
    astray = [
        f"{name} names {_host(environment[name])}"
        for name in _ENDPOINTS
        if environment.get(name) and urlsplit(environment[name]).netloc != urlsplit(endpoint).netloc
    ]
    ours = bool(access_key) and environment.get("AWS_ACCESS_KEY_ID") == access_key
    strange = [name for name in _KEYS if environment.get(name)]
    if ours:
        strange = [name for name in strange if name in ("AWS_SESSION_TOKEN", "AWS_PROFILE")]
    if not astray and not strange:
        return ok("none set" if not ours else "the store's own keys")
    found = "; ".join(filter(None, [*astray, f"{', '.join(strange)} set" if strange else ""]))
    names = " ".join(name for name in (*_ENDPOINTS, *_KEYS) if environment.get(name))
    return warning(
        found,
        "`lakehouse` ignores them; other S3 clients of this shell go elsewhere, or with keys that the store refuses",
        f"`unset {names}` before you use such a client here",
    )


def _host(address: str) -> str:
    """Only the host of an address: the part before an @ may be a password."""
    parts = urlsplit(address)
    return parts.hostname or "no host"
