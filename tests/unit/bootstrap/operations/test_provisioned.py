"""What a step that calls AWS prints, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from bootstrap.operations.provisioned import ended
from lakehouse.errors import LakehouseError

REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no\x1b[31m"}}, "PutObject")


def test_it_prints_each_line_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(lambda: ["sent a", "sent b"], "it cannot be filled") == 0
    assert capsys.readouterr().out == "sent a\nsent b\n"


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (REFUSED, "Error: it cannot be filled: An error occurred (AccessDenied)"),
        (NoCredentialsError(), "Error: it cannot be filled: Unable to locate credentials"),
        (LakehouseError("no package"), "Error: no package"),
    ],
)
def test_what_was_done_before_an_error_is_printed(
    error: Exception, begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> Iterator[str]:
        yield "sent a"
        raise error

    assert ended(work, "it cannot be filled") == 1
    said = capsys.readouterr()
    assert said.out == "sent a\n"
    assert said.err.startswith(begins)
    assert "\x1b" not in said.err
