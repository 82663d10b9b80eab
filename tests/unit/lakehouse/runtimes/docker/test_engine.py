from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from docker.errors import APIError, DockerException, NotFound

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.connection import errors_reported
from lakehouse.runtimes.docker.containers import STATE
from lakehouse.runtimes.docker.engine import DockerEngine


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


class Kept:
    """A container, network or volume with the label of a state folder."""

    def __init__(self, gone: list[str], kind: str, root: str) -> None:
        labels = {} if not root else {STATE: root}
        self.attrs = {"Config": {"Labels": labels}} if kind == "container" else {"Labels": labels}
        self._gone, self._name = gone, f"{kind} {root}"

    def remove(self, **_: bool) -> None:
        self._gone.append(self._name)


def test_only_what_belongs_to_lakehouses_in_the_folder_is_removed() -> None:
    gone: list[str] = []
    roots = ("/cache/archives/.containers-1/.lakehouse/training", "/cache/archives", "/cache/archives-2", "/home", "")
    listed = {
        f"{kind}s": SimpleNamespace(list=lambda kind=kind, **_: [Kept(gone, kind, root) for root in roots])
        for kind in ("container", "network", "volume")
    }
    engine = DockerEngine()
    engine.__dict__["client"] = SimpleNamespace(**listed)
    engine.remove_below(Path("/cache/archives"))
    assert gone == [f"{kind} {root}" for kind in ("container", "network", "volume") for root in roots[:2]]
