"""Rules are evaluated as often as metrics are read."""

from __future__ import annotations

from pathlib import Path

from lakehouse.kinds.platform.vmalert import NAME
from lakehouse.text.placeholders import Content
from tests.unit.lakehouse.kinds.platform.monitored import built, content


def test_it_asks_and_tells_the_others(tmp_path: Path) -> None:
    service = built(tmp_path, {"interval_seconds": 5})[NAME]
    assert {
        "-datasource.url=http://victoria-metrics.internal:8428",
        "-remoteWrite.url=http://victoria-metrics.internal:8428",
        "-notifier.url=http://alertmanager.internal:9093",
        "-evaluationInterval=5s",
    } <= set(service.command)
    assert {"trino", "nessie", "victoria-metrics", "alertmanager"} <= set(service.needs), "a deploy is no alert"
    assert content(service, "rules.yaml")["groups"]


def test_rules_of_the_user_are_evaluated_too(tmp_path: Path) -> None:
    service = built(tmp_path, {"rules": "alerts.yaml"})[NAME]
    files = [each for each in service.command if each.startswith("-rule=")]
    assert [each.rpartition("/")[2] for each in files] == ["rules.yaml", "own.yaml"]
    [own] = [each.text for each in service.files if each.path == "own.yaml"]
    assert own == Content("/beside/alerts.yaml", public=True)
    assert not [each for each in built(tmp_path)[NAME].files if each.path == "own.yaml"]


def test_a_deploy_asks_it_about_rules_of_the_user_before_it_stops_anything(tmp_path: Path) -> None:
    assert built(tmp_path)[NAME].trial == ()
    program, *words = built(tmp_path, {"rules": "alerts.yaml"})[NAME].trial
    assert program.endswith("/vmalert-1.151.0")
    assert words[:2] == ["-dryRun", "-rule=own.yaml"], "relative to the folder of its files"
