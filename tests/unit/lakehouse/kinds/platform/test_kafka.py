"""Kafka as a service: its addresses, and what a start makes of its folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lakehouse.kinds.platform import kafka
from tests.unit.lakehouse.kinds.pipelines.streaming import lakehouse
from tests.unit.lakehouse.services.place import Somewhere, as_text


def test_clients_outside_and_services_get_the_address_that_they_can_reach() -> None:
    place = Somewhere(lakehouse())
    [service] = kafka.services(place, {})
    [text] = [as_text(each.text) for each in service.files if each.path == "server.properties"]
    settings = dict(line.split("=", 1) for line in text.splitlines())
    outside, inside = place.external("kafka"), f"kafka.internal:{place.port('kafka-inner')}"
    assert settings["advertised.listeners"] == f"OUTER://{outside},INNER://{inside}"
    assert f"CONTROLLER://127.0.0.1:{place.port('kafka-controller')}" in settings["listeners"]
    assert kafka.inner(place) == inside


# A Java that says what it was called with, and that makes the file which ends the set-up of a broker's folder.
_JAVA = """#!/bin/sh
echo "$*"
[ "$2" != kafka.tools.StorageTool ] || { mkdir -p "$LOG"; [ "$3" != format ] || touch "$LOG/meta.properties"; }
"""


def start(folder: Path) -> list[str]:
    java, script = folder / "java", Path(kafka.__file__).with_suffix(".sh")
    java.write_text(_JAVA)
    java.chmod(0o700)
    log = folder / "a log"
    done = subprocess.run(
        ["/bin/sh", script, log, "server.properties", java, "-Xmx1m"],
        env={**os.environ, "LOG": str(log)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_a_folder_is_made_once_and_again_if_a_start_was_cut_short(tmp_path: Path) -> None:
    made, server = start(tmp_path)
    words = made.split()
    assert words[:4] == ["-Xmx1m", "kafka.tools.StorageTool", "format", "--standalone"]
    assert len(words[5]) == 22
    assert server == "-Xmx1m kafka.Kafka server.properties"
    assert start(tmp_path) == [server]
    (tmp_path / "a log/meta.properties").unlink()
    (tmp_path / "a log/half").touch()
    assert len(start(tmp_path)) == 2
    assert not (tmp_path / "a log/half").exists()
