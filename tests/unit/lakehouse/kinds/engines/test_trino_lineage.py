"""Trino's listener."""

from __future__ import annotations

from pathlib import Path

from tests.unit.lakehouse.kinds.platform.monitored import built, text

LINEAGE = {"url": "http://m:5000", "token": "t"}


def test_the_coordinator_sends_to_the_service_and_workers_do_not(tmp_path: Path) -> None:
    found = built(tmp_path, False, lineage=LINEAGE, engines={"trino": {"workers": 1}})
    assert "event-listener.config-files=/config/trino/lineage.properties\n" in text(found["trino"], "config.properties")
    assert text(found["trino"], "lineage.properties").splitlines() == [
        "event-listener.name=openlineage",
        "openlineage-event-listener.trino.uri=http://trino.internal:8085",
        "openlineage-event-listener.namespace=demo",
        "openlineage-event-listener.transport.type=HTTP",
        "openlineage-event-listener.transport.url=http://outside.internal:5055",
        "openlineage-event-listener.transport.endpoint=/api/v1/lineage",
        "openlineage-event-listener.transport.api-key=<secret:lineage-key>",
    ]
    assert "event-listener" not in text(found["trino-worker-1"], "config.properties")


def test_all_its_servers_are_of_the_package_with_the_listener(tmp_path: Path) -> None:
    for more in ({}, {"authentication": "password"}):
        found = built(tmp_path, False, lineage=LINEAGE, engines={"trino": {"workers": 1, **more}})
        for name in ("trino", "trino-worker-1"):
            assert found[name].packages == ("trino-full-476",)
