from __future__ import annotations

import pytest
from trino.exceptions import HttpError, TrinoQueryError

from bootstrap.session.trino_sql import _failure


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            HttpError("error 401: b'Unauthorized'"),
            "a new one: `lakehouse secret rotate trino-password`, then `lakehouse deploy`",
        ),
        (HttpError("error 404: b'<html>'"), "does not answer as Trino does (error 404)"),
    ],
)
def test_an_answer_that_is_none_of_trinos_is_explained_without_its_page(error: Exception, said: str) -> None:
    found = str(_failure(error))
    assert said in found
    assert "b'" not in found


def test_a_trino_that_has_just_started_is_no_riddle() -> None:
    error = TrinoQueryError({"message": "Trino server is still initializing", "errorName": "SERVER_STARTING_UP"})
    assert str(_failure(error)).startswith("Trino has just started, and takes no statements yet: try again soon")
