"""Which containers a plan replaces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.runtimes.docker import incarnation
from lakehouse.runtimes.generations import NOTHING
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.services.service import Probe
from tests.unit.lakehouse.runtimes.docker.pretended import Pretended, make, running


@pytest.mark.parametrize("answers", [True, False])
def test_a_container_that_is_only_busy_is_not_replaced(
    tmp_path: Path, busy_port: int, free_port: int, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    """Docker's own check has given up, which is no reason."""
    stack = make(tmp_path)
    probe = Probe("http", busy_port if answers else free_port)
    store = replace(next(each for each in stack.containers if each.service == "s3proxy"), probe=probe)
    last = Incarnation(incarnation.wanted(store, NOTHING), "1")
    there = {"s3proxy": replace(running(store, "1"), health="unhealthy", incarnation=last)}
    monkeypatch.setattr(incarnation, "DockerEngine", lambda: Pretended(there=there))
    monkeypatch.setattr(incarnation, "as_asked", lambda *_: True)
    service = next(each for each in stack.services if each.name == "s3proxy")
    found = incarnation.look([service], [store], stack.state, None)["s3proxy"]
    assert (found == last) is answers
