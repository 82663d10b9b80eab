"""Tasks that could do nothing are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.spec.problems import SpecError
from tests.unit.lakehouse.kinds.platform.monitored import lakehouse


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("metadata", "stacks.local.schedule.metadata: nobody gets the metadata: name the DataHub"),
        ("maintenance", "stacks.local.schedule.maintenance: nothing is maintained"),
    ],
)
def test_a_task_without_an_effect_is_refused(tmp_path: Path, task: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        lakehouse(tmp_path, False, schedule={task: "0 3 * * *"})
    assert said in str(caught.value)


def test_metadata_that_somebody_gets_is_fine(tmp_path: Path) -> None:
    lakehouse(tmp_path, False, schedule={"metadata": "0 3 * * *"}, metadata={"gms": "http://gms.example.com:8080"})
