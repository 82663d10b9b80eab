"""One run into a table at a time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bootstrap.ingest.load import Ingest, TableName
from lakehouse.errors import LakehouseError


def test_a_second_run_into_the_same_table_has_to_wait(tmp_path: Path) -> None:
    target = cast("Any", SimpleNamespace(in_aws=False, local=SimpleNamespace(state=SimpleNamespace(run=tmp_path))))
    first, other = Ingest(target, TableName("lake", "a", "t")), Ingest(target, TableName("lake", "a", "u"))
    with first._alone(), other._alone(), pytest.raises(LakehouseError, match=r"into lake.a.t is running"):
        Ingest(target, first.into)._alone().__enter__()
    with first._alone():
        pass
