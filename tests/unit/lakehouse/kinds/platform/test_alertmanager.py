"""Where alerts go."""

from __future__ import annotations

from pathlib import Path

from lakehouse.kinds.platform.alertmanager import NAME
from tests.unit.lakehouse.kinds.platform.monitored import built, content, text


def test_without_an_address_alerts_are_only_shown(tmp_path: Path) -> None:
    service = built(tmp_path)[NAME]
    assert content(service, "alertmanager.yaml")["receivers"] == [{"name": "lakehouse"}]
    assert [each.path for each in service.files] == ["alertmanager.yaml"]


def test_addresses_are_in_files_of_their_own(tmp_path: Path) -> None:
    service = built(tmp_path, {"webhook": "hook.url", "slack": "slack.url"})[NAME]
    (receiver,) = content(service, "alertmanager.yaml")["receivers"]
    assert receiver["webhook_configs"] == [{"url_file": f"/config/{NAME}/webhook.url", "send_resolved": True}]
    assert receiver["slack_configs"] == [{"api_url_file": f"/config/{NAME}/slack.url", "send_resolved": True}]
    assert text(service, "webhook.url") == "<file:/beside/hook.url>"
    assert text(service, "slack.url") == "<file:/beside/slack.url>"


def test_alerts_of_one_cause_wait_for_each_other(tmp_path: Path) -> None:
    route = content(built(tmp_path, {"interval_seconds": 5})[NAME], "alertmanager.yaml")["route"]
    assert (route["group_wait"], route["group_interval"]) == ("5s", "20s")
