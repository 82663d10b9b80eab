from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.project import set_up
from lakehouse.errors import LakehouseError
from lakehouse.packages import cdktf_cli
from lakehouse.spec import load

ROOT = Path(__file__).parents[4]


def prepare(file: Path) -> None:
    set_up.deployable(load(file), file)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is set up; nothing is."""
    calls: list[object] = []
    monkeypatch.setattr(cdktf_cli, "set_up", lambda: calls.append("cdktf-cli"))
    monkeypatch.setattr(set_up, "set_up", lambda names, javas, verify, build: calls.append((set(names), set(javas))))
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    return calls


def test_a_deploys_parts_are_fetched(done: list[object]) -> None:
    prepare(ROOT / "lakehouses" / "004-sigv4-tables.yaml")
    assert done[0] == "cdktf-cli"
    (_, found) = done
    assert isinstance(found, tuple)
    assert {"trino-476", "seaweedfs-4.48"} <= found[0]
    assert found[1] == {21, 25}


def test_a_stack_in_aws_needs_only_cdktf_and_the_shell(done: list[object]) -> None:
    prepare(ROOT / "lakehouses" / "aws-glue.yaml")
    assert done == ["cdktf-cli", ({"trino-cli-476"}, set())]


def test_of_one_stack_only_what_it_needs(done: list[object], tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    text = (ROOT / "lakehouse.yaml").read_text()
    file.write_text(f"{text}  cloud: {{region: eu-west-1, store: s3, catalogs: {{lake: glue}}}}\n")
    set_up.deployable(load(file), file, stack="cloud")
    assert done == ["cdktf-cli", ({"trino-cli-476"}, set())]


def test_a_program_that_is_named_and_not_there_stops_the_set_up(
    done: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu")
    with pytest.raises(LakehouseError, match="TERRAFORM_BINARY_NAME names tofu, which is not on PATH"):
        prepare(ROOT / "lakehouse.yaml")
    assert done == []
