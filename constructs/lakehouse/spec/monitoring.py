"""The entry ``monitoring`` of a local stack: metrics of its services and tables, rules that watch them, and alerts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictInt

from lakehouse.spec.base import Model
from lakehouse.spec.paths import WebhookFile


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
        raise ValueError("monitoring is true, false or a mapping, as in {webhook: webhook.url}")
    return value
