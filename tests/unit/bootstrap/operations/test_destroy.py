from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.engines.trino_files import TrinoFiles
from bootstrap.operations.adopt import adopt
from bootstrap.operations.destroy import destroy_data
from bootstrap.session.target import Target, find
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.runtimes.owner import FOLDERS, MARK, check, mark
from lakehouse.runtimes.state import write_private


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def root(target: Target) -> Path:
    """A state folder with data in it, of a lakehouse that is down."""
    target.local.state.prepare()
    mark(target.local.state, target.local.claim)
    target.local.state.secret("store-access-key")
    warehouse = target.local.state.data("s3proxy") / "warehouse"
    warehouse.mkdir(parents=True)
    (warehouse / "file.parquet").write_bytes(bytes(1000))
    return target.local.state.root


@pytest.fixture
def running(target: Target) -> Iterator[int]:
    """A process of the lakehouse; its pid."""
    environment = {**os.environ, "LAKEHOUSE_STATE": str(target.local.state.root), "LAKEHOUSE_SERVICE": "trino"}
    process = subprocess.Popen(
        [sys.executable, "-c", "print(1, flush=True); input()"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.communicate("\n")


def test_the_data_goes_and_with_it_the_folder(target: Target, root: Path, file: Path) -> None:
    assert destroy_data(target, yes=True) >= 1000
    assert not root.exists()
    assert not root.parent.exists()
    assert file.exists()


def test_the_keys_of_principals_go_too_and_the_next_deploy_may_have_the_folder(target: Target, root: Path) -> None:
    state = target.local.state
    TrinoFiles(state).create("bi", deletable=False)
    state.keep("demo-bi-access-key", "AKEY")
    write_private(state.root / "access" / "bi.ini", "[trino]")
    assert {each.name for each in root.iterdir() if each.is_dir()} <= set(FOLDERS)
    destroy_data(target, yes=True)
    assert not root.exists()


def test_the_list_of_published_tables_stays_and_the_next_deploy_may_have_the_folder(
    target: Target, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target.published.write_text("{}")
    destroy_data(target, yes=True)
    assert [each.name for each in root.iterdir()] == ["metadata.json"]
    assert f"{target.published} stays: by it, the next publication hides" in capsys.readouterr().err
    check(target.local.state, target.local.claim)


def test_a_folder_with_nothing_but_an_empty_one_for_keys_is_free(target: Target) -> None:
    (target.located.state.root / "access").mkdir(parents=True)
    check(target.located.state, target.located.claim)


def test_a_second_time_nothing_happens(target: Target, root: Path) -> None:
    destroy_data(target, yes=True)
    assert destroy_data(target, yes=True) == 0


def test_data_outside_the_folder_goes_though_the_folder_is_gone(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker's volumes stay if somebody removes the state folder by hand."""
    assert not target.local.state.root.exists()
    monkeypatch.setattr(type(target.local.runtime), "volumes", lambda _: ("demo-local-s3proxy",))
    monkeypatch.setattr(type(target.local.runtime), "remove_data", lambda _: 2000)
    assert destroy_data(target, yes=True) == 2000


def test_what_is_not_ours_stays(target: Target, root: Path) -> None:
    (root / "notes.txt").write_text("mine")
    destroy_data(target, yes=True)
    assert [each.name for each in root.iterdir()] == ["notes.txt"]


def test_without_a_mark_nothing_is_deleted(file: Path) -> None:
    """Somebody else's folder, which only has files of the right names."""
    file.write_text(file.read_text().replace("local: {", "project: {state: mine, "))
    thesis = file.parent / "mine" / "project" / "data" / "thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("years of work")
    with pytest.raises(LakehouseError, match=r"not empty, and no lakehouse created it: it holds data\..*state"):
        destroy_data(find(file, "project"), yes=True)
    assert thesis.read_text() == "years of work"
    assert sorted(each.name for each in (file.parent / "mine" / "project").iterdir()) == ["data"]


def test_an_earlier_versions_folder_is_marked_before_it_may_go(target: Target, root: Path) -> None:
    target.local.state.secret("store-secret-key")
    (root / MARK).unlink()
    with pytest.raises(LakehouseError, match="has no mark that names its owner.*lakehouse adopt"):
        destroy_data(find(target.path, None), yes=True)
    assert "now belongs to the lakehouse" in adopt(find(target.path, None), yes=True)
    destroy_data(find(target.path, None), yes=True)
    assert not root.exists()


def test_a_state_folder_behind_a_link_is_emptied_and_the_link_stays(file: Path, tmp_path: Path) -> None:
    (tmp_path / "big disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "big disk")
    file.write_text(file.read_text().replace("local: {", f"local: {{state: {tmp_path}, "))
    (tmp_path / "local").symlink_to(tmp_path / "link")
    there = find(file, None)
    there.local.state.prepare()
    mark(there.local.state, there.local.claim)
    destroy_data(there, yes=True)
    assert (tmp_path / "local").is_symlink()
    assert list((tmp_path / "big disk").iterdir()) == []


def test_a_link_is_not_followed(target: Target, root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "big disk"
    (root / "data").rename(elsewhere)
    (root / "data").symlink_to(elsewhere)
    with pytest.raises(LakehouseError, match="data is a link to .*big disk.*Nothing was removed"):
        destroy_data(target, yes=True)
    assert (root / "secrets" / "store-access-key").exists()
    assert (elsewhere / "s3proxy" / "warehouse" / "file.parquet").exists()


def test_a_lakehouse_that_is_up_keeps_its_data(target: Target, root: Path, running: int) -> None:
    with pytest.raises(LakehouseError, match=f"is up \\(pids {running}\\).*lakehouse destroy"):
        destroy_data(target, yes=True)
    assert (root / "data" / "s3proxy" / "warehouse" / "file.parquet").exists()


def test_the_name_is_the_second_key(target: Target, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("domo\n"))
    with pytest.raises(LakehouseError, match="The name does not match: nothing was removed"):
        destroy_data(target, yes=False)
    assert root.exists()
    monkeypatch.setattr("sys.stdin", Terminal("demo\n"))
    destroy_data(target, yes=False)
    assert not root.exists()


def test_with_nobody_there_to_ask_it_refuses(target: Target, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("demo\n"))
    with pytest.raises(UsageError, match="add --yes"):
        destroy_data(target, yes=False)
    assert root.exists()


def test_the_data_stays_while_the_scheduler_runs(target: Target, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.runtimes.scheduling.remains", lambda state: "the scheduler, pids 7")
    with pytest.raises(LakehouseError, match="the scheduler, pids 7"):
        destroy_data(target, yes=True)
    assert root.exists()
