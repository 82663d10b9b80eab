"""The toolkit as a checkout, and installed; the test of the wheel installs a wheel and uses it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse import toolkit

ROOT = Path(__file__).parents[3]


def test_a_checkout_is_its_own_root() -> None:
    assert not toolkit.is_installed()
    assert toolkit.root() == ROOT
    assert [toolkit.command(each) for each in ("setup", "images", "providers")] == [
        "make setup",
        "make images",
        "make providers",
    ]


def test_an_installed_toolkit_has_its_files_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolkit, "_CARRIED", tmp_path)
    assert toolkit.root() == tmp_path
    assert toolkit.command("images") == "lakehouse setup --images"


def test_node_is_the_venvs_then_the_wheels_then_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    wheel = toolkit.node_wheel()
    assert wheel is not None
    assert toolkit.node() == wheel / "bin" / "node"
    assert subprocess.run([wheel / "bin" / "node", "-p", "1"], check=True, capture_output=True).stdout == b"1\n"
    monkeypatch.setattr(toolkit, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert toolkit.node() == Path("/usr/bin/node")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "node").touch()
    assert toolkit.node() == tmp_path / "bin" / "node"


def test_a_home_that_cannot_be_written_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert toolkit.home_keeps("aws/jsii")
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    assert not toolkit.home_keeps("aws/jsii")
    (tmp_path / ".cache").mkdir()
    assert toolkit.home_keeps("aws/jsii")
