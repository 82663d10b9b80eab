"""Which stacks the CDK app compares when it runs, before it has read the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.runtimes import looks
from lakehouse.runtimes.looks import begin

DEPLOYED, DESTROYED = '{"resources": [{"type": "terraform_data"}]}', '{"outputs": {}, "resources": [], "checks": null}'


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(looks, "_start", lambda name, path: found.append(name))
    return found


def test_only_what_is_deployed_is_asked(tmp_path: Path, asked: list[str]) -> None:
    path = tmp_path / "lakehouse.yaml"
    begin(path)
    assert asked == []
    (tmp_path / "terraform.local.tfstate").write_text(DEPLOYED)
    (tmp_path / "terraform.staging.tfstate").write_text(DEPLOYED)
    (tmp_path / "terraform.gone.tfstate").write_text(DESTROYED)
    (tmp_path / "terraform.begun.tfstate").write_text("")
    (tmp_path / "terraform.local.tfstate.backup").write_text(DEPLOYED)
    begin(path)
    assert asked == ["local", "staging"]


def test_a_folder_that_is_not_there_is_left_to_whoever_reads_the_file(tmp_path: Path, asked: list[str]) -> None:
    assert begin(tmp_path / "missing" / "lakehouse.yaml") == {}
    assert asked == []


def test_files_beside_each_other_have_their_own_stacks(tmp_path: Path, asked: list[str]) -> None:
    (tmp_path / "terraform.local.tfstate").write_text(DEPLOYED)
    (tmp_path / "terraform.other.test.tfstate").write_text(DEPLOYED)
    begin(tmp_path / "other.yaml")
    assert asked == ["test"]
    begin(tmp_path / "lakehouse.yaml")
    assert asked == ["test", "local"]
