from __future__ import annotations

import pytest

from bootstrap.session.spark_sql import _failure


@pytest.mark.parametrize(
    ("raw", "message", "place"),
    [
        (
            "[UNRESOLVED_COLUMN] `nope`. SQLSTATE: 42703; line 2 pos 2;\n'Project ['nope]\n+- Range (0)\n\n\nJVM stacktrace:\nx",  # noqa: E501
            "[UNRESOLVED_COLUMN] `nope`. SQLSTATE: 42703",
            (2, 3),
        ),
        (
            "\n[PARSE_SYNTAX_ERROR] Syntax error. SQLSTATE: 42601 (line 1, pos 10)\n\n== SQL ==\nSELECT 1 +\n----------^^^\n",  # noqa: E501
            "[PARSE_SYNTAX_ERROR] Syntax error. SQLSTATE: 42601",
            (1, 11),
        ),
        (
            "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n== SQL (line 1, position 8) ==\nSELECT 1/0\n       ^^^\n",  # noqa: E501
            "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012",
            (1, 8),
        ),
        ("(x.NoSuchNamespaceException) Namespace does not exist: a\n\tat b", "(x.NoSuchNamespaceException) Namespace does not exist: a", None),  # noqa: E501
    ],
)  # fmt: skip
def test_spark_says_what_is_wrong_and_where_without_its_stack(raw: str, message: str, place: object) -> None:
    failure = _failure(Exception(raw))
    assert (str(failure), failure.place) == (message, place)
