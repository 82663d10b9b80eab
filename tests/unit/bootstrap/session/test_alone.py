"""One run at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.session.alone import alone
from lakehouse.errors import LakehouseError


def test_a_second_run_is_refused_until_the_first_one_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "run" / "a.lock"
    with (
        alone(path, "`x`") as lock,
        alone(tmp_path / "b.lock", "`x`"),
        pytest.raises(LakehouseError, match="Another `x` is running"),
        alone(path, "`x`"),
    ):
        pass
    assert lock.closed
    with alone(path, "`x`"):
        pass
