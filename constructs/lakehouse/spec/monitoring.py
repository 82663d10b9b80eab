"""The entry ``monitoring`` of a local stack: metrics of its services and tables, rules that watch them, and alerts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictInt

from lakehouse.spec.base import Model, neither
from lakehouse.spec.paths import RulesFile, WebhookFile

Seconds = Annotated[float, Field(strict=True, gt=0, le=86_400)]
Count = Annotated[StrictInt, Field(ge=1, le=2**53)]
Percent = Annotated[StrictInt, Field(ge=1, le=99)]


class Thresholds(Model):
    """Values beyond which there is an alert."""

    catalog_seconds: Seconds = 0.5
    """Seconds of 95 of 100 answers of a catalog."""
    query_seconds: Seconds = 30
    """Seconds of 95 of 100 queries of Trino."""
    lag_messages: Count = 10_000
    """Messages that the table of a pipeline lacks."""
    slot_mib: Count = 1024
    """MiB of its log that a database keeps for a pipeline."""
    connections_percent: Percent = 80
    """Connections in use, of those that PostgreSQL takes."""
    health: Percent = 50
    """Health of a table, of 100, below which there is an alert."""
    small_file_mib: Count = 8
    """MiB of an average file, below which a table with more than `small_files` has an alert."""
    small_files: Count = 100
    """Files of a table that may be small."""
    snapshots: Count = 500
    """Snapshots that a table keeps."""
    disk_percent: Percent = 10
    """Free part of the disk, and of its files, below which there is an alert."""
    certificate_days: Count = 14
    """Days until a certificate ends, below which there is an alert."""


class Monitoring(Model):
    """Metrics of every service and table, rules that watch them, and alerts."""

    interval_seconds: Annotated[StrictInt, Field(ge=1, le=120)] = 15
    """Seconds between two readings of the metrics of each service."""
    tables_minutes: Annotated[StrictInt, Field(ge=1, le=1440)] = 10
    """Minutes between two looks at all tables: their files, snapshots and health."""
    down_seconds: Annotated[StrictInt, Field(ge=1, le=86_400)] = 60
    """Seconds that a service does not answer until there is an alert."""
    keep_days: Annotated[StrictInt, Field(ge=1, le=3650)] = 30
    """Days that metrics are kept."""
    thresholds: Thresholds = Thresholds()
    """Values beyond which there is an alert."""
    rules: RulesFile | None = None
    """File with further rules, in Prometheus' format, relative to this one."""
    webhook: WebhookFile | None = None
    """File with the address that alerts are sent to as JSON, relative to this one, with mode 0600."""
    slack: WebhookFile | None = None
    """File with the address of a Slack-compatible incoming webhook for alerts, relative to this one, with mode 0600."""

    @property
    def receivers(self) -> dict[str, str]:
        """The files with addresses, by their keys."""
        return {key: file for key, file in (("webhook", self.webhook), ("slack", self.slack)) if file is not None}


def or_default(value: Any) -> Any:
    """``true`` is monitoring with its defaults, ``false`` is none."""
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict | Monitoring):
        raise ValueError(neither(value, "{webhook: webhook.url}"))
    return value
