from __future__ import annotations

import json
from dataclasses import replace

import pytest
import requests

from lakehouse.errors import LakehouseError
from lakehouse.packages import pip_config, registries
from tests.unit.lakehouse.packages.registry import Registry, artifact

WHEEL = replace(artifact(b"x", "thing-1.0-py3-none-any.whl"), kind="pypi", project="thing")
PAGE = '<html><body><a href="../../files/thing-1.0-py3-none-any.whl#sha256=00">thing</a><a>none</a></body></html>'

pytestmark = pytest.mark.usefixtures("cache")


def addresses(thing: object = WHEEL) -> tuple[str, ...]:
    with requests.Session() as session:
        return registries.addresses(thing, session)  # type: ignore[arg-type]  # keeps the cases short


def serve(registry: Registry, body: str, kind: str) -> None:
    registry.files["/simple/thing/"] = body.encode()
    registry.types["/simple/thing/"] = kind


def test_maven_has_the_path_of_the_coordinates(registry: Registry) -> None:
    assert addresses(artifact(b"x")) == (f"{registry.url}/org/example/thing/1.0/thing-1.0.jar",)


def test_without_a_mirror_jgo_says_where_maven_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from jgo.maven import MavenContext

    monkeypatch.delenv(registries.MIRROR)
    registries._maven_repositories.cache_clear()
    central = next(iter(MavenContext().remote_repos.values()))
    assert f"{central}/org/example/thing/1.0/thing-1.0.jar" in addresses(artifact(b"x"))
    registries._maven_repositories.cache_clear()


def test_an_index_in_json_is_read(registry: Registry) -> None:
    file = {"filename": WHEEL.file, "url": f"/files/{WHEEL.file}#sha256=00"}
    serve(registry, json.dumps({"files": [file]}), "application/vnd.pypi.simple.v1+json")
    assert addresses() == (f"{registry.url}/files/{WHEEL.file}",)


def test_an_index_in_html_is_read(registry: Registry) -> None:
    serve(registry, PAGE, "text/html")
    assert addresses() == (f"{registry.url}/files/{WHEEL.file}",)


def test_a_file_that_the_index_does_not_list_is_named(registry: Registry) -> None:
    serve(registry, "<html></html>", "text/html")
    with pytest.raises(LakehouseError, match="thing==1.0: .* does not list thing-1.0-py3-none-any.whl. Use an index"):
        addresses()


def test_an_index_that_does_not_answer_is_named(registry: Registry) -> None:
    with pytest.raises(LakehouseError, match=r"127.0.0.1 does not answer \(HTTPError\). Check the network"):
        addresses()


@pytest.mark.parametrize("variable", ["PIP_INDEX_URL", "PIP_CERT"])
def test_pip_says_where_it_looks(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.undo()  # pip's options for real
    monkeypatch.setenv(variable, "here")
    pip_config.options.cache_clear()
    assert (registries._index() if variable == "PIP_INDEX_URL" else registries.certificates()) == "here"
    pip_config.options.cache_clear()


def test_pips_default_is_asked_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pip_config, "options", dict)
    assert registries._index().startswith("https://")
    assert registries.certificates() is True
