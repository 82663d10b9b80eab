"""The entry ``schedule`` of a stack: what the lakehouse does by itself at certain times, and who is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from lakehouse.spec.base import Model
from lakehouse.spec.paths import CredentialsFile, WebhookFile
from lakehouse.spec.values import Email, Matching

_FIELDS = 5  # of a time
SHORTEST = 12  # bytes of a passphrase
#: The tasks, in the order in which they are shown.
TASKS = ("maintenance", "metadata", "backup", "drift")


def _cron(value: str) -> str:
    from cronsim import CronSim, CronSimError  # few files have a schedule

    rule = "five fields (minute, hour, day, month, day of the week), as in `30 2 * * *` for each night at half past two"
    if len(value.split()) != _FIELDS:  # CronSim takes a sixth, for seconds
        raise ValueError(f'"{value}" is not a time of cron: it has {rule}')
    try:
        next(CronSim(value, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise ValueError(f'"{value}" is not a time of cron ({error}): it has {rule}') from None
    except StopIteration:
        raise ValueError(f'"{value}" never comes: it has {rule}') from None
    return value


def _zone(value: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        raise ValueError(f'"{value}" is not a time zone: it looks like Europe/Berlin, or UTC') from None
    return value


def _target(value: str) -> str:
    if not value.strip() or not value.isprintable() or ("://" in value and not value.startswith("s3://")):
        raise ValueError(f'"{value}" is not a place for backups: write a folder, or s3://BUCKET/PREFIX')
    if value.startswith("s3:") and not re.match(r"s3://[a-z0-9]", value):
        raise ValueError(f'"{value}" is not a place for backups: its bucket is missing, as in s3://BUCKET/PREFIX')
    if value.startswith("~"):
        raise ValueError(f'"{value}" begins with ~, which only a shell replaces: write the whole path')
    return value


def _mail_server(value: str) -> str:
    host, _, port = value.partition(":")
    if not all(0 < len(label) < 64 for label in host.split(".")) or not 0 < int(port) < 65_536:
        raise ValueError(f'"{value}" is not a mail server: it is its host and port, as in smtp.example.com:587')
    return value


CronText = Annotated[StrictStr, AfterValidator(_cron)]
MailServer = Annotated[
    StrictStr,
    Matching("a mail server", r"[A-Za-z0-9.-]+:\d{1,5}", "its host and port, as in smtp.example.com:587"),
    AfterValidator(_mail_server),
]


class BackupTask(Model):
    """Copies of the whole lakehouse, by `lakehouse backup create`."""

    at: CronText
    """When, as cron writes it."""
    to: Annotated[StrictStr, AfterValidator(_target)]
    """Where to: a folder, relative to this file, or s3://BUCKET/PREFIX."""
    key: CredentialsFile | None = None
    """File with the passphrase of the secrets, relative to this one, with mode 0600. Default: backups have none."""
    keep: Annotated[StrictInt, Field(ge=1, le=10_000)] | None = None
    """How many backups of this stack to keep; older ones are deleted. Default: all."""


class Mail(Model):
    """A mail to each of ``to``."""

    server: MailServer
    """The SMTP server and its port, as in smtp.example.com:587."""
    sender: Email
    """The address that they come from."""
    to: Annotated[list[Email], Field(min_length=1)]
    """The addresses that they go to."""
    user: StrictStr | None = None
    """Who logs in to the server. Default: nobody."""
    password: CredentialsFile | None = None
    """File with that user's password, relative to this one, with mode 0600."""
    tls: StrictBool = True
    """TLS, from the first byte on port 465, else by STARTTLS."""

    @model_validator(mode="after")
    def _login(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` belong together: name both, or neither")
        if self.password is not None and not self.tls:
            raise ValueError("a password is sent only over TLS. Remove `tls: false`, or `user` and `password`")
        return self


class Notify(Model):
    """Who gets a message if a run failed, and if drift was found or has changed."""

    webhook: WebhookFile | None = None
    """File with the address of a Slack-compatible incoming webhook, relative to this one, with mode 0600."""
    mail: Mail | None = None
    """A mail."""


class Schedule(Model):
    """What the lakehouse does by itself at certain times. Each value is a time as cron writes it: `30 2 * * *`."""

    time_zone: Annotated[StrictStr, AfterValidator(_zone)] = "UTC"
    """The time zone of all times."""
    maintenance: CronText | None = None
    """When `lakehouse maintain` runs."""
    metadata: CronText | None = None
    """When `lakehouse metadata publish` runs; the stack needs `metadata`."""
    backup: BackupTask | None = None
    """When backups are made, and where."""
    drift: CronText | None = None
    """When the contents are compared with the file; nothing is changed."""
    notify: Notify = Notify()
    """Who is told: `{webhook: FILE}`, `{mail: {...}}`."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.times:
            raise ValueError(f"it has no task. Add one of {', '.join(TASKS)}, or remove `schedule`")
        return self

    @property
    def times(self) -> dict[str, str]:
        """The tasks with their times, in the usual order."""
        found: dict[str, str | None] = {
            "maintenance": self.maintenance,
            "metadata": self.metadata,
            "backup": self.backup.at if self.backup else None,
            "drift": self.drift,
        }
        return {name: text for name, text in found.items() if text is not None}
