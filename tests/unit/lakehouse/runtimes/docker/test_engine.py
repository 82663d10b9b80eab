from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from docker.errors import APIError, DockerException, NotFound

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.engine import DockerEngine, errors_reported


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (APIError("500 Server Error", explanation="no space left on device"), "no space left on device"),
        (NotFound("404", explanation="No such container: x"), "No such container"),
        (DockerException("something"), "something"),
        (requests.ReadTimeout("Read timed out."), "Read timed out"),
    ],
)
def test_what_docker_says_is_an_error_of_ours(error: Exception, word: str) -> None:
    with pytest.raises(LakehouseError, match=word), errors_reported():
        raise error


def pulled(engine: DockerEngine, *lines: dict[str, Any]) -> None:
    def pull(repository: str, tag: str, **_: Any) -> list[dict[str, Any]]:
        assert (repository, tag) == ("docker.io/trinodb/trino", "476")
        return list(lines)

    engine.__dict__["client"] = SimpleNamespace(api=SimpleNamespace(pull=pull))
    engine.pull("docker.io/trinodb/trino:476")


def test_a_pull_that_fails_in_the_middle_says_why() -> None:
    pulled(DockerEngine(), {"status": "Pulling"}, {"status": "Done"})
    with pytest.raises(LakehouseError, match="cannot be pulled: no space left") as failure:
        pulled(DockerEngine(), {"status": "Pulling"}, {"error": "no space left on device"})
    assert "make images" in str(failure.value)
