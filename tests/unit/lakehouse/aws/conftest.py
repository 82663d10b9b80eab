"""The project's own file for AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.spec import Lakehouse, load


@pytest.fixture(scope="session")
def lakehouse() -> Lakehouse:
    return load(Path(__file__).parents[4] / "lakehouses" / "aws-glue.yaml")
