"""Parts of sentences."""

from __future__ import annotations

import pytest

from lakehouse.text.words import for_stack


@pytest.mark.parametrize(
    ("advice", "stack", "said"),
    [
        ("`lakehouse destroy`, then `lakehouse deploy`", None, "`lakehouse destroy`, then `lakehouse deploy`"),
        (
            "`lakehouse destroy`, then `lakehouse deploy`",
            "staging",
            "`lakehouse --stack staging destroy`, then `lakehouse --stack staging deploy`",
        ),
        ("`lakehouse --stack local deploy`", "local", "`lakehouse --stack local deploy`"),
        ("the lakehouse `demo`: `lakehouse.yaml`", "local", "the lakehouse `demo`: `lakehouse.yaml`"),
    ],
)
def test_advice_names_the_stack_that_the_command_named(advice: str, stack: str | None, said: str) -> None:
    assert for_stack(advice, stack) == said
