"""A pipeline that reads a MySQL: Debezium takes its settings. No package registry here has a MySQL to read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lakehouse import packages
from lakehouse.kinds.pipelines import connect, connectors
from lakehouse.packages.fetch import fetch
from tests.unit.lakehouse.kinds.pipelines.streaming import ITEMS, lakehouse
from tests.unit.lakehouse.kinds.pipelines.test_connectors import made

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(600)]

#: The settings that the connector refuses, each with the reason.
SCRIPT = r"""
settings = new java.util.HashMap();
for (line : new String(java.nio.file.Files.readAllBytes(new java.io.File(bsh.args[0]).toPath())).split("\n")) {
    cut = line.indexOf('=');
    settings.put(line.substring(0, cut), line.substring(cut + 1));
}
connector = new io.debezium.connector.mysql.MySqlConnector();
print("takes part in transactions: " + connector.exactlyOnceSupport(settings));
for (value : connector.validate(settings).configValues()) {
    if (!value.errorMessages().isEmpty()) print(value.name() + ": " + value.errorMessages());
}
"""


def test_debezium_takes_the_settings_and_misses_only_the_server(tmp_path: Path) -> None:
    of = lakehouse({"items": {**ITEMS, "from": {"mysql": {**ITEMS["from"]["mysql"], "host": "127.0.0.1", "port": 1}}}})
    config = dict(made(of)["items"][connectors.source_of("items")]) | {"name": "items-source"}
    filled = {key: "filled" if value.startswith("${") else value for key, value in config.items()}
    (tmp_path / "settings").write_text("\n".join(f"{key}={value}" for key, value in filled.items()))
    (tmp_path / "ask.bsh").write_text(SCRIPT)
    names = (*connect.PACKAGES, "debezium-mysql-3.6.1")
    fetch(names)
    classes = [str(packages.location(each)) for each in names]
    done = subprocess.run(
        [packages.java(connect.JAVA), "bsh.Interpreter", tmp_path / "ask.bsh", tmp_path / "settings"],
        env={**os.environ, "CLASSPATH": ":".join(each if each.endswith(".jar") else f"{each}/*" for each in classes)},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    said = [each for each in done.stdout.splitlines() if each.strip()]
    assert said[0] == "takes part in transactions: SUPPORTED"
    assert [each.partition(":")[0] for each in said[1:]] == ["database.hostname"], done.stdout
    assert "Failed to establish connection" in said[1]
