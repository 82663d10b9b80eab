from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.session.target import Target, find
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.services.service import Address
from lakehouse.spec import SpecError
from tests.synth.synthesised import AWS


def test_the_file_is_the_option_then_the_environment_then_the_folder(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find(file, None).path == file
    monkeypatch.setenv("LAKEHOUSE_FILE", str(file))
    assert find(None, None).path == file
    monkeypatch.delenv("LAKEHOUSE_FILE")
    monkeypatch.chdir(file.parent)
    assert find(None, None).path == file


def test_the_file_of_a_project_is_found_from_its_subfolders(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = file.parent / "models" / "silver"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find(None, None).path == file
    nearer = below.parent / "lakehouse.yaml"
    nearer.write_text(file.read_text())
    assert find(None, None).path == nearer
    monkeypatch.setenv("LAKEHOUSE_FILE", str(file))
    assert find(None, None).path == file


def test_a_named_file_is_not_looked_for_in_other_folders(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = file.parent / "models"
    below.mkdir()
    monkeypatch.chdir(below)
    monkeypatch.setenv("LAKEHOUSE_FILE", file.name)
    with pytest.raises(SpecError, match=r"models/lakehouse\.yaml: there is no such file"):
        find(None, None)
    monkeypatch.delenv("LAKEHOUSE_FILE")
    with pytest.raises(SpecError, match="there is no such file"):
        find(Path(file.name), None)


def test_a_project_without_a_file_is_reported_with_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as reported:
        find(None, None)
    folders = ", ".join(str(folder) for folder in (tmp_path, *tmp_path.parents))
    assert f"there is no lakehouse.yaml here, nor in a folder above (looked in {folders})" in str(reported.value)
    assert "--file FILE" in str(reported.value)


def test_a_file_of_nearly_the_right_name_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lakehouse.yml").touch()
    with pytest.raises(SpecError, match="Rename lakehouse.yml to lakehouse.yaml, or name it: --file lakehouse.yml"):
        find(None, None)


def test_a_link_that_leads_to_itself_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SpecError, match="the file cannot be read: .*loop.*Name another"):
        find(tmp_path / "loop", None)


def test_the_stack_is_the_only_local_one(file: Path) -> None:
    file.write_text(
        file.read_text().replace("local:", "here:", 1).replace("\nstacks:\n  local:", "\nstacks:\n  here:")
        + "  cloud: {region: eu-west-1, store: s3, catalogs: {lake: glue}}\n"
    )
    assert find(file, None).stack == "here"


def test_of_several_local_stacks_it_is_the_one_called_local(file: Path) -> None:
    text = file.read_text()
    file.write_text(text + "  other: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}\n")
    assert find(file, None).stack == "local"
    assert find(file, "other").stack == "other"


def test_a_stack_that_is_not_there_is_a_usage_error(file: Path) -> None:
    with pytest.raises(UsageError, match='no stack "nowhere" that runs on .* Choose one with --stack: local'):
        _ = find(file, "nowhere").local
    with pytest.raises(UsageError, match='Did you mean "local"'):
        _ = find(file, "locl").local


def test_a_missing_service_is_reported_with_the_existing_ones(target: Target) -> None:
    with pytest.raises(UsageError, match='No service "trinoo".*trino'):
        target.service("trinoo")


def test_a_port_is_given_once_something_listens(target: Target) -> None:
    (number,) = (each.number for each in target.service("trino").ports if each.name == "trino")
    with pytest.raises(LakehouseError, match=f"trino does not answer on 127.0.0.1:{number}.*lakehouse deploy"):
        target.address("trino", "engines.trino")
    with socket.create_server(("127.0.0.1", number)):
        assert target.address("trino", "engines.trino") == Address("127.0.0.1", number)


LISTENS = "import socket, sys; kept = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(1); input()"


@pytest.mark.parametrize("runtime", ["process", "docker"])
def test_a_port_that_another_lakehouse_has_is_refused(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    """Trino asks nobody who they are: a statement would change the tables of the other project."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    file.write_text(file.read_text().replace("runtime: process", f"runtime: {runtime}"))
    target = find(file, None)
    number = target.local.place.external("trino").port
    marks = {"LAKEHOUSE_STATE": str(tmp_path / "other"), "LAKEHOUSE_SERVICE": "trino"}
    command = [sys.executable, "-c", LISTENS, str(number)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=marks, text=True, **pipes) as other:  # type: ignore[call-overload]
        other.stdout.readline()
        with pytest.raises(LakehouseError) as refused:
            target.address("trino", "engines.trino")
        other.communicate("end")
    said = str(refused.value)
    assert f"ort {number} (trino) is taken by trino of the lakehouse in {tmp_path}/other (pid {other.pid}" in said
    assert "`ports: {trino: " in said
    assert said.endswith("Nothing was sent there.")


def test_an_engine_that_the_file_leaves_out_is_reported(without: Callable[[str], Target]) -> None:
    with pytest.raises(UsageError, match="has no engines.trino: add it to the file"):
        without("trino").address("trino", "engines.trino")


def test_a_stack_in_aws_has_nothing_on_this_machine() -> None:
    found = find(AWS, "clusters")
    assert found.in_aws
    assert found.region == "eu-central-1"
    assert found.secrets == AWS.parent / ".lakehouse" / AWS.stem / "clusters" / "secrets"
    with pytest.raises(UsageError, match="stacks.clusters is in AWS, and this command is about services"):
        _ = found.local


def test_a_stack_of_this_machine_has_its_secrets_here(target: Target) -> None:
    assert not target.in_aws
    assert target.secrets == target.local.state.root / "secrets"


def test_a_state_folder_that_a_command_makes_before_the_first_deploy_is_closed(file: Path) -> None:
    found = find(file, None)
    found.scratch.rmdir()
    root = found.secrets.parent
    assert root.stat().st_mode & 0o777 == 0o700
    root.rmdir()
    found.located.state.secret("store-secret-key")
    assert root.stat().st_mode & 0o777 == 0o700


def test_advice_names_the_stack_unless_it_is_that_of_commands_that_name_none(file: Path) -> None:
    """After `lakehouse --stack staging destroy`, `lakehouse destroy --data` would delete the data of another one."""
    one = find(file, "local").advice("`lakehouse destroy --data`")
    text = file.read_text().replace(
        "stacks:\n", "stacks:\n  staging: {runtime: docker, store: s3proxy, catalogs: {lake: nessie}}\n"
    )
    file.write_text(text)
    found = {stack: find(file, stack).advice("`lakehouse destroy --data`") for stack in ("local", "staging")}
    assert one == found["local"] == "`lakehouse destroy --data`"
    assert found["staging"] == "`lakehouse --stack staging destroy --data`"
