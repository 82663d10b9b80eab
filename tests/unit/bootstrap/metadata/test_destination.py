"""To where metadata is published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bootstrap.metadata.destination import ToDataHub, ToFile, chosen
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec.metadata import TOKEN, Metadata


class Runs:
    """Records recipes instead of running them."""

    def __init__(self) -> None:
        self.recipes: list[Mapping[str, Any]] = []
        self.secrets: list[Mapping[str, str]] = []

    def __call__(self, recipe: Mapping[str, Any], doing: str, secrets: Mapping[str, str]) -> list[str]:
        self.recipes.append(recipe)
        self.secrets.append(secrets)
        return []


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("before")
    ToFile(path).write([{"a": 1}], tmp_path, Runs())
    assert json.loads(path.read_text()) == [{"a": 1}]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LakehouseError, match=r"missing/out\.json cannot be written: No such file"):
        ToFile(tmp_path / "missing" / "out.json").write([], tmp_path, Runs())


def test_the_token_is_a_reference_in_the_recipe(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("eyJ.secret\n")
    runs = Runs()
    ToDataHub("http://gms:8080", token=token).write([], tmp_path, runs)
    assert "secret" not in json.dumps(runs.recipes)
    assert list(runs.secrets[0].values()) == ["eyJ.secret"]
    [name] = runs.secrets[0]
    assert runs.recipes[0]["sink"] == {
        "type": "datahub-rest",
        "config": {"server": "http://gms:8080", "token": f"${{{name}}}"},
    }


def test_the_token_of_the_environment_counts_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build in AWS has it from Secrets Manager, and no such file."""
    monkeypatch.setenv(TOKEN, "eyJ.of-a-build")
    runs = Runs()
    ToDataHub("http://gms:8080", token=tmp_path / "missing").write([], tmp_path, runs)
    assert runs.secrets == [{TOKEN: "eyJ.of-a-build"}]
    assert "of-a-build" not in json.dumps(runs.recipes)


@pytest.mark.parametrize(
    ("mode", "text", "why"),
    [
        (0o644, "t", "other users may read"),
        (0o600, "", "one token on one line"),
        (0o600, "a\nb", "one token on one line"),
    ],
)
def test_a_token_that_is_not_one_is_refused(mode: int, text: str, why: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(text)
    token.chmod(mode)
    with pytest.raises(UsageError, match=why):
        ToDataHub("http://gms:8080", token=token).write([], tmp_path, Runs())


def test_kafka_gets_its_registry(tmp_path: Path) -> None:
    runs = Runs()
    ToDataHub("broker:9092", registry="http://registry:8081").write([], tmp_path, runs)
    assert runs.recipes[0]["sink"]["config"] == {
        "connection": {"bootstrap": "broker:9092", "schema_registry_url": "http://registry:8081"}
    }


def test_an_option_wins_over_the_file_and_one_of_them_is_needed(tmp_path: Path) -> None:
    own = Metadata(gms="http://gms:8080", token="token")
    file = tmp_path / "lakehouse.yaml"
    assert chosen(own, file, "local", Path("x.json")) == ToFile(Path("x.json"))
    assert chosen(own, file, "local", None) == ToDataHub("http://gms:8080", token=tmp_path / "token")
    assert str(chosen(Metadata(kafka="b:1", schema_registry="http://r"), file, "local", None)) == "b:1"
    with pytest.raises(UsageError, match=r"stacks\.local of lakehouse\.yaml does not say"):
        chosen(None, file, "local", None)
