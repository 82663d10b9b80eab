"""Which program of Terraform's language is used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lakehouse.packages import cached, programs, terraform, uses


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH as this one folder, and an empty cache."""
    folder = tmp_path / "a path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(terraform.VARIABLE, raising=False)
    return folder


def put(program: Path, text: str = "exit 1") -> str:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return str(program)


def test_terraform_comes_first_then_tofu_then_what_was_built(path: Path) -> None:
    environment = {"PATH": str(path)}
    assert terraform.find(environment) is terraform.installed(environment) is None
    built = put(cached.location(terraform.PACKAGE))
    assert built.endswith("/tofu")
    os.utime(Path(built).parent, (0, 0))
    assert terraform.find(environment) == built
    assert not uses.is_over(Path(built).parent)
    put(path / "tofu")
    assert terraform.find(environment) == terraform.installed(environment) == "tofu"
    put(path / "terraform")
    assert terraform.find(environment) == "terraform"
    assert terraform.find(environment | {terraform.VARIABLE: "mine"}) == "mine"


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo 'Terraform v1.11.4'; echo on linux_amd64", "Terraform 1.11.4"),
        ("echo 'OpenTofu v1.12.6'", "OpenTofu 1.12.6"),
        ("echo warnings; echo 'OpenTofu v1.13.0-beta1'", "OpenTofu 1.13.0-beta1"),
        ("echo 'Terraform v1.11.4'; exit 1", ""),
        ("echo Terrible v0.11", ""),
    ],
)
def test_a_program_says_its_version(path: Path, script: str, version: str) -> None:
    assert terraform.version(put(path / "any", script)) == version
    assert terraform.version("any") == version


@pytest.mark.usefixtures("path")
def test_no_program_has_no_version() -> None:
    assert terraform.version("no-such-terraform") is None


@pytest.mark.parametrize(
    ("command", "code"), [("deploy", 1), ("destroy", 1), ("diff", 1), ("output", 1), ("synth", 0), ("", 0), ("list", 0)]
)
def test_a_command_that_needs_one_is_stopped(
    command: str, code: int, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terraform.main([command]) == code
    out, err = capsys.readouterr()
    assert out == ("" if code else "terraform\n")
    assert err == (f"error: {terraform.MISSING}\n" if code else "")
    put(path / "tofu")
    assert terraform.main([command]) == 0
    assert capsys.readouterr().out == "tofu\n"


@pytest.mark.usefixtures("path")
def test_a_user_without_a_home_folder_reads_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def home() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", home)
    assert terraform.main(["diff"]) == 1
    assert "has no home folder" in capsys.readouterr().err


def test_the_build_is_a_release_with_what_a_stack_in_aws_needs() -> None:
    name, _, version = terraform.PACKAGE.partition("-")
    assert cached.location(terraform.PACKAGE).name == name
    assert any(word.endswith("version.dev=no") for word in programs.flags(name)[-1].split())
    assert tuple(map(int, version.split("."))) >= (1, 11, 0)  # stacks.aws.TERRAFORM
