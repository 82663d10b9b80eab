"""The machine's metrics."""

from __future__ import annotations

from pathlib import Path

from lakehouse.kinds.platform.node_exporter import NAME
from tests.unit.lakehouse.kinds.platform.monitored import built


def test_it_collects_only_what_is_used(tmp_path: Path) -> None:
    command = built(tmp_path)[NAME].command
    assert "--collector.disable-defaults" in command
    assert "--collector.filesystem" in command
