from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lakehouse.runtimes.logs import follow, tail


@pytest.mark.parametrize(
    ("content", "lines", "expected"),
    [
        ("", 5, ""),
        ("a\nb\nc\n", 2, "b\nc\n"),
        ("a\nb\nc", 2, "b\nc"),
        ("a\nb\n", 5, "a\nb\n"),
        ("a\nb\n", 0, ""),
        ("x" * 200_000 + "\nlast\n", 1, "last\n"),
        ("x\n" * 100_000, 3, "x\nx\nx\n"),
    ],
)
def test_the_end_of_a_log(tmp_path: Path, content: str, lines: int, expected: str) -> None:
    log = tmp_path / "trino.log"
    log.write_text(content)
    assert tail(log, lines) == expected


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    log = tmp_path / "trino.log"
    log.write_bytes(b"\xff\n")
    assert tail(log, 1) == "\ufffd\n"


class Events:
    """Something happens at each wait, in order."""

    def __init__(self, *events: Callable[[], object]) -> None:
        self._events = iter(events)

    def __call__(self) -> None:
        next(self._events)()


def append(log: Path, text: str) -> Callable[[], object]:
    def write() -> None:
        with log.open("a") as file:
            file.write(text)

    return write


def test_what_is_added_is_followed_from_the_end_on(tmp_path: Path) -> None:
    log = tmp_path / "trino.log"
    log.write_text("before\n")
    lines = follow(log, wait=Events(append(log, "one\n"), append(log, "two\n")))
    assert [next(lines), next(lines)] == ["one\n", "two\n"]


def test_a_rotated_log_is_followed_into_its_successor(tmp_path: Path) -> None:
    log = tmp_path / "trino.log"
    log.write_text("before\n")

    def rotate() -> None:
        with log.open("a") as file:
            file.write("last of the old\n")
        log.rename(tmp_path / "trino.log.1")
        log.write_text("first of the new\n")

    lines = follow(log, wait=Events(rotate, lambda: None))
    assert "".join(next(lines) for _ in range(2)) == "last of the old\nfirst of the new\n"


def test_a_log_that_is_missing_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "trino.log"
    log.write_text("before\n")
    events = Events(lambda: log.rename(tmp_path / "trino.log.1"), lambda: log.write_text("new\n"))
    lines = follow(log, wait=events)
    assert "".join(next(lines) for _ in range(2)) == "new\n"


def test_a_truncated_log_is_followed_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "trino.log"
    log.write_text("something long before\n")
    lines = follow(log, wait=Events(lambda: log.write_text("new\n")))
    assert "".join(next(lines) for _ in range(2)) == "new\n"
