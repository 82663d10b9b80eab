"""Polaris's access log: a line for each request, with the principal, in Quarkus' pattern ``common``.

https://quarkus.io/guides/http-reference#configuring-http-access-logs. A request without a valid token has no principal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from bootstrap.audit.event import DENIED, OK, AccessEvent, Redact, shortened

LAYER = "polaris"
_LINE = re.compile(
    r"^\S+ \S+ INFO +\[[\w.]+\.access-log\] \S+ - (?P<who>.+?) "
    r"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d{3}) (?:\d+|-)$'
)
_DENIED = ("401", "403")
_SEPARATOR = "\x1f"  # between the parts of a nested namespace
#: What a path is about: a catalog and what is in it, or something of the management API.
_IN_CATALOG = re.compile(r"^/api/catalog/(?:polaris/)?v1/([^/]+)(?:/namespaces/([^/]+)(?:/(?:[a-z-]+)/([^/]+))?)?")
_MANAGED = re.compile(r"^/api/management/v1/[a-z-]+/([^/]+)")


@dataclass(frozen=True)
class PolarisRequests:
    """The requests in the server's present log, which ``log`` returns.

    ``principals`` are the file's names by the server's, ``catalogs`` too.
    """

    log: Callable[[], str]
    principals: Mapping[str, str]
    catalogs: Mapping[str, str]
    redact: Redact
    layer: str = LAYER
    note: str = "requests in its present log. A login has no WHO, nor has a request whose token it refused"

    def read(self, since: datetime | None) -> Iterator[AccessEvent]:
        for line in reversed(self.log().splitlines()):
            if (found := event(line, self.principals, self.catalogs, self.redact)) is not None:
                yield found


def event(line: str, principals: Mapping[str, str], catalogs: Mapping[str, str], redact: Redact) -> AccessEvent | None:
    """A line of the log; None if it is about something else."""
    found = _LINE.match(line.rstrip())
    if found is None:
        return None
    who = "" if found["who"] == "-" else principals.get(found["who"], found["who"])
    path, status = found["path"].partition("?")[0], found["status"]
    return AccessEvent(
        datetime.strptime(found["time"], "%d/%b/%Y:%H:%M:%S %z"),
        LAYER,
        who,
        shortened(redact(f"{found['method']} {path}")),
        _on(path, catalogs),
        DENIED if status in _DENIED else OK if status < "400" else f"failed: HTTP {status}",
    )


def _on(path: str, catalogs: Mapping[str, str]) -> str:
    if found := _MANAGED.match(path):
        name = unquote(found[1])
        return catalogs.get(name, name)
    if (found := _IN_CATALOG.match(path)) is None or found[1] in ("config", "oauth"):
        return ""
    catalog, *inside = (unquote(each).replace(_SEPARATOR, ".") for each in found.groups() if each)
    return ".".join((catalogs.get(catalog, catalog), *inside))
