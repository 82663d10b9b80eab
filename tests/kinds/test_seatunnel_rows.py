"""How rows of SeaTunnel come into a table once, at each moment at which its server could be killed.

`test_streams_seatunnel.py` kills it, and has Kafka's part.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lakehouse import packages
from lakehouse.kinds.pipelines import seatunnel
from lakehouse.packages.fetch import fetch

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(300)]

#: After each step: rows by the summary of the table and by its files, files with deletes, branches.
STEPS = {
    "before it is noted": "none 0 0 1",
    "the first rows": "5 5 0 1",
    "once more, as after a kill": "5 5 0 1",
    "noted": "5 5 0 2",
    "rows after others": "10 10 0 1",
    "read again": "10 10 0 2",
    "without rows": "10 10 0 1",
    "beside somebody else": "25 25 0 1",
    "beside somebody else, once more": "25 25 0 1",
    "changes beside somebody else": "35 35 7 1",
    "a branch that is gone": "35 35 7 1",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    fetch(seatunnel.PACKAGES)
    folder = tmp_path_factory.mktemp("rows")
    sink = {"catalog_name": "lake", "namespace": "raw", "table": "items"}
    source = {"schema": {"fields": {"x1": "bigint", "w": "string", "a": "string", "k": "string", "b": "string"}}}
    (folder / "one.conf").write_text(json.dumps({"source": {"LocalFile": source}, "sink": {"Iceberg": sink}}))
    home, script = folder / "home", Path(seatunnel.__file__)
    (home / "plugins").mkdir(parents=True)
    (home / "connectors").symlink_to(packages.location(seatunnel.CONNECTORS))
    engine, shell = packages.location(seatunnel.ENGINE), packages.location("beanshell-2.0b6")
    classes = f"{engine}/seatunnel-config-shade-2.3.8.jar:{engine}/*:{shell}"
    done = subprocess.run(
        [packages.java(seatunnel.JAVA), "-XX:TieredStopAtLevel=1", "--add-opens=java.base/java.lang=ALL-UNNAMED",
         f"-DSEATUNNEL_HOME={home}", "bsh.Interpreter", Path(__file__).with_name("seatunnel_rows.bsh"),
         script.with_name("seatunnel_rows.bsh"), folder],
        env={**os.environ, "CLASSPATH": classes}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert "all steps done" in done.stdout, done.stdout + done.stderr
    return dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)


def test_columns_stay_in_their_order(seen: Mapping[str, str]) -> None:
    """CSV has no other names for them."""
    assert seen["in its order"] == "true true"


@pytest.mark.parametrize("step", STEPS)
def test_rows_are_there_once(seen: Mapping[str, str], step: str) -> None:
    assert seen[step] == STEPS[step]
