from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

import pytest

from bootstrap.operations import logs
from lakehouse.errors import LakehouseError, UnansweredError
from lakehouse.runtimes.runtime import Runtime

SERVICES = ["s3proxy", "trino", "idle"]


class Logs:
    """Of three services, one was never started."""

    texts = {"s3proxy": "one\ntwo\nthree\n", "trino": "a\n\nb\n"}
    added = {"s3proxy": ["fo", "ur\nfi"], "trino": ["c\nd\n"]}

    def log(self, name: str, lines: int) -> str:
        if name not in self.texts:
            raise LakehouseError(f"{name} was never started")
        return "".join(self.texts[name].splitlines(keepends=True)[-lines:])

    def follow(self, name: str) -> Iterator[str]:
        if name not in self.added:
            raise LakehouseError(f"{name} was never started")
        return iter(self.added[name])


RUNTIME = cast("Any", Logs())


def test_each_line_has_its_services_name() -> None:
    assert list(logs.last(RUNTIME, SERVICES, 2)) == ["s3proxy | two", "s3proxy | three", "trino   | ", "trino   | b"]


def test_a_log_on_a_machine_that_does_not_answer_is_not_taken_for_none() -> None:
    class Down(Logs):
        def log(self, name: str, lines: int) -> str:
            if name == "trino":
                raise UnansweredError("Host b is not reached.")
            return super().log(name, lines)

    assert list(logs.last(cast("Any", Down()), SERVICES, 1)) == ["s3proxy | three", "trino   | Host b is not reached."]


def test_if_no_service_has_a_log_the_error_is_reported() -> None:
    with pytest.raises(LakehouseError, match="idle was never started"):
        list(logs.last(RUNTIME, ["idle"], 2))


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_all_logs_are_followed_by_whole_lines() -> None:
    runtime: Runtime = RUNTIME
    found = sorted(islice(logs.follow(runtime, SERVICES), 3))
    assert found == ["s3proxy | four", "trino   | c", "trino   | d"]
