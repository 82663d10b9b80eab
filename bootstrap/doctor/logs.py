"""From the end of a service's log to the cause of its trouble. Only text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lakehouse import toolkit

_LONGEST = 200  # characters of a line that is quoted


@dataclass(frozen=True)
class Reason:
    """What a line of a log means. ``line`` is that line."""

    cause: str
    fix: str
    line: str = ""


# The text of a line, its meaning and the fix; the first that matches counts.
_SIGNS = tuple(
    (re.compile(pattern), Reason(cause, fix))
    for pattern, cause, fix in (
        (
            r"password authentication failed",
            "PostgreSQL refuses its password: somebody set another one there, or only one of the two was restarted",
            "`lakehouse restart postgres`, which sets the password of its configuration again; if that is not enough, "
            "`lakehouse destroy`, then `lakehouse deploy` (the data stays)",
        ),
        (
            r'FATAL: *database "[^"]*" does not exist|relation "[^"]*" does not exist',
            "somebody dropped its database or its contents; the tables' files are still in the store",
            "put a copy of PostgreSQL's data folder back; without one, `lakehouse restart postgres`, then "
            "`lakehouse restart {service}` makes an empty database, and `lakehouse apply` new tables",
        ),
        (
            r"Connection to \S+ refused|The connection attempt failed|PSQLException.*Connection refused",
            "PostgreSQL does not take its connections: it does not run, or listens elsewhere",
            "`lakehouse logs postgres`, then `lakehouse restart postgres`",
        ),
        (
            r"too many clients already|remaining connection slots are reserved",
            "PostgreSQL has no connection left: catalogs have more `clients` than it takes",
            "set fewer `clients` under the catalog's `properties`, then `lakehouse deploy`",
        ),
        (
            r'FATAL: *(database|role) "[^"]*" already exists',
            "the file gives a database or its user a name that another one in PostgreSQL has",
            "choose another `database` or `user` of the catalog, then `lakehouse deploy`",
        ),
        (
            r"OutOfMemoryError|insufficient memory for the Java Runtime|Cannot allocate memory|"
            r"Initial heap size set to a larger value than the maximum|Too small maximum heap|"
            r"Out of memory\. Please run with a larger Java heap",
            "its memory is too small, or this machine's is used up",
            "more `memory` (Connect: `driver_memory`) under `engines` in lakehouse.yaml, then `lakehouse deploy`",
        ),
        (
            r"Address already in use|BindException|Failed to bind to|bind: address|port is already allocated",
            "another program holds its port",
            "stop that program, or choose another number under `stacks.{stack}.ports`, then `lakehouse deploy`",
        ),
        (
            r"UnknownHostException|Name or service not known|Temporary failure in name resolution|no such host",
            "it asks for a host whose name does not resolve where it runs",
            "write a name that resolves there into lakehouse.yaml, then `lakehouse deploy`",
        ),
        (
            r"No space left on device|Disk quota exceeded|could not extend file",
            "the disk is full",
            "free disk space, then `lakehouse restart {service}`",
        ),
        (
            r"RequestTimeTooSkewed",
            "its clock and the store's differ by more than 15 minutes",
            "set both clocks (`timedatectl set-ntp true`)",
        ),
        (
            r"SignatureDoesNotMatch|InvalidAccessKeyId|InvalidAccessKey\b",
            "the store refuses its keys: one of the two was started with others",
            "`lakehouse destroy`, then `lakehouse deploy` (the data stays)",
        ),
        (r"NoSuchBucket", "a bucket is missing", "`lakehouse apply`"),
        (
            r"UnsupportedClassVersionError|Unrecognized VM option|Unsupported major\.minor",
            "it was started with another Java than it needs",
            f"`{toolkit.command('setup')}`, then `lakehouse deploy`",
        ),
        (
            r"Unable to access jarfile|ClassNotFoundException|NoClassDefFoundError|Could not find or load main class",
            "a part of its package is missing",
            f"`{toolkit.command('setup')}`, then `lakehouse restart {{service}}`",
        ),
        (
            r"While lock file|LOCK: Resource temporarily unavailable|OverlappingFileLockException|"
            r'lock file "postmaster.pid" already exists',
            "another process has its data folder open",
            "end that process (`lakehouse status` shows the lakehouse's own pids), then `lakehouse restart {service}`",
        ),
        (
            r"Configuration property '[^']*' was not used|Invalid configuration property|Configuration errors:",
            "it does not know a property that lakehouse.yaml sets, or not its value",
            "correct that property (`engines` in lakehouse.yaml), then `lakehouse deploy`",
        ),
        (
            r"Permission denied|AccessDeniedException|Operation not permitted|Read-only file system",
            "it may not read or write its files",
            "check who owns them (`ls -l`), give them to the user who deploys, then `lakehouse restart {service}`",
        ),
    )
)


def is_request(line: str) -> bool:
    """Whether the line only names a request: Polaris writes one for each, which would hide the cause of its trouble."""
    return ".access-log] " in line


def reason(lines: Iterable[str], service: str, stack: str) -> Reason | None:
    """The meaning of the last line that has one; None if no line does."""
    for line in reversed(list(lines)):
        for pattern, meant in _SIGNS:
            if pattern.search(line):
                return Reason(meant.cause, meant.fix.format(service=service, stack=stack), _short(line))
    return None


def last(lines: Iterable[str]) -> str:
    """The last line that is not empty."""
    return next((_short(line) for line in reversed(list(lines)) if line.strip()), "")


def _short(line: str) -> str:
    text = " ".join(line.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
