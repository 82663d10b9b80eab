"""After each change of random chains, Iceberg's own Java library reads the table, writes to it and travels in time.

LAKEHOUSE_CHAINS=2000 runs more of them.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.behaviour.chains.java import running
from tests.behaviour.chains.run import KINDS, run

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(3600)]

CHAINS = int(os.environ.get("LAKEHOUSE_CHAINS", "60"))
FIRST = int(os.environ.get("LAKEHOUSE_CHAINS_FROM", "0"))


def test_what_the_bootstrap_commits_icebergs_java_library_reads_and_writes(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    with running(tmp_path) as java:
        for chain in run(java, tmp_path, range(FIRST, FIRST + CHAINS), steps=7, spark=20):
            counts.update(chain.counts)
    print(dict(counts))
    assert {kind: counts[kind] for kind in KINDS if counts[kind] < 20 * min(1, CHAINS / 200)} == {}
