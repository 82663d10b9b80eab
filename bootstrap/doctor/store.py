"""The object store: reachable, with the same time, with our keys, and with its buckets. Only decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lakehouse.runtimes.findings import Finding, error, ok, warning

_SKEW = 15 * 60  # seconds: S3 refuses requests that were signed further from its own time
_LITTLE_SKEW = 5 * 60


@dataclass(frozen=True)
class Answer:
    """A server's answer to one GET; if it did not answer, ``reason`` says why. Header names are in lower case."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    reason: str = ""
    unresolved: bool = False  # the host's name does not resolve


def reached(endpoint: str, answer: Answer, service: str, stack: str) -> Finding:
    """A request without keys: an S3 store refuses it in S3's own words."""
    if answer.unresolved:
        return error(
            f"{endpoint}: the name does not resolve",
            "the name is known only inside Docker's network, or is misspelt",
            f"`lakehouse endpoints` shows the address that this machine knows; correct `stacks.{stack}`",
        )
    if answer.reason:
        return error(
            f"{endpoint} does not answer: {answer.reason}",
            f"{service} does not run, or hangs",
            f"`lakehouse logs {service}`, then `lakehouse restart {service}`",
        )
    if "<Error" not in answer.body and "<ListAllMyBuckets" not in answer.body and not _of_s3(answer.headers):
        return error(
            f"{endpoint} answers, but not as an S3 store does (HTTP {answer.status})",
            f"another program listens where {service} should",
            "`lakehouse status`; stop that program, then `lakehouse deploy`",
        )
    return ok(f"{endpoint} answers")


def _of_s3(headers: Mapping[str, str]) -> bool:
    return any(name.startswith("x-amz-") for name in headers)


def clock(answer: Answer, now: float) -> Finding:
    """The store's Date header against this machine's clock, ``now`` in seconds of the epoch."""
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return ok("the store does not report its time")
    ahead = now - theirs.replace(tzinfo=theirs.tzinfo or UTC).timestamp()
    if abs(ahead) < _LITTLE_SKEW:
        return ok("the store has the same time")
    found = (
        f"this machine's clock ({datetime.fromtimestamp(now, UTC):%H:%M:%S} UTC) is {_length(abs(ahead))} "
        f"{'ahead of' if ahead > 0 else 'behind'} the store's ({theirs:%H:%M:%S})"
    )
    cause = (
        "one of the two clocks is wrong; a virtual machine's (Docker Desktop's) stands still while the computer sleeps"
    )
    fix = "`sudo timedatectl set-ntp true` on this machine; restart Docker Desktop if Docker runs in it"
    if abs(ahead) <= _SKEW:
        return warning(found, cause, fix)
    return error(f"{found}: S3 refuses signatures that are more than 15 minutes off", cause, fix)


def _length(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def keys(
    missing: Sequence[str], refused: str, stale: Sequence[str], folder: str, stack: str, *, readable: bool = True
) -> Finding:
    """Whether the store accepts the keys of the state folder.

    ``missing`` are missing files of keys, ``refused`` is the store's message if it refused (empty: it did not),
    ``stale`` the services whose configuration was written with other keys than those there now.
    """
    again = "`lakehouse destroy`, then `lakehouse deploy`: all services get the current keys, the data stays"
    if not readable:
        return error(f"{folder} cannot be read", "it belongs to another user", "use the user who deployed")
    if missing:
        return error(
            f"{', '.join(missing)} missing in {folder}",
            "somebody removed the store's keys while the lakehouse was up",
            f"put the files back, or make new ones: {again}",
        )
    if refused and stale:
        return error(
            f"the store refuses the keys in {folder} ({refused})",
            f"they were replaced after {', '.join(stale)} had been started with others",
            f"put the former files back, or: {again}",
        )
    if refused:
        return error(
            f"the store refuses the keys in {folder} ({refused})",
            "the store keeps other keys than those, from an earlier deployment or set by hand",
            f"put the keys that it was created with into {folder}, or: {again}",
        )
    if stale:
        return error(
            f"{', '.join(stale)} started with other keys than those in {folder}",
            "keys were replaced, but not every service was restarted",
            again,
        )
    return ok("the store accepts our keys")


def secrets(missing: Sequence[str], stale: Sequence[str], folder: str, stack: str) -> Finding:
    """Whether services run with the other secrets of the state folder; ``stale`` are those that were started before."""
    again = "`lakehouse destroy`, then `lakehouse deploy`: all services get the current ones, the data stays"
    if missing:
        return error(
            f"{', '.join(missing)} missing in {folder}",
            "somebody removed it while the lakehouse was up",
            f"put the file back, or make a new one: {again}",
        )
    if stale:
        return error(
            f"{', '.join(stale)} started with other secrets than those in {folder}",
            "somebody replaced a file there; `lakehouse secret rotate` would have restarted its users",
            f"put the former file back, or: {again}",
        )
    return ok("services run with the current ones")


def buckets(there: Collection[str], wanted: Sequence[str]) -> Finding:
    """Buckets of the file that the store has."""
    missing = [name for name in wanted if name not in there]
    if missing:
        return error(
            f"missing: {', '.join(missing)}",
            "somebody removed it, or the bootstrap after the deploy did not finish",
            "`lakehouse apply` (it creates a removed bucket again, empty)",
        )
    return ok(", ".join(wanted) or "the file has none")
