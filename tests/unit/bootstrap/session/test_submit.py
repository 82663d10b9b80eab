from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.session.submit import driver
from bootstrap.session.target import Target, find
from lakehouse.errors import UsageError


def test_secrets_are_in_a_private_file_and_in_no_argument(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "address", lambda self, name, asked_by: 7077)
    secret = target.local.state.secret("store-secret-key")
    command, environment = driver(target, "jobs/1/spark.conf", {"spark.app.name": "daily"}, ("daily.py", "a b"), 700)
    file = target.local.state.config("spark-master") / "jobs" / "1" / "spark.conf"
    assert secret in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert secret not in " ".join(command)
    assert secret not in str(environment)
    assert "spark.app.name=daily\n" in file.read_text()
    assert command[-4:] == ["--properties-file", str(file), "daily.py", "a b"]
    assert "-Xmx700m" in command


def test_without_spark_nothing_is_submitted(without: Callable[[str], Target]) -> None:
    with pytest.raises(UsageError, match="has no engines.spark"):
        driver(without("spark"), "spark.conf", {}, ())


def test_a_driver_sends_lineage_as_connect_does(file: Path, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "address", lambda self, name, asked_by: 7077)
    text = file.read_text()
    file.write_text(text.replace("runtime: process", "lineage: {file: events.jsonl}, runtime: process"))
    target = find(file, None)
    command, _ = driver(target, "spark.conf", {}, ("daily.py",))
    written = (target.local.state.config("spark-master") / "spark.conf").read_text()
    assert "spark.extraListeners=io.openlineage.spark.agent.OpenLineageSparkListener\n" in written
    assert "/openlineage-spark-2.13" in " ".join(command)
