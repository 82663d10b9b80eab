"""A version that is not supported: the message names the nearest that is."""

from __future__ import annotations

import pytest

from lakehouse.spec.kinds import known
from lakehouse.spec.versions import version_refusal


@pytest.mark.parametrize(
    ("version", "right"),
    [("4.2", "4.1"), ("4.1.4", "4.1"), ("3.4", "3.5"), ("2", "3.5"), ("5", "4.1"), ("latest", "4.1")],
)
def test_wrong_spark_version_names_the_nearest(version: str, right: str) -> None:
    assert f'Set version: "{right}"' in (version_refusal("Spark", version, known().engines["spark"].versions) or "")


@pytest.mark.parametrize(("version", "right"), [("479", "476"), ("471", "476"), ("3.5", "476"), ("current", "476")])
def test_wrong_trino_version_names_the_nearest(version: str, right: str) -> None:
    assert f'Set version: "{right}"' in (version_refusal("Trino", version, known().engines["trino"].versions) or "")
