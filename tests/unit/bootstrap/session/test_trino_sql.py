from __future__ import annotations

import pytest
from trino.exceptions import HttpError

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
