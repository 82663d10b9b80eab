"""`lakehouse verify` on the running lakehouse: it passes, leaves nothing behind, and finds faults."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

from bootstrap.session import clients
from bootstrap.session.target import find
from tests.integration.deployment import BIN, Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def left(deployed: Deployment) -> tuple[list[str], list[str]]:
    """Namespaces and objects of verifications."""
    target = find(deployed.file, None)
    names = [".".join(name) for name in clients.iceberg(target, "lake").list_namespaces()]
    pages = clients.s3(target).get_paginator("list_objects_v2").paginate(Bucket="warehouse", Prefix="lake/verify_")
    objects = [each["Key"] for page in pages for each in page.get("Contents", ())]
    return [name for name in names if name.startswith("verify_")], objects


def test_it_passes_and_leaves_nothing(deployed: Deployment) -> None:
    report: dict[str, Any] = json.loads(deployed.lakehouse("verify", "--json"))
    assert report["ok"] is True
    assert [check["what"] for check in report["checks"]] == [
        "namespace created",
        *(f"{engine} writes" for engine in ("Spark batch", "Spark Connect", "Trino", "PyIceberg")),
        *(f"{engine} reads" for engine in ("Spark batch", "Spark Connect", "Trino", "PyIceberg")),
        *(f"{engine} reads as of a snapshot" for engine in ("Spark batch", "Spark Connect", "Trino")),
        "everything removed",
    ]
    assert all(check["ok"] for check in report["checks"])
    assert left(deployed) == ([], [])


def test_an_interruption_leaves_nothing(deployed: Deployment) -> None:
    process = deployed.popen(str(BIN / "lakehouse"), "verify")
    until = time.monotonic() + 60
    while not left(deployed)[1] and time.monotonic() < until:
        time.sleep(0.5)  # until something was written
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "removing what was made so far" in output
    assert left(deployed) == ([], [])
