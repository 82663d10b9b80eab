from __future__ import annotations

import os
from pathlib import Path

import pytest

from bootstrap.project import set_up
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.packages import cached, cdktf_cli, terraform
from lakehouse.spec import load
from tests.unit.lakehouse.spec.test_placed import written
from tests.unit.mixed import mixed

ROOT = Path(__file__).parents[4]


def prepare(file: Path) -> None:
    set_up.deployable(load(file), file)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """What is set up; nothing is."""
    calls: list[object] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cdktf_cli, "set_up", lambda: calls.append("cdktf-cli"))
    monkeypatch.setattr(set_up, "set_up", lambda names, javas, verify, build: calls.append((set(names), set(javas))))
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/usr/bin/{name}")
    return calls


def test_a_deploys_parts_are_fetched(done: list[object]) -> None:
    prepare(ROOT / "lakehouses" / "004-sigv4-tables.yaml")
    (found,) = done
    assert isinstance(found, tuple)
    assert {"trino-476", "seaweedfs-4.48"} <= found[0]
    assert found[1] == {21, 25}


def test_a_stack_in_aws_needs_no_package_and_no_java(done: list[object]) -> None:
    prepare(ROOT / "lakehouses" / "aws-glue.yaml")
    assert done == [(set(), set())]


def test_of_one_stack_only_what_it_needs(done: list[object], tmp_path: Path) -> None:
    file = mixed(tmp_path)
    set_up.deployable(load(file), file, stack="cloud")
    assert done == [(set(), set())]
    with pytest.raises(UsageError, match=r'lakehouse\.yaml has no stack "clout"; it has local or cloud'):
        set_up.deployable(load(file), file, stack="clout")


def test_archives_are_those_of_hosts(done: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("lakehouse.runtimes.hosts.uploads.publish", lambda names, folder: sorted(names))
    found = load(written(tmp_path))
    assert {"java-25", "java-21", "trino-476", "s3proxy-4.1.0"} <= {*set_up.archives(found, tmp_path, stack="prod")}
    with pytest.raises(UsageError, match="--archives is for stacks with `runtime: hosts`, and there is none here"):
        set_up.archives(load(ROOT / "lakehouse.yaml"), tmp_path)


def test_a_program_that_is_named_and_not_there_stops_the_set_up(
    done: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu")
    with pytest.raises(LakehouseError, match="TERRAFORM_BINARY_NAME names tofu, which is not on PATH"):
        prepare(ROOT / "lakehouse.yaml")
    assert done == []


def test_former_versions_that_nobody_uses_are_removed(
    done: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "cache" / "lakehouse"
    former = [cache / "cdktf-cli" / "0123456789ab", cache / "builds" / "tofu-0123456789ab"]
    used = [cache / "cdktf-cli" / cdktf_cli._pins(), cached.location(terraform.PACKAGE).parent]
    used.append(cache / "builds" / "minio-0123456789ab")
    for each in (*former, *used):
        each.mkdir(parents=True)
        os.utime(each, (0, 0))
    prepare(ROOT / "lakehouse.yaml")
    assert not any(each.exists() for each in former)
    assert all(each.exists() for each in used)
    assert f"removed {former[0]}: other pins, and not used for 30 days" in capsys.readouterr().err


def test_ctrl_c_in_the_set_up_says_that_nothing_is_lost(
    done: list[object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*words: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(set_up, "set_up", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare(ROOT / "lakehouse.yaml")
    assert "Interrupted in the set-up. What was fetched is kept" in capsys.readouterr().err
