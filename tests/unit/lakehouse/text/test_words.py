"""Parts of sentences."""

from __future__ import annotations

import pytest

from lakehouse.text.words import for_stack, suggest


@pytest.mark.parametrize(
    ("advice", "stack", "said"),
    [
        ("`lakehouse destroy`, then `lakehouse deploy`", None, "`lakehouse destroy`, then `lakehouse deploy`"),
        (
            "`lakehouse destroy`, then `lakehouse deploy`",
            "staging",
            "`lakehouse --stack staging destroy`, then `lakehouse --stack staging deploy`",
        ),
        ("Next:\n  lakehouse sql -e 'SELECT 1'", "b", "Next:\n  lakehouse --stack b sql -e 'SELECT 1'"),
        ("lakehouse is a word", "b", "lakehouse is a word"),
        ("`lakehouse --stack local deploy`", "local", "`lakehouse --stack local deploy`"),
        ("the lakehouse `demo`: `lakehouse.yaml`", "local", "the lakehouse `demo`: `lakehouse.yaml`"),
    ],
)
def test_advice_names_the_stack_in_its_commands(advice: str, stack: str | None, said: str) -> None:
    assert for_stack(advice, stack) == said


@pytest.mark.parametrize(
    ("wrong", "known", "meant"),
    [
        ("nope", ["undrop", "deploy"], ""),
        ("stauts", ["restart", "status"], "status"),
        ("lng", ["long"], "long"),
        ("keep", ["keep_days"], "keep_days"),
        ("lake.bronze.nope", ["lake.bronze.minute_aggs"], ""),
        ("lake.bronz.minute_agg", ["lake.bronze.minute_aggs"], "lake.bronze.minute_aggs"),
        ("write.colum.a", ["write.column."], "write.column."),
        ("x" * 200, ["x" * 200], ""),
    ],
)
def test_only_a_near_word_is_suggested(wrong: str, known: list[str], meant: str) -> None:
    assert suggest(wrong, known) == (f' Did you mean "{meant}"?' if meant else "")
