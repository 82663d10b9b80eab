"""Options that Java reads from a variable: it splits them at white space, and takes quotes away."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.runtimes import recording
from lakehouse.services import jvm


def read(text: str) -> list[str]:
    """As Java 21 does, in JAVA_TOOL_OPTIONS and JDK_JAVA_OPTIONS: a backslash is one, and # begins no comment."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    return list(lexer)


@given(st.lists(st.text("a '\"\\#$%{ü=/", max_size=12).map(lambda path: f"-Dx=/{path}"), max_size=3))
def test_options_with_any_path_are_read_back(options: list[str]) -> None:
    assert read(jvm.variable(options)) == options
    assert read(" ".join(map(recording.quoted, options))) == options


def test_a_path_without_quotes_keeps_its_form() -> None:
    """Another text would restart the services that have it."""
    assert jvm.variable(["-Dx=/a b", "-Dy=it's"]) == '"-Dx=/a b" "-Dy=it\'s"'
