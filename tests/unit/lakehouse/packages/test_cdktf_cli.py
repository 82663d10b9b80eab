"""cdktf-cli in the cache of an installed toolkit. Node and npm are doubles; the pins are the project's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages import cdktf_cli, uses

ROOT = Path(__file__).parents[4]
NPM = """#!/bin/sh
echo "$@" >>"$RECORD"
ls -A >>"$RECORD"
[ -n "${FAIL:-}" ] && exit 0
mkdir -p node_modules/cdktf-cli/bundle/bin
touch node_modules/cdktf-cli/bundle/bin/cdktf.js
[ -z "${KILLED:-}" ] || kill -9 $$
"""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed toolkit with an empty cache; the file has npm's arguments and what was in its folder."""
    carried = tmp_path / "carried"
    carried.mkdir()
    for name in cdktf_cli._PINS:
        (carried / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(toolkit, "_CARRIED", carried)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a cache"))
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    node = tmp_path / "node"
    node.write_text(NPM)
    node.chmod(0o755)
    monkeypatch.setattr(cdktf_cli, "_node_and_npm", lambda: (node, Path("npm-cli.js")))
    return tmp_path / "record"


def test_it_is_installed_once_as_locked(record: Path, tmp_path: Path) -> None:
    cdktf_cli.set_up()
    assert cdktf_cli.script().is_file()
    assert tmp_path / "a cache" / "lakehouse" / "cdktf-cli" in cdktf_cli.script().parents
    assert record.read_text().split()[:2] == ["npm-cli.js", "ci"]
    assert set(record.read_text().splitlines()[1:]) == {"package.json", "package-lock.json", ".npmrc"}
    record.unlink()
    os.utime(cdktf_cli._folder(), (0, 0))
    cdktf_cli.set_up()
    assert not record.exists()
    assert not uses.is_over(cdktf_cli._folder())


def test_a_checkout_is_no_folder_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolkit, "root", lambda: tmp_path)
    monkeypatch.setattr(toolkit, "is_installed", lambda: False)
    script = cdktf_cli.script()
    script.parent.mkdir(parents=True)
    script.touch()
    os.utime(tmp_path, (0, 0))
    cdktf_cli.set_up()
    assert tmp_path.stat().st_mtime == 0


def test_a_checkout_gets_it_once_unless_told_again(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    monkeypatch.setattr(toolkit, "root", lambda: checkout)
    monkeypatch.setattr(toolkit, "is_installed", lambda: False)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    for words, installs in (([], True), ([], False), (["again"], True)):
        record.unlink(missing_ok=True)
        assert cdktf_cli.main(words) == 0
        assert record.exists() == installs
    assert cdktf_cli.script() == checkout / cdktf_cli._SCRIPT


def test_other_pins_are_installed_beside(record: Path) -> None:
    cdktf_cli.set_up()
    first = cdktf_cli.script()
    (toolkit.root() / "package-lock.json").write_text("{}")
    cdktf_cli.set_up()
    assert first.is_file()
    assert cdktf_cli.script() != first
    assert cdktf_cli.script().is_file()


@pytest.mark.usefixtures("record")
def test_what_npm_left_unfinished_is_no_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIL", "yes")  # npm may exit with 0 without a network
    with pytest.raises(LakehouseError, match="npm could not install cdktf-cli"):
        cdktf_cli.set_up()
    folder = cdktf_cli.script().parents[4]
    assert [each.name for each in folder.parent.iterdir()] == ["lock"]


@pytest.mark.usefixtures("record")
def test_an_installation_whose_npm_was_killed_is_none_even_if_it_has_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KILLED", "yes")
    with pytest.raises(LakehouseError, match="npm could not install cdktf-cli"):
        cdktf_cli.set_up()
    assert not cdktf_cli.script().exists()


@pytest.mark.usefixtures("record")
def test_what_a_killed_installation_left_is_removed() -> None:
    left = cdktf_cli.script().parents[5] / ".installing-killed"
    left.mkdir(parents=True)
    cdktf_cli.set_up()
    assert {each.name for each in left.parent.iterdir()} == {"lock", cdktf_cli.script().parents[4].name}


@pytest.mark.usefixtures("record")
def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a cache").write_text("a file")
    with pytest.raises(LakehouseError, match="set XDG_CACHE_HOME to a folder that is"):
        cdktf_cli.set_up()


def test_a_checkout_has_it_beside_its_lock() -> None:
    assert cdktf_cli.script() == ROOT / "node_modules/cdktf-cli/bundle/bin/cdktf.js"


def test_an_old_node_of_the_system_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolkit, "node_wheel", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(cdktf_cli, "_version", lambda node: 18)
    with pytest.raises(LakehouseError, match="no node 20 or newer"):
        cdktf_cli._node_and_npm()
